"""Which online rows a request needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from countersign.aws.online import Carried, Key
from countersign.declare import UseCase


def view_keys(use_case: UseCase, row: Mapping[str, Any]) -> list[Key]:
    """Each view, of the entity whose id the request states, or that the first entity's record carries.

    One batch read fetches them all when the request states every id; else there is a second one.
    """
    return [(view.entity.name, _id(view.entity.key, row), view.name) for view in use_case.views]


def _id(column: str, row: Mapping[str, Any]) -> str | Carried:
    stated = row.get(column)
    return Carried(column) if stated is None else str(stated)
