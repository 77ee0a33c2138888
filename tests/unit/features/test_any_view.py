"""Views that nobody wrote: random features over random lives, by every road, against the definition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import duckdb
import pytest
from countersign.declare import Aggregation, Feature, FeatureView, Window
from countersign.features import asof, duck, packing, pointintime
from countersign.features.engine import create_stream, stored_columns
from countersign.features.history import create_history
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .lab import DAY, ISSUE, PAY, TICK, utc, view
from .oracle import Row, carried, same, value
from .test_engine_oracle import unique_versions

# Months of 31, 28 and 29 days, the ends of years, and a week on either side.
STARTS = ("2023-12-27", "2024-02-25", "2025-02-25", "2025-12-28", "2026-01-28")
SPANS: list[dict[str, Any]] = [
    {}, {"months": 1}, {"months": 2}, {"months": 3}, {"year_to_date": True},
    {"duration": 7 * DAY}, {"duration": 3 * DAY}, {"duration": TICK},
]  # fmt: skip
windows = st.builds(
    lambda span, include, delay: Window(**span, include_current=include, delay=delay),
    st.sampled_from(SPANS),
    st.booleans(),
    st.sampled_from([0 * DAY, 0 * DAY, 0 * DAY, TICK, 2 * DAY, 35 * DAY]),
)
conditions = st.sampled_from(["", "", "flag", "NOT flag", "amount > 9", "_source = 'pay'"])


@st.composite
def features(draw: st.DrawFn) -> Feature:
    aggregation = draw(st.sampled_from(get_args(Aggregation)))
    expression = {
        "rate": st.sampled_from(["flag", "amount > 9"]),
        "count": st.sampled_from(["1", "amount"]),
        "days_since": st.just("1"),
        "days_since_first": st.just("1"),
    }.get(aggregation, st.just("amount"))
    return Feature(
        name="",
        description="",
        aggregation=aggregation,
        expression=draw(expression),
        denominator=draw(conditions) if aggregation == "rate" else "",
        where=draw(conditions),
        source=draw(st.sampled_from(["", "issue", "*"])),
        window=draw(st.one_of(st.none(), windows)),
    )


@st.composite
def views(draw: st.DrawFn) -> FeatureView:
    """Those that carry an id have a window over all history, so that every fact is in reach."""
    chosen = draw(st.lists(features(), min_size=1, max_size=4))
    carries = draw(st.booleans())
    if carries:
        chosen.append(Feature(name="", description="", aggregation="count", source="*"))
    named = [replace(feature, name=f"f{n}") for n, feature in enumerate(chosen)]
    ttl = draw(st.sampled_from([5 * DAY, 40 * DAY, 4000 * DAY]))
    return view(*named, ttl=ttl, also=(ISSUE,), carries=("team",) if carries else ())


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[Row], list[tuple[str, datetime]]]:
    """Deliveries of few facts with many versions around an edge of the calendar, and questions."""
    start = utc(draw(st.sampled_from(STARTS)))
    moments = st.builds(
        lambda days, nudge: start + timedelta(days=days) + nudge * TICK,
        st.sampled_from([0, 1, 3, 4, 5, 7, 8, 11, 34, 35, 64]),
        st.sampled_from([-1, 0, 0, 0, 1]),
    )
    rows = st.builds(
        lambda late, row: replace(
            row, known_at=row.event_time + late, digest=f"{row.digest}-{row.source}-{row.key}"
        ),
        st.sampled_from([0 * DAY, 0 * DAY, 0 * DAY, TICK, 2 * DAY, 9 * DAY, -3 * DAY]),
        st.builds(
            Row,
            source=st.sampled_from(["pay", "pay", "issue"]),
            key=st.sampled_from(["k1", "k2", "k3", "k4"]),
            entity=st.sampled_from(["a", "a", "a", "b"]),
            event_time=moments,
            known_at=moments,
            digest=st.sampled_from(["d0", "d1", "d2", "d3"]),
            amount=st.one_of(st.none(), st.integers(-5, 20), st.sampled_from([10**13, -(10**13)])),
            flag=st.booleans(),
            deleted=st.sampled_from([False, False, False, True]),
            team=st.sampled_from([None, "red", "blue"]),
        ),
    )
    delivered = unique_versions(draw(st.lists(rows, max_size=12)))
    asked = draw(st.lists(st.tuples(st.sampled_from(["a", "a", "b", "c"]), moments), min_size=1, max_size=5))  # fmt: skip
    return delivered, asked


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection: duckdb.DuckDBPyConnection = duck.connect()
    return connection


def load(connection: Any, delivered: Sequence[Row]) -> None:
    for source in (PAY, ISSUE):
        duck.register_source(connection, source, [])
        rows = [
            f"('{r.key}', '{r.entity}', {sql(r.amount)}, {r.flag}, {sql(r.team)}, '{r.event_time}', "
            f"'{r.known_at}', {r.deleted}, '{r.digest}')"
            for r in delivered
            if r.source == source.name
        ]
        if rows:
            connection.execute(
                f"INSERT INTO source_{source.name}_shape (fact, who, amount, flag, team, event_time, "
                f"known_at, _deleted, _digest) VALUES {', '.join(rows)}"
            )


def sql(value: object) -> str:
    return "NULL" if value is None else f"'{value}'"


def answers(connection: Any, of: FeatureView, joined: str) -> list[tuple[Any, ...]]:
    columns = ", ".join(f"f{n}" for n in range(len(of.features)))
    found: list[tuple[Any, ...]] = connection.execute(
        f"SELECT {columns} FROM ({joined}) ORDER BY n"
    ).fetchall()
    return found


def online(
    connection: Any, of: FeatureView, history: str, entity: str, moment: datetime
) -> tuple[Any, ...]:
    """What a request at the moment is served: packed and unpacked, and the ids carried."""
    at = f"({duck.timestamp(moment)} AT TIME ZONE 'UTC')"
    ids = "".join(f', "_id_{column}"' for column in of.carries)
    numbers = ", ".join(f'"{name}"' for name in stored_columns(of))
    row = connection.execute(
        f"SELECT {numbers}{ids} FROM ({pointintime.latest_sql(of, history, at)}) WHERE entity_id = ?",
        [entity],
    ).fetchone()
    if row is None:
        return (*[None] * len(of.features), *[None] * len(of.carries))
    count = len(stored_columns(of))
    held = packing.unpack(of, packing.pack(of, row[:count]))
    return (*packing.serve(of, held, moment).values(), *row[count:])


@settings(
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(of=views(), life=lives())
def test_every_road_gives_what_the_definition_says(
    connection: Any, of: FeatureView, life: tuple[list[Row], list[tuple[str, datetime]]]
) -> None:
    """Direct, by the history, and online: one value, that of the brute-force oracle.

    Online at each moment from what could be built then, and from what was built at the end.
    """
    delivered, asked = life
    load(connection, delivered)
    connection.execute("CREATE OR REPLACE TEMP TABLE spine (n INT, who VARCHAR, as_of TIMESTAMPTZ)")
    for number, (entity, moment) in enumerate(asked):
        connection.execute("INSERT INTO spine VALUES (?, ?, ?)", [number, entity, moment])
    end = datetime(2026, 12, 1, tzinfo=UTC)
    history = create_history(connection, of, as_of=end, built_at=end)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE whole AS FROM {history}")
    stream = create_stream(connection, of, known_by=duck.timestamp(end))
    direct = answers(connection, of, pointintime.direct_sql(of, stream, "spine"))
    joined = answers(connection, of, asof.join_sql(connection, "spine", [(of, history)]))
    for number, (entity, moment) in enumerate(asked):
        wanted = [value(of, feature, delivered, entity, moment) for feature in of.features]
        late = online(connection, of, "whole", entity, moment)
        built = create_history(connection, of, as_of=moment, built_at=moment)
        served = online(connection, of, built, entity, moment)
        for road, found in (("direct", direct[number]), ("joined", joined[number]), ("online", served), ("later", late)):  # fmt: skip
            for feature, one, other in zip(of.features, found, wanted, strict=False):
                assert same(one, other), (road, feature, entity, moment, one, other)
        ids = [carried(of, column, delivered, entity, moment) for column in of.carries]
        assert [*served[len(of.features) :]] == ids, (entity, moment)
        assert [*late[len(of.features) :]] == ids, (entity, moment)
