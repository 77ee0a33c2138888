"""The history of a view: a row for every moment at which a value may change, and for every time that
what was known of such a moment changed.

A row (entity, event_time = e, known_at = k) holds the value at e as known at k, k never before e.
The value at any moment T, as known at T, is then the row with the greatest (event_time, known_at)
among those with both at most T. Ticks of e: when a fact enters or leaves a window. Rows of a tick:
the first as soon as the tick has passed and is known of; another whenever a version of a fact whose
span covers the tick begins or ceases to stand. Nothing here depends on the order of rows or files.
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
    kept = ", ".join(f'"{c}"' for c in (*stored_columns(view), *carried_columns(view)))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT _entity AS entity_id, "
        f"_e AT TIME ZONE 'UTC' AS event_time, _k AT TIME ZONE 'UTC' AS known_at, {kept}, "
        f"_newest AT TIME ZONE 'UTC' AS _newest_fact_at, "
        f"{timestamp(built_at)} AT TIME ZONE 'UTC' AS _built_at, "
        f"'{definition_digest(view)}' AS _definition, "
        f"md5(concat_ws('|', _entity, epoch_us(_e), epoch_us(_k), {_content(view)})) AS _digest "
        f"FROM ({values_sql(view, stream, points)})"
    )
    connection.execute(f"DROP TABLE {stream}; DROP TABLE {points}")
    return name


def points_sql(view: FeatureView, stream: str, by: str) -> str:
    """Every (entity, e, k) that history holds a row for."""
    windows = windows_of(view)
    entries = [entry(window, "_t") for window in windows]
    exits = [leaving(window, "_t") for window in windows]
    moments = ", ".join([*entries, *(e for e in exits if e)])
    first = f"least({', '.join(entries)})"
    last = FOREVER if None in exits else f"greatest({', '.join(e for e in exits if e)})"
    return f"""
    WITH ticks AS (
        SELECT _entity, _e, min(_known) AS _first_known
        FROM (SELECT _entity, _known, unnest([{moments}]) AS _e FROM {stream})
        WHERE _e <= {by} GROUP BY _entity, _e
    ), changes AS (
        SELECT DISTINCT _entity, {first} AS _from, {last} AS _to, unnest([_known, _until]) AS _k
        FROM {stream}
    )
    SELECT _entity, _e, greatest(_e, _first_known) AS _k FROM ticks
    UNION
    SELECT _entity, _e, _k FROM ticks JOIN changes USING (_entity)
    WHERE _e >= _from AND _e < _to AND _k > greatest(_e, _first_known) AND _k <= {by}
    """


def fresh_rows_sql(view: FeatureView, computed: str, existing: str | None) -> str:
    """The rows of `computed` that `existing` history (a relation) lacks or holds otherwise.

    A row that only repeats the one known before it at the same tick is left out when it is new.
    """
    repeats = (
        "_digest_of_values = lag(_digest_of_values) OVER (PARTITION BY entity_id, event_time "
        "ORDER BY known_at)"
    )
    numbered = (
        f"SELECT *, {repeats} AS _repeats FROM "
        f"(SELECT *, md5(concat_ws('|', {_content(view)})) AS _digest_of_values FROM {computed})"
    )
    chosen = "c.* EXCLUDE (_repeats, _digest_of_values)"
    if existing is None:
        return f"SELECT {chosen} FROM ({numbered}) c WHERE _repeats IS NOT TRUE"
    newest = (
        f"SELECT entity_id, event_time, known_at, arg_max(_digest, (_built_at, _digest)) AS _held "
        f"FROM {existing} WHERE _definition = '{definition_digest(view)}' GROUP BY ALL"
    )
    return (
        f"SELECT {chosen} FROM ({numbered}) c "
        f"LEFT JOIN ({newest}) h USING (entity_id, event_time, known_at) "
        f"WHERE CASE WHEN h._held IS NULL THEN _repeats IS NOT TRUE ELSE h._held <> c._digest END"
    )


def _content(view: FeatureView) -> str:
    """What a row says, as SQL texts: twelve digits, so that the order of a sum is not a difference."""
    numbers = [f"""coalesce(format('{{:.12g}}', "{c}"), '')""" for c in stored_columns(view)]
    return ", ".join(numbers + [f"coalesce(\"{c}\", '')" for c in carried_columns(view)])
