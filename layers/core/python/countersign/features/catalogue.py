"""What is declared, over all use cases: views and sources by name."""

from __future__ import annotations

from collections.abc import Iterable

from countersign.declare import FeatureView, Source, UseCase
from countersign.errors import NotFoundError


def views_of(use_cases: Iterable[UseCase]) -> dict[str, FeatureView]:
    """Every view by name, in the order of declaration."""
    return {view.name: view for use_case in use_cases for view in use_case.views}


def sources_of(use_cases: Iterable[UseCase]) -> dict[str, Source]:
    """Every source by name."""
    return {source.name: source for use_case in use_cases for source in use_case.sources()}


def view_named(use_cases: Iterable[UseCase], name: str) -> FeatureView:
    """The view `name`. Raises NotFoundError naming those there are."""
    views = views_of(use_cases)
    if name not in views:
        raise NotFoundError(f"No feature view {name!r}; declared are {', '.join(views)}")
    return views[name]
