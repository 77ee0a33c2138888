"""What a build has to compute, and which of it is new to the history.

A row (e, k) depends on the versions known by k, and on no others. So what was held when the last build
ended, as of A, stays right for every entity until the first moment at which what was known of it is
otherwise now than it was then: the earliest `known_at` of its late news, or else A. From that moment
on an entity is computed anew; before it, nothing is. Late news is a version with a `known_at` at most A
that no file of the last build had; it concerns every entity that any version of its fact names. So does
a row in a part that the last build did not know of: a build at the same time may have computed it from
other files.
"""

# ruff: noqa: S608 - SQL is made of declarations, never of what a request or a file says
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from countersign.declare import FeatureView
from countersign.features.buckets import bucket_sql
from countersign.features.definition import definition_digest
from countersign.features.duck import from_microseconds, source_relation, timestamp
from countersign.features.history import content, moments_of, points_sql, rows_sql
from countersign.features.stream import versions_sql

_TICK = timedelta(microseconds=1)
_MARKS = ("_context", "_stray")


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One build of one bucket. `since`: as of when the last one was complete; None for a first one."""

    view: FeatureView
    as_of: datetime
    built_at: datetime
    bucket: int = 0
    buckets: int = 1
    since: datetime | None = None

    def table(self, part: str) -> str:
        """The name of a temporary table of this build."""
        return f"{part}_{self.view.name}"

    @property
    def by(self) -> str:
        """`as_of` in SQL."""
        return timestamp(self.as_of)

    def mine(self, entity: str) -> str:
        """SQL: the entity is one of this bucket."""
        return f"{bucket_sql(entity, self.buckets)} = {self.bucket}" if self.buckets > 1 else "true"


def create_late(
    connection: Any, build: Build, news: Mapping[str, str], strange: str | None = None
) -> datetime | None:
    """The table `late_<view>` (`_entity`, `_since`) of entities with late news, and its earliest moment.

    `news`: relation by source of the rows of files that the last build had not read. Those that stand in
    another file as well are no news. `strange`: a relation of the parts that it did not know of.
    """
    if build.since is None:
        return None
    view = build.view
    every = versions_sql(view, {s.name: source_relation(s) for s in view.sources()})
    key = "_source, _fact, _known, _digest"
    late = (
        f"SELECT {key} FROM ({versions_sql(view, news)})"
        if news
        else f"SELECT {key} FROM ({every}) LIMIT 0"
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE {build.table("late")} AS
        WITH _late AS MATERIALIZED (
            SELECT {key}, count(*) AS _copies FROM ({late})
            WHERE _known <= {timestamp(build.since)} GROUP BY ALL
        ), _all AS MATERIALIZED (
            SELECT {key}, _entity FROM ({every}) SEMI JOIN _late USING (_source, _fact)
        ), _new AS (
            SELECT _source, _fact, min(_known) AS _since FROM _late
            JOIN (SELECT {key}, count(*) AS _held FROM _all GROUP BY ALL) USING ({key})
            WHERE _held <= _copies GROUP BY ALL
        ), _whose AS (
            SELECT _entity, _since FROM _all JOIN _new USING (_source, _fact)
            UNION ALL SELECT _entity, _since FROM ({_strange(build, strange)})
        )
        SELECT _entity, min(_since) AS _since FROM _whose
        WHERE _entity IS NOT NULL AND {build.mine("_entity")} GROUP BY _entity"""
    )
    (earliest,) = connection.execute(
        f"SELECT epoch_us(min(_since)) FROM {build.table('late')}"
    ).fetchone()
    return None if earliest is None else from_microseconds(earliest)


def _strange(build: Build, parts: str | None) -> str:
    """What a build at the same time said, perhaps of other files, and from when on: to be gone over."""
    if not parts:
        return "SELECT '' AS _entity, NULL::TIMESTAMP AS _since LIMIT 0"
    return f"SELECT entity_id AS _entity, _k AS _since FROM ({_held_rows(build, parts)})"


def create_changes(connection: Any, build: Build, stream: str, held: str | None) -> tuple[str, int]:
    """The rows that history lacks, as SQL over temporary tables, and the number of points computed.

    `held`: a relation of the parts that may hold rows from the earliest of these moments on.
    """
    view, points = build.view, build.table("points")
    active = _create_active(connection, build, stream, held)
    if active:
        chosen = build.table("chosen")
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {chosen} AS "
            f"SELECT * FROM {stream} SEMI JOIN {active} USING (_entity)"
        )
        stream = chosen
    _create_held(connection, build, held, active)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {points} AS {_points(build, stream, active)}")
    rows = rows_sql(view, stream, points, built_at=build.built_at, keep=_MARKS)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {build.table('computed')} AS {rows}")
    (count,) = connection.execute(f"SELECT count(*) FROM {points}").fetchone()
    return _fresh(build), int(count)


