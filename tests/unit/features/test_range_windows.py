"""The single pass over sorted rows gives what the join gives, and is taken only where it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import duckdb
import pytest
from countersign.declare import Feature, FeatureView, Window
from countersign.features import duck, engine, range_windows
from countersign.features.values import values_sql
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .oracle import Row
from .test_engine_oracle import ISSUE, PAY, START, TICK, VIEW, WHO, load, moments, unique_versions

DAY = timedelta(days=1)
SPANS = {
    "ever": Window(),
    "by_now": Window(include_current=True),
    "week": Window(duration=7 * DAY),
    "week_and_now": Window(duration=7 * DAY, include_current=True),
    "tick": Window(duration=TICK),
    "this_tick": Window(duration=TICK, include_current=True),
    "late_known": Window(duration=4 * DAY, delay=DAY),
    "late_known_and_now": Window(duration=4 * DAY, delay=DAY, include_current=True),
    "month": Window(months=1),
    "two_months_and_now": Window(months=2, include_current=True),
    "late_known_month": Window(months=1, delay=4 * DAY),
    "year": Window(year_to_date=True),
    "late_known_year_and_now": Window(year_to_date=True, delay=33 * DAY, include_current=True),
}
KINDS = {
    "count": Feature(name="", description="", aggregation="count"),
    "present": Feature(name="", description="", aggregation="count", expression="amount"),
    "sum": Feature(name="", description="", aggregation="sum", expression="amount", where="flag"),
    "mean": Feature(name="", description="", aggregation="mean", expression="amount", source="*"),
    "min": Feature(name="", description="", aggregation="min", expression="amount"),
    "max": Feature(name="", description="", aggregation="max", expression="-amount", source="issue"),
    "std": Feature(name="", description="", aggregation="std", expression="amount"),
    "rate": Feature(name="", description="", aggregation="rate", expression="flag", source="*"),
    "share": Feature(name="", description="", aggregation="rate", expression="flag AND amount > 9", denominator="amount > 9"),
    "kinds": Feature(name="", description="", aggregation="distinct", expression="amount", source="*"),
    "since": Feature(name="", description="", aggregation="days_since", where="flag"),
    "first": Feature(name="", description="", aggregation="days_since_first", source="issue"),
}  # fmt: skip


def view_of(spans: Sequence[str], *, ttl: timedelta) -> FeatureView:
    return FeatureView(
        name="fast",
        entity=WHO,
        source=PAY,
        also=(ISSUE,),
        description="",
        owner="t",
        ttl=ttl,
        features=tuple(
            replace(kind, name=f"{name}_{span}", window=SPANS[span])
            for span in spans
            for name, kind in KINDS.items()
        ),
    )


def on_time(row: Row, entity: str) -> Row:
    """A fact with one version, known when it happened."""
    return replace(
        row, key=f"{row.digest}-{row.event_time.isoformat()}-{entity}", entity=entity,
        known_at=row.event_time, deleted=False,
    )  # fmt: skip


facts = st.builds(
    Row,
    source=st.sampled_from(["pay", "pay", "issue"]),
    key=st.sampled_from(["f1", "f2", "f3"]),
    entity=st.just("revised"),
    event_time=moments,
    known_at=moments,
    digest=st.sampled_from(["d0", "d1", "d2"]),
    amount=st.one_of(st.none(), st.integers(-5, 100)),
    flag=st.booleans(),
    deleted=st.sampled_from([False, False, True]),
)
plain = st.builds(on_time, facts, st.sampled_from(["a", "a", "b"]))
asked = st.tuples(
    st.sampled_from(["a", "b", "revised", "unheard"]),
    moments,
    st.sampled_from([0 * TICK, 0 * TICK, TICK, 3 * DAY, -DAY]),
)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection: duckdb.DuckDBPyConnection = duck.connect()
    return connection


def ask(
    connection: duckdb.DuckDBPyConnection, points: Sequence[tuple[str, datetime, timedelta]]
) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE asked (_entity VARCHAR, _e TIMESTAMP, _k TIMESTAMP)"
    )
    for entity, moment, later in points:
        e, k = moment.replace(tzinfo=None), (moment + later).replace(tzinfo=None)
        connection.execute("INSERT INTO asked VALUES (?, ?, ?)", [entity, e, k])


def rows_of(
    connection: duckdb.DuckDBPyConnection, view: FeatureView, sql: str
) -> list[tuple[object, ...]]:
    """Sums of integers are exact on either road; a deviation is compared to ten digits."""
    names = [*engine.stored_columns(view), "_newest"]
    columns = ", ".join(
        f"""format('{{:.10g}}', "{n}")""" if n.startswith("std") else f'"{n}"' for n in names
    )
    found = connection.execute(f"SELECT _entity, _e, _k, {columns} FROM ({sql}) ORDER BY ALL")
    return found.fetchall()


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    revised=st.lists(facts, max_size=6),
    delivered=st.lists(plain, max_size=14),
    points=st.lists(asked, min_size=1, max_size=8),
    spans=st.lists(st.sampled_from(sorted(SPANS)), min_size=1, max_size=3, unique=True),
    ttl=st.sampled_from([2 * DAY, 30 * DAY]),
)
def test_both_roads_give_the_same_values(
    connection: duckdb.DuckDBPyConnection,
    revised: list[Row],
    delivered: list[Row],
    points: list[tuple[str, datetime, timedelta]],
    spans: list[str],
    ttl: timedelta,
) -> None:
    view = view_of(spans, ttl=ttl)
    assert range_windows.serves(view)
    load(connection, unique_versions([*revised, *delivered]))
    ask(connection, points)
    end = duck.timestamp(START + timedelta(days=90))
    stream = engine.create_stream(connection, view, known_by=end)
    chosen = rows_of(connection, view, values_sql(view, stream, "asked"))
    joined = rows_of(connection, view, engine.values_sql(view, stream, "asked"))
    assert chosen == joined


def test_a_late_fact_sends_its_entity_to_the_general_road(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """The single pass alone would count the fact before it was known."""
    view = view_of(["week"], ttl=DAY)
    row = Row("pay", "k", "late", START, START + 2 * DAY, "d", 3)
    load(connection, [row, on_time(row, "timely")])
    ask(connection, [(entity, START + DAY, 0 * TICK) for entity in ("late", "timely")])
    stream = engine.create_stream(connection, view, known_by=duck.timestamp(START + 9 * DAY))

    def counts(sql: str) -> list[float]:
        found = connection.execute(f"SELECT count_week FROM ({sql}) ORDER BY _entity")
        return [count for (count,) in found.fetchall()]

    assert counts(range_windows.values_sql(view, stream, "asked")) == [1, 1]
    assert counts(values_sql(view, stream, "asked")) == [0, 1]


@pytest.mark.parametrize(
    "feature",
    [
        Feature(name="n", description="", aggregation="trend", expression="amount"),
        Feature(name="n", description="", aggregation="last", expression="amount"),
    ],
    ids=["trend", "last"],
)  # fmt: skip
def test_other_views_take_the_general_road(feature: Feature) -> None:
    assert not range_windows.serves(replace(VIEW, features=(feature,)))
