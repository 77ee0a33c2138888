"""Values at moments: of a spine from the sources themselves, of every entity at one moment.

The join of a spine with histories is in `asof`.
"""

# ruff: noqa: S608 - SQL is made of declarations, never of what a request or a file says
from __future__ import annotations

from typing import Any

from countersign.declare import FeatureView
from countersign.errors import DataError, FieldError
from countersign.features.aggregations import served
from countersign.features.definition import definition_digest
from countersign.features.engine import carried_columns, stored_columns
from countersign.features.values import values_sql

# SQL type, and what a person is told to give.
_PLACED = ("TIMESTAMP WITH TIME ZONE", "a moment with its time zone in every row")
_KEYED = ("VARCHAR", "text in every row, with the zeros that the sources write")


def direct_sql(view: FeatureView, stream: str, spine: str) -> str:
    """What `asof.join_sql` yields (but for the audit's columns), computed from the sources themselves.

    `stream` is a relation of `create_stream` that reaches the latest `as_of` of the spine.
    """
    key = view.entity.key
    points = (
        f"(SELECT \"{key}\" AS _entity, as_of AT TIME ZONE 'UTC' AS _e, "
        f"as_of AT TIME ZONE 'UTC' AS _k FROM {spine})"
    )
    columns = ", ".join(
        f"CASE WHEN epoch_us(_e) - epoch_us(_newest) <= {_microseconds(view)} "
        f'THEN {served(f, _column(f.name), "_e")} END AS "{f.name}"'
        for f in view.features
    )
    values = f"SELECT _entity, _e, {columns} FROM ({values_sql(view, stream, points)})"
    return (
        f"SELECT s.*, v.* EXCLUDE (_entity, _e) FROM {spine} s LEFT JOIN ({values}) v "
        f"ON s.\"{key}\" = v._entity AND (s.as_of AT TIME ZONE 'UTC') = v._e"
    )


def latest_sql(view: FeatureView, history: str, moment: str) -> str:
    """The row of each entity that stands at `moment` (SQL TIMESTAMPTZ), stored values as they are."""
    columns = ", ".join(f'"{c}"' for c in (*stored_columns(view), *carried_columns(view)))
    return (
        f"SELECT entity_id, event_time, known_at, {columns}, _newest_fact_at, _built_at, _digest "
        f"FROM {history} WHERE _definition = '{definition_digest(view)}' "
        f"AND event_time <= {moment} AND known_at <= {moment} "
        f"QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY event_time DESC, "
        f"known_at DESC, _built_at DESC, _digest DESC) = 1"
    )


def check_spine(connection: Any, spine: str, keys: tuple[str, ...]) -> None:
    """Refuse a spine that cannot be placed in time or whose keys are not text.

    Raises
    ------
    DataError      a null `as_of` or key, a naive `as_of`, or a key that is a number (1 is not "001")
    """
    types = {
        name: kind
        for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {spine}").fetchall()
    }
    for column in ("as_of", *keys):
        wanted, told = _PLACED if column == "as_of" else _KEYED
        wrong = [FieldError(column, told)]
        if column not in types:
            raise DataError(f"The spine has no column {column!r}", errors=wrong)
        if types[column] != wanted:
            raise DataError(
                f"The spine's {column!r} is {types[column]}; expected {wanted}", errors=wrong
            )
        (nulls,) = connection.execute(
            f'SELECT count(*) FROM {spine} WHERE "{column}" IS NULL'
        ).fetchone()
        if nulls:
            raise DataError(f"{nulls} rows of the spine have no {column!r}", errors=wrong)


def _column(name: str) -> str:
    return f'"{name}"'


def _microseconds(view: FeatureView) -> int:
    return round(view.ttl.total_seconds() * 1_000_000)
