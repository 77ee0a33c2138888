"""The declared use cases. Adding one is adding a file here; it is found by its `USE_CASE`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from countersign.declare import UseCase


@cache
def all_use_cases() -> dict[str, UseCase]:
    """Every declared use case by name, in alphabetical order."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        declared = importlib.import_module(f"{__name__}.{module.name}")
        use_case = getattr(declared, "USE_CASE", None)
        if use_case is not None:
            found[use_case.name] = use_case
    return found


def get(name: str) -> UseCase:
    """The use case `name`. Raises NotFoundError naming those there are."""
    from countersign.errors import NotFoundError

    declared = all_use_cases()
    if name not in declared:
        raise NotFoundError(f"No use case {name!r}; declared are {', '.join(declared)}")
    return declared[name]