def _create_active(connection: Any, build: Build, stream: str, held: str | None) -> str:
    """The table (`_entity`, `_since`) of entities to compute, and from when on; empty: all of all."""
    if build.since is None:
        return ""
    after = timestamp(build.since)
    moving = [f"{m} > {after} AND {m} <= {build.by}" for m in (*moments_of(build.view), "_until")]
    moved = " OR ".join(["_known > " + after, *moving])
    # Left by a build that was killed, or by another at the same time: perhaps from other files.
    astray = f"SELECT entity_id AS _entity FROM ({_held_rows(build, held)})" if held else ""
    just_after = timestamp(build.since + _TICK)
    name = build.table("active")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT _entity, min(_since) AS _since FROM ("
        f"SELECT DISTINCT _entity, {just_after} AS _since FROM {stream} WHERE {moved} "
        f"UNION ALL SELECT _entity, _since FROM {build.table('late')}"
        + (
            f" UNION ALL SELECT _entity, {just_after} FROM ({astray} WHERE _k > {after})"
            if held
            else ""
        )
        + ") GROUP BY _entity"
    )
    return name


def _create_held(connection: Any, build: Build, held: str | None, active: str) -> None:
    """The table of what stands in history at the points that may be computed."""
    rows = _held_rows(build, held) if held else _nothing_held()
    among = f"JOIN {active} USING (_entity) WHERE _k >= _since" if active else ""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {build.table('held')} AS "
        f"SELECT _entity, _e, _k, arg_max(_digest, (_built_at, _digest)) AS _held "
        f"FROM (SELECT * RENAME (entity_id AS _entity) FROM ({rows})) {among} GROUP BY ALL"
    )


def _held_rows(build: Build, held: str | None) -> str:
    return (
        f"SELECT entity_id, event_time AT TIME ZONE 'UTC' AS _e, known_at AT TIME ZONE 'UTC' AS _k, "
        f"_built_at, _digest FROM {held} WHERE _definition = '{definition_digest(build.view)}' "
        f"AND (known_at AT TIME ZONE 'UTC') <= {build.by} AND {build.mine('entity_id')}"
    )


def _nothing_held() -> str:
    return (
        "SELECT '' AS entity_id, NULL::TIMESTAMP AS _e, NULL::TIMESTAMP AS _k, "
        "NULL::TIMESTAMPTZ AS _built_at, '' AS _digest LIMIT 0"
    )


def _points(build: Build, stream: str, active: str) -> str:
    """Points of history; of each tick the moment before the first (`_context`), to compare it with;
    and rows held where no point is any more (`_stray`): they must say what is right, too.
    """
    held = build.table("held")
    context = (
        f"UNION ALL SELECT DISTINCT _entity, _e, _since - INTERVAL 1 MICROSECOND, true, false "
        f"FROM _chosen JOIN {active} USING (_entity) WHERE greatest(_e, _first_known) < _since"
    )
    return (
        f"WITH _chosen AS MATERIALIZED ({points_sql(build.view, stream, build.by, active)}) "
        f"SELECT _entity, _e, _k, false AS _context, false AS _stray FROM _chosen "
        f"UNION ALL SELECT _entity, _e, _k, false, true "
        f"FROM {held} ANTI JOIN _chosen USING (_entity, _e, _k) " + (context if active else "")
    )


def _fresh(build: Build) -> str:
    """The computed rows that history lacks or holds otherwise.

    A row that only repeats the one known before it at the same tick is left out when it is new.
    """
    computed, held = build.table("computed"), build.table("held")
    return (
        f"SELECT c.* EXCLUDE (_context, _stray, _repeats, _values) FROM ("
        f"SELECT *, _values = lag(_values) OVER (PARTITION BY entity_id, event_time, _stray "
        f"ORDER BY known_at) AS _repeats "
        f"FROM (SELECT *, md5(concat_ws('|', {content(build.view)})) AS _values FROM {computed})"
        f") c LEFT JOIN {held} h ON h._entity = entity_id AND h._e = event_time AT TIME ZONE 'UTC' "
        f"AND h._k = known_at AT TIME ZONE 'UTC' WHERE NOT _context AND "
        f"CASE WHEN h._held IS NULL THEN _repeats IS NOT TRUE ELSE h._held <> c._digest END"
    )
