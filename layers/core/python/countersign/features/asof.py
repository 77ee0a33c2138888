"""The point-in-time join: for each spine row the values as of its moment, by what was known then.

A history row is visible from the later of its two clocks. Among the rows visible at T the one with
the greatest (event_time, known_at, built, digest) stands. Late rows may be outranked when they become
visible, so the row that became visible last need not stand, and an ASOF join alone would be wrong.

Per view: the moments of the spine and the rows of the history, three numbers each, are sorted into one
sequence by entity and moment; there the running maximum of (event_time, known_at) is what stands. Only
then are the wide rows fetched, by a hash join: they are never sorted.
"""

# ruff: noqa: S608 - SQL is made of declarations, never of what a request or a file says
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from countersign.declare import FeatureView
from countersign.features.aggregations import served
from countersign.features.definition import definition_digest
from countersign.features.engine import latest_columns
from countersign.features.pointintime import check_spine

SPINE = "_spine"
_AT = "make_timestamp(_at)"
_CLOCKS = "epoch_us(event_time)::HUGEINT * 18446744073709551616 + epoch_us(known_at)"


def join_sql(connection: Any, spine: str, histories: Sequence[tuple[FeatureView, str]]) -> str:
    """Every row and column of `spine` with the features of each view as of its `as_of`, as SQL.

    The SQL reads temporary tables that this call makes: use it before the next call. The spine has
    the key column of each view's entity (VARCHAR) and `as_of` (TIMESTAMPTZ). Rows without a value,
    and values whose newest fact is older than the time to live, have nulls. Beside the features of
    a view: `<view>__event_time` and `<view>__known_at` of the row that was joined, and of each source
    the newest fact's `<view>__latest_<source>` (microseconds), for the audit. Raises what
    `check_spine` does: DuckDB would compare the number 1 with "001" and find them equal.
    """
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {SPINE} AS "
        f"SELECT *, row_number() OVER () AS _row FROM {spine}"
    )
    check_spine(connection, SPINE, tuple({view.entity.key for view, _ in histories}))
    tables = [_create_values(connection, view, history) for view, history in histories]
    columns = ["s.* EXCLUDE (_row)", *(f"{table}.* EXCLUDE (_row)" for table in tables)]
    joins = [f"LEFT JOIN {table} ON s._row = {table}._row" for table in tables]
    return f"SELECT {', '.join(columns)} FROM {SPINE} s {' '.join(joins)}"


def _create_values(connection: Any, view: FeatureView, history: str) -> str:
    """The table of what stands of one view, by `_row`; spine rows for which nothing does are missing."""
    ids, moments, values = (f"_{part}_{view.name}" for part in ("ids", "moments", "values"))
    key = f'"{view.entity.key}"'
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {ids} AS SELECT _key, row_number() OVER () AS _id "
        f"FROM (SELECT DISTINCT {key} AS _key FROM {SPINE})"
    )
    rows = (
        f"(SELECT * FROM {history} JOIN {ids} ON entity_id = _key "
        f"WHERE _definition = '{definition_digest(view)}')"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {moments} AS {_standing(ids, key, rows)}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {values} AS {_fetch(view, moments, rows)}")
    if _rows(connection, values) > _rows(connection, moments):
        _break_ties(connection, view, ids, moments, rows)
    connection.execute(f"DROP TABLE {ids}; DROP TABLE {moments}")
    return values


def _standing(ids: str, key: str, rows: str) -> str:
    """Per spine row (`_row`) its entity, its moment and the clocks of the row that stands then."""
    return f"""
    SELECT _row, _id, _at, _clocks FROM (
        SELECT _row, _id, _at, max(_seen) OVER (PARTITION BY _id ORDER BY _at) AS _clocks FROM (
            SELECT NULL AS _row, _id, greatest(epoch_us(event_time), epoch_us(known_at)) AS _at,
                {_CLOCKS} AS _seen FROM {rows}
            UNION ALL
            SELECT _row, _id, epoch_us(as_of), NULL FROM {SPINE} JOIN {ids} ON {key} = _key
        )
    ) WHERE _row IS NOT NULL AND _clocks IS NOT NULL
    """


def _fetch(view: FeatureView, moments: str, rows: str) -> str:
    """The values at `moments`: a row for each history row with the clocks that stand."""
    ttl = round(view.ttl.total_seconds() * 1_000_000)
    columns = [
        f"CASE WHEN _at - epoch_us(_newest_fact_at) <= {ttl} "
        f"""THEN {served(f, f'"{f.name}"', _AT)} END AS "{f.name}\""""
        for f in view.features
    ]
    columns += [f"{name} AS {view.name}_{name}" for name in latest_columns(view)]
    columns += [f"{clock} AS {view.name}__{clock}" for clock in ("event_time", "known_at")]
    return (
        f"SELECT m._row, {', '.join(columns)} FROM {moments} m "
        f"JOIN {rows} h ON m._id = h._id AND m._clocks = {_CLOCKS}"
    )


def _break_ties(connection: Any, view: FeatureView, ids: str, moments: str, rows: str) -> None:
    """Where several rows have the clocks that stand, fetch again and keep the last built."""
    values, tied = f"_values_{view.name}", f"_tied_{view.name}"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {tied} AS SELECT * FROM {moments} SEMI JOIN "
        f"(SELECT _row FROM {values} GROUP BY _row HAVING count(*) > 1) USING (_row)"
    )
    connection.execute(f"DELETE FROM {values} WHERE _row IN (SELECT _row FROM {tied})")
    connection.execute(f"DELETE FROM {ids} WHERE _id NOT IN (SELECT _id FROM {tied})")
    connection.execute(
        f"INSERT INTO {values} {_fetch(view, tied, rows)} QUALIFY row_number() OVER "
        f"(PARTITION BY m._row ORDER BY _built_at DESC, _digest DESC) = 1"
    )
    connection.execute(f"DROP TABLE {tied}")


def _rows(connection: Any, table: str) -> int:
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(count)
