"""The trainers that a `ModelSpec` can name: one module each, loaded only when it trains.

A trainer module has `fit(lesson) -> Fitted`, `DEFAULTS`, its hyperparameters with their defaults,
`TAKES_NULLS`, whether it learns where a null goes, and `SUPERVISED`, whether it looks at labels.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from countersign.errors import DataError

TRAINERS = (
    "isolation_forest",
    "logistic_regression",
    "random_forest",
    "stacking",
    "vote",
    "weighted",
    "xgboost_binary",
    "xgboost_multiclass",
)


def get(name: str) -> ModuleType:
    """The trainer module `name`. Raises DataError naming those there are."""
    if name not in TRAINERS:
        raise DataError(f"No trainer {name!r}; ModelSpec.trainer is one of {', '.join(TRAINERS)}")
    return importlib.import_module(f"{__name__}.{name}")
