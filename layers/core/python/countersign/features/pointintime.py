"""The point-in-time join: for each spine row the value as of its moment, by what was known then.

A history row is visible from the later of its two clocks. Among the rows visible at T the one with
the greatest (event_time, known_at, built, digest) stands. In the order in which rows become visible a
row that is not a new maximum never stands, so the maxima alone, in that order, are what one ASOF join
has to look up.
"""

# ruff: noqa: S608 - SQL is made of declarations, never of what a request or a file says
from __future__ import annotations

from typing import Any

from countersign.declare import FeatureView
from countersign.errors import DataError
from countersign.features.aggregations import served
from countersign.features.definition import definition_digest
from countersign.features.engine import (
    carried_columns,
    latest_columns,
    stored_columns,
    values_sql,
)

_RANK = "(event_time, known_at, _built_at, _digest)"


def timeline_sql(view: FeatureView, history: str) -> str:
    """The rows of `history` that stand at some moment, with `_visible` from when (TIMESTAMPTZ)."""
    return f"""
    SELECT * FROM (
        SELECT *, greatest(event_time, known_at) AS _visible,
            max({_RANK}) OVER seen AS _best, lead(greatest(event_time, known_at)) OVER seen AS _next
        FROM {history} WHERE _definition = '{definition_digest(view)}'
        WINDOW seen AS (PARTITION BY entity_id
            ORDER BY greatest(event_time, known_at), event_time, known_at, _built_at, _digest)
    ) WHERE _best = {_RANK} AND (_next IS NULL OR _next > _visible)
    """


def join_sql(view: FeatureView, spine: str, history: str) -> str:
    """Every row and column of `spine` with the view's features as of its `as_of`, as known then.

    The spine has the entity's key column (VARCHAR) and `as_of` (TIMESTAMPTZ). Rows without a value,
    and values whose newest fact is older than the time to live, have nulls. Beside the features:
    `<view>__event_time` and `<view>__known_at` of the row that was joined, and of each source the
    newest fact's `<view>__latest_<source>` (microseconds), for the audit.
    """
    alive = f"epoch_us(as_of) - epoch_us(_newest_fact_at) <= {_microseconds(view)}"
    columns = [
        f'CASE WHEN {alive} THEN {served(f, _column(f.name), "as_of")} END AS "{f.name}"'
        for f in view.features
    ]
    columns += [f"h.{name} AS {view.name}_{name}" for name in latest_columns(view)]
    return (
        f"SELECT s.*, {', '.join(columns)}, h.event_time AS {view.name}__event_time, "
        f"h.known_at AS {view.name}__known_at FROM {spine} s "
        f"ASOF LEFT JOIN ({timeline_sql(view, history)}) h "
        f'ON s."{view.entity.key}" = h.entity_id AND s.as_of >= h._visible'
    )


def direct_sql(view: FeatureView, stream: str, spine: str) -> str:
    """What `join_sql` yields (but for the audit's columns), computed from the sources themselves.

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
    for column, wanted in {
        "as_of": "TIMESTAMP WITH TIME ZONE",
        **dict.fromkeys(keys, "VARCHAR"),
    }.items():
        if column not in types:
            raise DataError(f"The spine has no column {column!r}")
        if types[column] != wanted:
            raise DataError(f"The spine's {column!r} is {types[column]}; expected {wanted}")
        nulls = connection.execute(
            f'SELECT count(*) FROM {spine} WHERE "{column}" IS NULL'
        ).fetchone()[0]
        if nulls:
            raise DataError(f"{nulls} rows of the spine have no {column!r}")


def _column(name: str) -> str:
    return f'"{name}"'


def _microseconds(view: FeatureView) -> int:
    return round(view.ttl.total_seconds() * 1_000_000)
