"""On any history: the audit flags a column exactly when a value in it is not that of the plain definition."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from countersign.features import duck
from countersign.features.recompute import TOLERANCE, audit_view
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .oracle import Row, value
from .test_engine_oracle import START, VIEW, load, moments, rows

BY = datetime(2027, 1, 1, tzinfo=UTC)
# A slope is kept to nine digits of its rows' scale, and may itself be far smaller than they: the oracle's
# own digits would be flagged.
NAMES = tuple(f.name for f in VIEW.features if f.aggregation != "trend")


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    made = duck.connect()
    yield made
    made.close()


def put(connection: Any, asked: list[tuple[str, datetime]], values: list[dict[str, Any]]) -> None:
    columns = ", ".join(f'"{name}" DOUBLE' for name in NAMES)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE own (_row BIGINT, who VARCHAR, as_of TIMESTAMPTZ, {columns})"
    )
    marks = ", ".join("?" * (3 + len(NAMES)))
    for n, ((who, moment), row) in enumerate(zip(asked, values, strict=True)):
        cells = [n + 1, who, moment.isoformat(), *(row[name] for name in NAMES)]
        connection.execute(f"INSERT INTO own VALUES ({marks})", cells)


def honest(delivered: list[Row], who: str, moment: datetime) -> dict[str, Any]:
    features = [f for f in VIEW.features if f.name in NAMES]
    return {f.name: value(VIEW, f, delivered, who, moment) for f in features}


def equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= TOLERANCE * max(abs(one), abs(other))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    delivered=st.lists(rows, max_size=12, unique_by=lambda row: row.digest),
    asked=st.lists(st.tuples(st.sampled_from(["a", "b"]), moments), min_size=1, max_size=4),
    name=st.sampled_from(NAMES),
    place=st.integers(0, 3),
    planted=st.one_of(st.none(), st.integers(-5, 100).map(float), moments),
)
def test_a_planted_value_is_flagged_when_it_differs_and_only_then(
    connection: duckdb.DuckDBPyConnection,
    delivered: list[Row],
    asked: list[tuple[str, datetime]],
    name: str,
    place: int,
    planted: float | datetime | None,
) -> None:
    """Planted: null, any number, or the feature's value at another moment, by then."""
    load(connection, delivered)
    values = [honest(delivered, who, moment) for who, moment in asked]
    place %= len(asked)
    true = values[place][name]
    if isinstance(planted, datetime):
        written = honest(delivered, asked[place][0], planted)[name]
    else:
        written = planted
    values[place][name] = written
    put(connection, asked, values)
    found = {row["column"]: row for row in audit_view(connection, VIEW, "own", NAMES, by=BY)}
    flagged = [column for column, row in found.items() if row["verdict"] != "proven"]
    assert flagged == ([] if equal(written, true) else [name])
    if flagged:
        assert found[name]["examples"] == [place + 1]
        assert found[name]["differing"] == 1


def test_what_was_true_before_and_known_after_is_called_so(connection: Any) -> None:
    at, late = START, START + timedelta(days=30)
    fact = Row("pay", "f1", "a", at, at, "d0", amount=10)
    corrected = Row("pay", "f1", "a", at, late, "d1", amount=70)
    load(connection, [fact, corrected])
    moment = at + timedelta(days=1)
    row = honest([fact, corrected], "a", moment)
    assert row["latest"] == 10
    put(connection, [("a", moment)], [{**row, "latest": 70.0}])
    (found,) = audit_view(connection, VIEW, "own", ["latest"], by=BY)
    assert (found["verdict"], found["known_after"], found["true_after"]) == ("leak", 1, 0)
    assert found["slack_seconds"] == 86_400
