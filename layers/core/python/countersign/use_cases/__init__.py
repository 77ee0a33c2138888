"""The declared use cases. Adding one is adding a file here; it is found by its `USE_CASE`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from countersign.declare import UseCase


def all_use_cases() -> dict[str, UseCase]:
    """Every declared use case by name, in alphabetical order."""
    return _declared("USE_CASE")


def trained_only() -> dict[str, UseCase]:
    """Those that are trained and judged and have no route: nothing of them is ever served."""
    return _declared("TRAINED_ONLY")


def registered() -> tuple[UseCase, ...]:
    """Those whose features are on record in the registry: all of them, served or not."""
    return (*all_use_cases().values(), *trained_only().values())


@cache
def _declared(attribute: str) -> dict[str, UseCase]:
    modules = (
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    )
    found = [getattr(module, attribute, None) for module in modules]
    return {use_case.name: use_case for use_case in found if use_case is not None}


def get(name: str) -> UseCase:
    """The use case `name`. Raises NotFoundError naming those there are."""
    from countersign.errors import NotFoundError

    declared = all_use_cases() | trained_only()
    if name not in declared:
        raise NotFoundError(f"No use case {name!r}; declared are {', '.join(declared)}")
    return declared[name]
