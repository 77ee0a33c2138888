"""The join of a spine with histories: late rows, versions, rebuilds and copies, held against plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import duckdb
import pytest
from countersign.declare import Column, Entity, Feature, FeatureView, Source
from countersign.features import asof, duck
from countersign.features.definition import definition_digest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

START = datetime(2026, 3, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
TTL = timedelta(days=5)
SOURCE = Source(
    name="seen",
    description="",
    owner="t",
    columns=(Column(name="x", type="number"), Column(name="at", type="timestamp")),
    key=("at",),
    event_time="at",
)


def view(name: str) -> FeatureView:
    return FeatureView(
        name=name,
        entity=Entity(name="who", key="who"),
        source=SOURCE,
        description="",
        owner="t",
        ttl=TTL,
        features=(Feature(name=f"{name}_x", description="", aggregation="last", expression="x"),),
    )


LEFT, RIGHT = view("left"), view("right")


class Built(NamedTuple):
    """A row of a history, in the order in which rows outrank one another."""

    event_time: datetime
    known_at: datetime
    built_at: datetime
    digest: str
    entity: str
    x: float | None
    newest: datetime


moments = st.builds(
    lambda days, nudge: START + timedelta(days=days) + nudge * TICK,
    st.sampled_from([0, 1, 2, 3, 6, 9]),
    st.sampled_from([-1, 0, 0, 0, 1]),
)
built = st.builds(
    lambda e, late, again, digest, entity, x, age: Built(
        e, e + late, e + late + again, digest, entity, x, e - age
    ),
    moments,
    st.sampled_from([0 * TICK, 0 * TICK, TICK, timedelta(days=1), timedelta(days=4)]),
    st.sampled_from([0 * TICK, 0 * TICK, timedelta(days=2)]),
    st.sampled_from(["d1", "d2", "d3"]),
    st.sampled_from(["a", "a", "b"]),
    st.one_of(st.none(), st.integers(0, 9).map(float)),
    st.sampled_from([0 * TICK, TTL, TTL - TICK]),
)


def one_content(rows: Sequence[Built]) -> list[Built]:
    """A digest stands for a content."""
    seen: dict[tuple[object, ...], Built] = {}
    for row in rows:
        seen.setdefault((row.entity, *row[:4]), row)
    return list(seen.values())


histories = st.lists(built, max_size=12).map(one_content)


def stands(rows: Sequence[Built], entity: str, moment: datetime) -> Built | None:
    visible = [r for r in rows if r.entity == entity and max(r.event_time, r.known_at) <= moment]
    return max(visible, key=lambda r: r[:4], default=None)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection: duckdb.DuckDBPyConnection = duck.connect()
    return connection


def load(connection: duckdb.DuckDBPyConnection, of: FeatureView, rows: Sequence[Built]) -> str:
    name = f"built_{of.name}"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} (event_time TIMESTAMPTZ, known_at TIMESTAMPTZ, "
        f"_built_at TIMESTAMPTZ, _digest VARCHAR, entity_id VARCHAR, {of.name}_x DOUBLE, "
        f"_newest_fact_at TIMESTAMPTZ, _definition VARCHAR, _latest_seen DOUBLE)"
    )
    for digest, kept in ((definition_digest(of), rows), ("another", rows[:2])):
        for row in kept:
            connection.execute(
                f"INSERT INTO {name} VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)", [*row, digest]
            )
    return name


@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    left=histories,
    right=histories,
    asked=st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), moments), max_size=8),
    copies=st.integers(0, 3),
)
def test_what_stands_is_the_greatest_of_what_was_visible(
    connection: duckdb.DuckDBPyConnection,
    left: list[Built],
    right: list[Built],
    asked: list[tuple[str, datetime]],
    copies: int,
) -> None:
    """A file that was written twice changes nothing, and every row of the spine stays, once."""
    connection.execute("CREATE OR REPLACE TEMP TABLE asked (n INT, who VARCHAR, as_of TIMESTAMPTZ)")
    for number, (entity, moment) in enumerate(asked):
        connection.execute("INSERT INTO asked VALUES (?, ?, ?)", [number, entity, moment])
    pairs = [
        (of, load(connection, of, [*rows, *rows[:copies]]))
        for of, rows in ((LEFT, left), (RIGHT, right))
    ]
    found = connection.execute(
        "SELECT n, left_x, epoch_us(left__event_time), epoch_us(left__known_at), right_x "
        f"FROM ({asof.join_sql(connection, 'asked', pairs)}) ORDER BY n"
    ).fetchall()
    assert len(found) == len(asked)
    for (number, left_x, event_us, known_us, right_x), (entity, moment) in zip(
        found, asked, strict=True
    ):
        best = stands(left, entity, moment)
        other = stands(right, entity, moment)
        assert asked[number] == (entity, moment)
        assert left_x == (best.x if best and moment - best.newest <= TTL else None)
        assert event_us == (microseconds(best.event_time) if best else None)
        assert known_us == (microseconds(best.known_at) if best else None)
        assert right_x == (other.x if other and moment - other.newest <= TTL else None)


def microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // TICK


def test_a_late_row_does_not_outrank_a_newer_event(connection: duckdb.DuckDBPyConnection) -> None:
    newer = Built(START + timedelta(days=1), START + timedelta(days=1), START, "d", "a", 2.0, START)
    late = Built(START, START + timedelta(days=2), START, "d", "a", 1.0, START)
    history = load(connection, LEFT, [newer, late])
    moment = START + timedelta(days=3)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE asked AS SELECT 'a' AS who, ?::TIMESTAMPTZ AS as_of", [moment]
    )
    rows = asof.join_sql(connection, "asked", [(LEFT, history)])
    assert connection.execute(f"SELECT left_x FROM ({rows})").fetchall() == [(2.0,)]
