"""The history of a view: a row for every moment at which a value may change, and for every time that
what was known of such a moment changed.

A row (entity, event_time = e, known_at = k) holds the value at e as known at k, k never before e.
The value at any moment T, as known at T, is then the row with the greatest (event_time, known_at)
among those with both at most T. Ticks of e: when a fact enters or leaves a window. Rows of a tick:
the first as soon as the tick has passed and is known of; another whenever a version of a fact whose
span covers the tick begins or ceases to stand. Between two rows of a tick its value does not change.
Nothing here depends on the order of rows or files.
"""

# ruff: noqa: S608 - SQL is made of declarations, never of what a request or a file says
from __future__ import annotations

from datetime import datetime
from typing import Any

from countersign.declare import FeatureView
from countersign.features.definition import definition_digest
from countersign.features.duck import timestamp
from countersign.features.engine import (
    carried_columns,
    create_stream,
    stored_columns,
    windows_of,
)
from countersign.features.stream import FOREVER
from countersign.features.values import values_sql
from countersign.features.windows import entry, leaving

ORDER = "event_time, known_at, _built_at, _digest"


def create_history(
    connection: Any,
    view: FeatureView,
    *,
    as_of: datetime,
    built_at: datetime,
    bucket: int = 0,
    buckets: int = 1,
) -> str:
    """Compute the history known by `as_of` as the temporary table `history_<view>`; returns its name.

    Columns: entity_id, event_time, known_at (TIMESTAMPTZ), the features and the newest fact of each
    source (DOUBLE), `_newest_fact_at`, `_built_at`, `_definition`, `_digest`.
    """
    by = timestamp(as_of)
    stream = create_stream(connection, view, known_by=by, bucket=bucket, buckets=buckets)
    points, name = f"points_{view.name}", f"history_{view.name}"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {points} AS {points_sql(view, stream, by)}")
    rows = rows_sql(view, stream, points, built_at=built_at)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {rows}")
    connection.execute(f"DROP TABLE {stream}; DROP TABLE {points}")
    return name


def rows_sql(
    view: FeatureView, stream: str, points: str, *, built_at: datetime, keep: tuple[str, ...] = ()
) -> str:
    """The rows of history at `points` (`_entity`, `_e`, `_k` and the columns of `keep`)."""
    kept = ", ".join([*keep, *(f'"{c}"' for c in (*stored_columns(view), *carried_columns(view)))])
    return (
        f"SELECT _entity AS entity_id, "
        f"_e AT TIME ZONE 'UTC' AS event_time, _k AT TIME ZONE 'UTC' AS known_at, {kept}, "
        f"_newest AT TIME ZONE 'UTC' AS _newest_fact_at, "
        f"{timestamp(built_at)} AT TIME ZONE 'UTC' AS _built_at, "
        f"'{definition_digest(view)}' AS _definition, "
        f"md5(concat_ws('|', _entity, epoch_us(_e), epoch_us(_k), {content(view)})) AS _digest "
        f"FROM ({values_sql(view, stream, points, keep)})"
    )


def points_sql(view: FeatureView, stream: str, by: str, since: str = "") -> str:
    """Every (entity, e, k) that history holds a row for, k at most `by`.

    `since`: a relation (`_entity`, `_since`) that leaves of each entity the points whose k is not
    before `_since`, and no other entity's.
    """
    moments = ", ".join(moments_of(view))
    first, last = _span(view)
    join, first_after, change_after = "", "", ""
    if since:
        join = f"JOIN {since} USING (_entity)"
        first_after = "WHERE greatest(_e, _first_known) >= _since"
        change_after = "WHERE _k >= _since"
    return f"""
    WITH ticks AS (
        SELECT _entity, _e, min(_known) AS _first_known
        FROM (SELECT _entity, _known, unnest([{moments}]) AS _e FROM {stream})
        WHERE _e <= {by} GROUP BY _entity, _e
    ), changes AS (
        SELECT _entity, _from, _to, _k FROM (
            SELECT DISTINCT _entity, {first} AS _from, {last} AS _to, unnest([_known, _until]) AS _k
            FROM {stream}
        ) {join} {change_after}
    )
    SELECT _entity, _e, greatest(_e, _first_known) AS _k, _first_known FROM ticks {join} {first_after}
    UNION
    SELECT _entity, _e, _k, _first_known FROM ticks JOIN changes USING (_entity)
    WHERE _e >= _from AND _e < _to AND _k > greatest(_e, _first_known) AND _k <= {by}
    """


def moments_of(view: FeatureView) -> list[str]:
    """In SQL over the stream, when a fact enters and leaves the windows of a view."""
    windows = windows_of(view)
    exits = [leaving(window, "_t") for window in windows]
    return [*(entry(window, "_t") for window in windows), *(e for e in exits if e)]


def _span(view: FeatureView) -> tuple[str, str]:
    """From when until when a fact has a part in values: past its windows, while it keeps them served."""
    windows = windows_of(view)
    exits = [leaving(window, "_t") for window in windows]
    first = f"least({', '.join(entry(window, '_t') for window in windows)})"
    if None in exits:
        return first, FOREVER
    served = f"_t + to_microseconds({round(view.ttl.total_seconds() * 1_000_000) + 1})"
    return first, f"greatest({', '.join([served, *(e for e in exits if e)])})"


def content(view: FeatureView) -> str:
    """What a row says, as SQL texts: twelve digits, so that the order of a sum is not a difference."""
    numbers = [f"""coalesce(format('{{:.12g}}', "{c}"), '')""" for c in stored_columns(view)]
    return ", ".join(numbers + [f"coalesce(\"{c}\", '')" for c in carried_columns(view)])
