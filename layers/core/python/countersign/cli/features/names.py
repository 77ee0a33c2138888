"""The names that the shell completes: from the declarations of this checkout, no cloud needed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from countersign import use_cases
from countersign.declare import FeatureView
from countersign.features.catalogue import views_of


def views() -> dict[str, FeatureView]:
    """Every declared view by name."""
    return views_of(use_cases.registered())


def view(name: str) -> FeatureView:
    """The declared view; wrong usage, naming those there are, when there is none."""
    declared = views()
    if name not in declared:
        raise typer.BadParameter(f"no view {name!r}; there are {', '.join(sorted(declared))}")
    return declared[name]


def feature_names() -> list[str]:
    """Every declared feature, request-time ones too."""
    found = {f.name for v in views().values() for f in v.features}
    found |= {f.name for u in use_cases.registered() for f in u.request_features}
    return sorted(found)


def _completed(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))


def complete_view(incomplete: str) -> list[str]:
    """Views that begin so."""
    return _completed(incomplete, views())


def complete_feature(incomplete: str) -> list[str]:
    """Features that begin so."""
    return _completed(incomplete, feature_names())


def complete_either(incomplete: str) -> list[str]:
    """Views and features that begin so."""
    return _completed(incomplete, [*views(), *feature_names()])


def complete_use_case(incomplete: str) -> list[str]:
    """Use cases that begin so."""
    return _completed(incomplete, (u.name for u in use_cases.registered()))


View = Annotated[str, typer.Argument(help="A feature view.", autocompletion=complete_view)]
OneView = Annotated[
    str, typer.Option("--view", help="Only this view.", autocompletion=complete_view)
]
