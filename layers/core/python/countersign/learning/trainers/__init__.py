"""The trainers that a `ModelSpec` can name: one module each, loaded only when it trains.

A trainer module has `fit(rows, *, hyperparameters, seed)`, and what it returns has `score(rows)` by the
native library, `native_files()` without pickle, and `split_points()` for the golden vectors.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from countersign.errors import DataError

TRAINERS = ("isolation_forest",)


def get(name: str) -> ModuleType:
    """The trainer module `name`. Raises DataError naming those there are."""
    if name not in TRAINERS:
        raise DataError(f"No trainer {name!r}; ModelSpec.trainer is one of {', '.join(TRAINERS)}")
    return importlib.import_module(f"{__name__}.{name}")
