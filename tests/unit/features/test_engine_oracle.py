"""Point in time by three roads: the engine on the sources, the history, and the plain definition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from countersign.declare import Column, Entity, Feature, FeatureView, Source, Window
from countersign.features import asof, duck, history, pointintime
from countersign.features.engine import create_stream
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .oracle import Row, same, value

START = datetime(2026, 1, 28, tzinfo=UTC)
TICK = timedelta(microseconds=1)
COLUMNS = (
    Column(name="fact", type="string"),
    Column(name="who", type="string"),
    Column(name="amount", type="integer", nullable=True),
    Column(name="flag", type="boolean"),
    Column(name="at", type="timestamp"),
    Column(name="known_at", type="timestamp"),
)
PAY, ISSUE = (
    Source(name=name, description=name, owner="t", columns=COLUMNS, key=("fact",), event_time="at")
    for name in ("pay", "issue")
)
WHO = Entity(name="who", key="who", buckets=2)
WEEK = Window(duration=timedelta(days=7))
VIEW = FeatureView(
    name="mixed",
    entity=WHO,
    source=PAY,
    also=(ISSUE,),
    description="every aggregation over every kind of window",
    owner="t",
    ttl=timedelta(days=60),
    features=(
        Feature(name="mean", description="", aggregation="mean", expression="amount", window=WEEK),
        Feature(name="std", description="", aggregation="std", expression="amount", window=Window(months=2)),
        Feature(name="total", description="", aggregation="sum", expression="amount", window=Window(year_to_date=True)),
        Feature(name="issues", description="", aggregation="count", source="issue", window=Window(months=1, include_current=True)),
        Feature(name="flagged", description="", aggregation="count", source="*", where="flag", window=Window(duration=timedelta(days=3), include_current=True)),
        Feature(name="delayed", description="", aggregation="rate", expression="flag", source="*", window=Window(duration=timedelta(days=5), delay=timedelta(days=2))),
        Feature(name="low", description="", aggregation="min", expression="amount"),
        Feature(name="high", description="", aggregation="max", expression="amount", window=WEEK),
        Feature(name="kinds", description="", aggregation="distinct", expression="amount"),
        Feature(name="slope", description="", aggregation="trend", expression="amount", window=Window(months=3)),
        Feature(name="latest", description="", aggregation="last", expression="amount"),
        Feature(name="since", description="", aggregation="days_since"),
        Feature(name="first", description="", aggregation="days_since_first", window=Window(months=1)),
        Feature(name="moved", description="", aggregation="percent_change", expression="amount", window=Window(months=2)),
    ),
)  # fmt: skip
BOUNDED = FeatureView(
    name="bounded",
    entity=WHO,
    source=PAY,
    description="bounded windows only, so that rows out of reach are not even read",
    owner="t",
    ttl=timedelta(days=12),
    features=(VIEW.features[0], VIEW.features[7]),
)

# Few distinct moments, so that ties, edges and overlaps are common.
moments = st.builds(
    lambda days, nudge: START + timedelta(days=days) + nudge * TICK,
    st.sampled_from([0, 1, 2, 4, 5, 7, 8, 11, 33, 40]),
    st.sampled_from([-1, 0, 0, 0, 0, 1]),
)
rows = st.builds(
    Row,
    source=st.sampled_from(["pay", "pay", "issue"]),
    key=st.sampled_from(["f1", "f2", "f3", "f4", "f5"]),
    entity=st.sampled_from(["a", "a", "b"]),
    event_time=moments,
    known_at=moments,
    digest=st.sampled_from(["d0", "d1", "d2", "d3"]),
    amount=st.one_of(st.none(), st.integers(-5, 100)),
    flag=st.booleans(),
    deleted=st.sampled_from([False, False, False, True]),
).map(lambda row: replace(row, digest=f"{row.digest}-{row.source}-{row.key}"))


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection: duckdb.DuckDBPyConnection = duck.connect()
    return connection


def load(connection: duckdb.DuckDBPyConnection, delivered: Sequence[Row]) -> None:
    for source in (PAY, ISSUE):
        duck.register_source(connection, source, [])
        mine = [r for r in delivered if r.source == source.name]
        for r in mine:
            connection.execute(
                f"INSERT INTO source_{source.name}_shape BY NAME SELECT ? AS fact, ? AS who, ?::BIGINT AS amount, "
                "?::BOOLEAN AS flag, ?::TIMESTAMPTZ AS event_time, ?::TIMESTAMPTZ AS known_at, "
                "?::BOOLEAN AS _deleted, ? AS _digest",
                [r.key, r.entity, r.amount, r.flag, r.event_time.isoformat(), r.known_at.isoformat(), r.deleted, r.digest],
            )  # fmt: skip


def spine(connection: duckdb.DuckDBPyConnection, asked: Sequence[tuple[str, datetime]]) -> None:
    connection.execute("CREATE OR REPLACE TEMP TABLE spine (n INT, who VARCHAR, as_of TIMESTAMPTZ)")
    for number, (entity, moment) in enumerate(asked):
        connection.execute(
            "INSERT INTO spine VALUES (?, ?, ?::TIMESTAMPTZ)", [number, entity, moment.isoformat()]
        )


def unique_versions(delivered: Sequence[Row]) -> list[Row]:
    """A digest stands for a content: two contents of one fact at one moment have two digests."""
    seen: dict[tuple[str, str, datetime, str], Row] = {}
    for row in delivered:
        seen.setdefault((row.source, row.key, row.known_at, row.digest), row)
    return list(seen.values())


def answers(
    connection: duckdb.DuckDBPyConnection, view: FeatureView, sql: str
) -> dict[str, list[float | None]]:
    columns = ", ".join(f'"{f.name}"' for f in view.features)
    found = connection.execute(f"SELECT {columns} FROM ({sql}) ORDER BY n").fetchall()
    return {f.name: [row[n] for row in found] for n, f in enumerate(view.features)}


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    delivered=st.lists(rows, max_size=14).map(unique_versions),
    asked=st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), moments), min_size=1, max_size=6),
)  # fmt: skip
@pytest.mark.parametrize("view", [VIEW, BOUNDED], ids=lambda v: v.name)
def test_engine_history_and_definition_agree(
    connection: duckdb.DuckDBPyConnection,
    view: FeatureView,
    delivered: list[Row],
    asked: list[tuple[str, datetime]],
) -> None:
    load(connection, [*delivered, *delivered[:3]])  # a row delivered twice changes nothing
    spine(connection, asked)
    end = START + timedelta(days=50)
    built = history.create_history(connection, view, as_of=end, built_at=end)
    stream = create_stream(connection, view, known_by=duck.timestamp(end))
    direct = answers(connection, view, pointintime.direct_sql(view, stream, "spine"))
    joined = answers(connection, view, asof.join_sql(connection, "spine", [(view, built)]))
    for feature in view.features:
        for number, (entity, moment) in enumerate(asked):
            mine = [r for r in delivered if r.source in {s.name for s in view.sources()}]
            wanted = value(view, feature, mine, entity, moment)
            context = (feature.name, entity, moment, wanted)
            assert same(direct[feature.name][number], wanted), (
                context,
                direct[feature.name][number],
            )
            assert same(joined[feature.name][number], wanted), (
                context,
                joined[feature.name][number],
            )
