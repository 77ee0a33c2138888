"""Deliveries in any order, built one by one, leave the history that one backfill of them all leaves.

The increments are held against the same build done from nothing, row by row, and against the plain
definition of a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest
from countersign.declare import FeatureView
from countersign.features import asof, duck, history, increments
from countersign.features.engine import create_stream
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .oracle import Row, same, value
from .test_engine_oracle import (
    BOUNDED,
    ISSUE,
    PAY,
    START,
    VIEW,
    answers,
    moments,
    rows,
    spine,
    unique_versions,
)

DAY = timedelta(days=1)
RUNS = settings(
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
Key = tuple[str, int, int, str]


def one_content(arriving: list[tuple[list[Row], timedelta]]) -> list[tuple[list[Row], timedelta]]:
    """A row may come again in another file, but a digest never stands for two contents."""
    seen: dict[Any, Row] = {}
    return [
        (
            [r for r in rows if r == seen.setdefault((r.source, r.key, r.known_at, r.digest), r)],
            later,
        )
        for rows, later in arriving
    ]


# What arrives, and after how many days; a file may hold rows that are known only later.
deliveries = st.lists(
    st.tuples(
        st.lists(rows, max_size=5).map(unique_versions),
        st.sampled_from([0 * DAY, DAY, 3 * DAY, 9 * DAY, 30 * DAY]),
    ),
    min_size=1,
    max_size=4,
).map(one_content)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    made: duckdb.DuckDBPyConnection = duck.connect()
    return made


def put(connection: duckdb.DuckDBPyConnection, delivered: Sequence[Row], suffix: str = "") -> None:
    for source in (PAY, ISSUE):
        apart = replace(source, name=source.name + suffix)
        duck.register_source(connection, apart, [])
        mine = [
            (r.key, r.entity, r.amount, r.flag, r.event_time.isoformat(), r.known_at.isoformat(), r.deleted, r.digest)
            for r in delivered
            if r.source == source.name
        ]  # fmt: skip
        if mine:
            connection.executemany(
                f"INSERT INTO {duck.source_relation(apart)}_shape BY NAME SELECT ? AS fact, ? AS who, "
                "?::BIGINT AS amount, ?::BOOLEAN AS flag, ?::TIMESTAMPTZ AS event_time, "
                "?::TIMESTAMPTZ AS known_at, ?::BOOLEAN AS _deleted, ? AS _digest",
                mine,
            )


@dataclass
class Lake:
    """A history that grows by builds."""

    connection: duckdb.DuckDBPyConnection
    view: FeatureView
    name: str
    delivered: list[Row] = field(default_factory=list)
    seen: int = 0
    since: datetime | None = None
    builds: int = 0

    def build(self, as_of: datetime, *, finish: bool = True) -> list[Key]:
        """Append what is new, and say so unless the build is killed first; returns what was appended."""
        self.builds += 1
        plan = increments.Build(
            view=self.view,
            as_of=as_of,
            built_at=as_of + timedelta(hours=self.builds),
            since=self.since,
        )
        put(self.connection, self.delivered)
        put(self.connection, self.delivered[self.seen :], "_news")
        news = {s.name: f"source_{s.name}_news" for s in self.view.sources()}
        increments.create_late(self.connection, plan, news)
        stream = create_stream(self.connection, self.view, known_by=plan.by)
        held = self.name if self.builds > 1 else None
        fresh, _ = increments.create_changes(self.connection, plan, stream, held)
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE appended AS {fresh}")
        if held is None:
            self.connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {self.name} AS FROM appended LIMIT 0"
            )
        self.connection.execute(f"INSERT INTO {self.name} FROM appended")
        if finish:
            self.since, self.seen = as_of, len(self.delivered)
        return keys(self.connection, "appended")

    def standing(self) -> dict[tuple[str, int, int], str]:
        """Of each point the digest that was built last."""
        found = self.connection.execute(
            "SELECT entity_id, epoch_us(event_time), epoch_us(known_at), "
            f"arg_max(_digest, (_built_at, _digest)) FROM {self.name} GROUP BY ALL"
        ).fetchall()
        return {(who, e, k): digest for who, e, k, digest in found}


def keys(connection: duckdb.DuckDBPyConnection, relation: str) -> list[Key]:
    found: list[Key] = connection.execute(
        "SELECT entity_id, epoch_us(event_time), epoch_us(known_at), _digest "
        f"FROM {relation} ORDER BY ALL"
    ).fetchall()
    return found


@RUNS
@given(arriving=deliveries, asked=st.lists(moments, min_size=1, max_size=4))
@pytest.mark.parametrize("view", [VIEW, BOUNDED], ids=lambda v: v.name)
def test_increments_append_the_rows_that_a_build_from_nothing_appends(
    connection: duckdb.DuckDBPyConnection,
    view: FeatureView,
    arriving: list[tuple[list[Row], timedelta]],
    asked: list[datetime],
) -> None:
    growing, anew = Lake(connection, view, "growing"), Lake(connection, view, "anew")
    as_of = START
    for delivered, later in arriving:
        as_of += later
        for lake in (growing, anew):
            lake.delivered += delivered
        anew.since = None
        assert growing.build(as_of) == anew.build(as_of)
    as_of = max(as_of, START + 45 * DAY)
    growing.build(as_of)
    check_values(growing, asked)
    check_backfill(growing, as_of)


def check_values(lake: Lake, asked: Sequence[datetime]) -> None:
    """What is read at any moment is what the definition says of all that was delivered."""
    view = lake.view
    points = [(entity, moment) for moment in asked for entity in ("a", "b")]
    spine(lake.connection, points)
    found = answers(
        lake.connection, view, asof.join_sql(lake.connection, "spine", [(view, lake.name)])
    )
    mine = [r for r in lake.delivered if r.source in {s.name for s in view.sources()}]
    mine = unique_versions(mine)
    for feature in view.features:
        for number, (entity, moment) in enumerate(points):
            wanted = value(view, feature, mine, entity, moment)
            assert same(found[feature.name][number], wanted), (feature.name, entity, moment, wanted)


def check_backfill(lake: Lake, as_of: datetime) -> None:
    """Every row of one backfill stands in the history, and no row of it says anything else."""
    put(lake.connection, lake.delivered)
    whole = Lake(lake.connection, lake.view, "whole", lake.delivered)
    whole.build(as_of)
    standing = lake.standing()
    assert whole.standing().items() <= standing.items()
    stream = create_stream(lake.connection, lake.view, known_by=duck.timestamp(as_of))
    points = (
        "(SELECT DISTINCT entity_id AS _entity, event_time AT TIME ZONE 'UTC' AS _e, "
        f"known_at AT TIME ZONE 'UTC' AS _k FROM {lake.name})"
    )
    right = history.rows_sql(lake.view, stream, points, built_at=as_of)
    assert {(who, e, k): digest for who, e, k, digest in keys(lake.connection, f"({right})")} == (
        standing
    )


@RUNS
@given(arriving=deliveries, killed=st.lists(st.booleans(), min_size=4, max_size=4))
def test_a_build_that_was_killed_before_it_said_so_leaves_nothing_wrong_and_nothing_twice(
    connection: duckdb.DuckDBPyConnection,
    arriving: list[tuple[list[Row], timedelta]],
    killed: list[bool],
) -> None:
    lake = Lake(connection, VIEW, "growing")
    as_of = START
    for (delivered, later), dies in zip(arriving, killed, strict=False):
        as_of += later
        lake.delivered += delivered
        lake.build(as_of, finish=not dies)
        assert not lake.build(as_of, finish=not dies)
    lake.build(as_of)
    check_backfill(lake, as_of)


def test_only_entities_with_news_are_computed(connection: duckdb.DuckDBPyConnection) -> None:
    def fact(who: str, key: str, at: datetime, known: datetime) -> Row:
        return Row("pay", key, who, at, known, f"d-{key}", 90 if key == "late" else 5)

    lake = Lake(connection, BOUNDED, "growing")
    lake.delivered = [fact(who, f"{who}-{n}", START + n * DAY, START + n * DAY) for who in "abc" for n in range(5)]  # fmt: skip
    first = START + 40 * DAY
    lake.build(first)
    assert lake.build(first + DAY) == []
    late = fact("b", "late", START + 2 * DAY, START + 3 * DAY)
    lake.delivered.append(late)
    appended = lake.build(first + 2 * DAY)
    assert {who for who, *_ in appended} == {"b"}
    known = round(late.known_at.timestamp() * 1_000_000)
    assert all(k >= known for _, _, k, _ in appended)


def test_a_row_that_came_again_in_another_file_is_no_news(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    lake = Lake(connection, VIEW, "growing")
    again = Row("pay", "f1", "a", START, START, "d", 5)
    lake.delivered = [again]
    lake.build(START + DAY)
    lake.delivered.append(again)
    lake.build(START + DAY)
    assert connection.execute("SELECT count(*) FROM points_mixed").fetchone() == (0,)
