"""What the feature registry holds, and what a set of declarations writes into it.

A row is never deleted: what is declared no more is retired, with the moment, and says so until it is
declared again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]
KEPT = frozenset({"pk", "sk", "registered_at", "status", "retired_at"})
ACTIVE, RETIRED = "active", "retired"


def active(row: Row) -> bool:
    """Whether a row on record is declared still. Rows of before retirement existed all are."""
    return bool(row.get("status", ACTIVE) == ACTIVE)


def content(row: Row) -> dict[str, Any]:
    """A row without what the registry adds to it."""
    return {name: value for name, value in row.items() if name not in KEPT}


def differs(left: Row, right: Row) -> bool:
    """Whether two rows say different things; 1 and 1.0 are the same."""
    return _text(left) != _text(right)


def writes(
    on_record: Iterable[Row], declared: Iterable[Row], *, key: tuple[str, ...], now: str
) -> list[dict[str, Any]]:
    """The rows to write so that the registry says what is declared: new, changed, back, retired.

    `key` names the fields that identify a row. `now` (ISO-8601 UTC) becomes `registered_at` of what is
    new or changed and `retired_at` of what is declared no more.
    """
    held = {_identity(row, key): row for row in on_record}
    wanted = {_identity(row, key): row for row in declared}
    found = [
        {**content(row), "status": ACTIVE, "registered_at": now}
        for name, row in wanted.items()
        if name not in held or not active(held[name]) or differs(held[name], row)
    ]
    found += [
        {
            **content(row),
            "status": RETIRED,
            "registered_at": row.get("registered_at", now),
            "retired_at": now,
        }
        for name, row in held.items()
        if name not in wanted and active(row)
    ]
    return found


def _identity(row: Row, key: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in key)


def _text(row: Row) -> str:
    return json.dumps(_plain(content(row)), sort_keys=True)


def _plain(value: Any) -> Any:
    """Numbers as a store gives them back: 3.0 is 3."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
