"""Pandera as an independent judge: for every declared source it refuses the same rows as our contract."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from countersign import use_cases
from countersign.declare import Column, Source
from countersign.errors import ContractError
from countersign.features import contract, duck, reading
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

with warnings.catch_warnings():
    # The locked typeguard, which the CDK asks for, is older than pandera likes.
    warnings.simplefilter("ignore", UserWarning)
    import pandera.pandas as pa
    from pandera.errors import SchemaErrors

from tests.unit.use_cases.payroll import slip

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
SOURCES = {
    source.name: source for case in use_cases.all_use_cases().values() for source in case.sources()
}
TEXTS = st.sampled_from(["a", "DE", "W-1", "x y", "0001"])
MOMENTS = st.sampled_from(
    [
        "2026-01-31T10:00:00Z", "2026-11-21T05:00:00+00:00", "2025-06-30T23:30:00.123456+02:00",
        "2031-01-01T00:00:00Z", "1850-01-01T00:00:00Z", "2026-11-21T08:00:00Z", "2026-01-31T10:00:00",
        "yesterday", "2026-13-01T00:00:00Z",
    ]
)  # fmt: skip
DAYS = st.sampled_from(
    [
        "2026-01-31",
        "2026-10-30",
        "2026-02-30",
        "2031-01-01",
        "1850-01-01",
        "31/01/2026",
        "2026-12-01",
    ]
)


def values(column: Column) -> st.SearchStrategy[Any]:
    """Mostly good values, and each way of being bad."""
    low = column.minimum if column.minimum is not None else -1e6
    high = column.maximum if column.maximum is not None else 1e6
    middle = int(max(low, min(high, 10)))
    made: dict[str, st.SearchStrategy[Any]] = {
        "string": st.sampled_from(column.allowed or ("a", "DE", "W-1", "0001")),
        "integer": st.sampled_from([middle, int(low), int(high), int(low) - 1, int(high) + 1]),
        "number": st.sampled_from([float(middle), low, high, low - 1, high * 2 + 1]),
        "boolean": st.sampled_from([True, False, "maybe"]),
        "date": DAYS,
        "timestamp": MOMENTS,
    }
    return st.one_of(
        made[column.type], made[column.type], made[column.type], TEXTS, st.none(), st.just(10**16)
    )


def moment(value: Any) -> datetime | None:
    """A zoned moment, or a day as its midnight in UTC."""
    if not isinstance(value, str):
        return None
    try:
        made = datetime.fromisoformat(value)
    except ValueError:
        return None
    if len(value) == len("2026-01-31"):
        return made.replace(tzinfo=UTC)
    return made if made.tzinfo else None


def fits(column: Column, value: Any) -> bool:
    match column.type:
        case "string":
            return True
        case "integer":
            return whole(value) is not None
        case "number":
            return number(value) is not None
        case "boolean":
            return str(value).lower() in {"true", "false", "0", "1"}
        case "date":
            return moment(value) is not None
        case "timestamp":
            return moment(value) is not None and len(str(value)) > len("2026-01-31")


def number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def whole(value: Any) -> float | None:
    found = number(value)
    return found if found is not None and found.is_integer() and abs(found) < 1e18 else None


def bounded(column: Column, value: Any) -> bool:
    found = number(value)
    if found is None or column.type not in {"integer", "number"}:
        return True
    low = column.minimum is None or found >= column.minimum
    return low and (column.maximum is None or found <= column.maximum)


def in_time(latest: datetime, value: Any) -> bool:
    at = moment(value)
    return at is None or datetime(1900, 1, 1, tzinfo=UTC) <= at <= latest


def schema(source: Source) -> pa.DataFrameSchema:
    """The contract in pandera's words."""
    skew = timedelta(minutes=10)
    latest = {source.event_time: NOW + source.ahead + skew}
    latest[source.known_at] = min(NOW + skew, latest.get(source.known_at, NOW + skew))
    columns = {}
    for c in source.columns:
        checks = [
            pa.Check(lambda v, c=c: fits(c, v), element_wise=True, name="type"),
            pa.Check(lambda v, c=c: bounded(c, v), element_wise=True, name="range"),
        ]
        if c.allowed:
            allowed = set(c.allowed)
            checks.append(
                pa.Check(lambda v, a=allowed: str(v) in a, element_wise=True, name="allowed")
            )
        if c.name in latest:
            until = latest[c.name]
            checks.append(
                pa.Check(lambda v, u=until: in_time(u, v), element_wise=True, name="clock")
            )
        columns[c.name] = pa.Column(object, checks=checks, nullable=c.nullable)
    return pa.DataFrameSchema(columns, strict=True, coerce=False)


def refused_by_pandera(source: Source, rows: list[dict[str, Any]]) -> set[int]:
    frame = pd.DataFrame(rows, columns=[c.name for c in source.columns], dtype=object)
    try:
        schema(source).validate(frame, lazy=True)
    except SchemaErrors as found:
        return {int(index) + 1 for index in found.failure_cases["index"]}
    return set()


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    made = duck.connect()
    yield made
    made.close()


def refused_by_us(
    connection: Any, source: Source, path: Path, rows: list[dict[str, Any]]
) -> set[int]:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    names, unreadable = reading.read_raw(connection, path, "jsonl")
    contract.check_schema(source, names)
    contract.check_rows(connection, source, names, unreadable, now=NOW)
    found = connection.execute(
        f"SELECT _row FROM {contract.CHECKED} WHERE len(_wrong) > 0"
    ).fetchall()
    return {int(row) for (row,) in found}


@pytest.mark.parametrize("name", SOURCES)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_both_refuse_the_same_rows(
    name: str, data: st.DataObject, connection: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = SOURCES[name]
    row = st.fixed_dictionaries({c.name: values(c) for c in source.columns})
    rows = data.draw(st.lists(row, min_size=1, max_size=8))
    path = tmp_path_factory.getbasetemp() / f"{name}.jsonl"
    assert refused_by_us(connection, source, path, rows) == refused_by_pandera(source, rows)


@pytest.mark.parametrize("name", SOURCES)
def test_both_refuse_a_missing_and_a_strange_column(name: str) -> None:
    source = SOURCES[name]
    declared = [c.name for c in source.columns]
    for names in (declared[1:], [*declared, "strange"]):
        with pytest.raises(SchemaErrors):
            schema(source).validate(pd.DataFrame(columns=names, dtype=object), lazy=True)
        with pytest.raises(ContractError):
            contract.check_schema(source, names)


def test_each_kind_of_bad_value_is_refused_by_both(connection: Any, tmp_path: Path) -> None:
    """So that agreeing is not agreeing on nothing."""
    good = slip(1, "2026-06-30", 100_000)
    bad: list[dict[str, Any]] = [
        {"gross_pay_minor": None}, {"gross_pay_minor": -1}, {"gross_pay_minor": 10**14},
        {"gross_pay_minor": "much"}, {"pay_frequency": "hourly"}, {"pay_date": "30.06.2026"},
        {"known_at": "2026-06-30T06:00:00"}, {"known_at": "2026-12-24T06:00:00Z"},
        {"pay_date": "2027-06-30"}, {"pay_date": "1026-06-30"}, {"revision": 0.5},
    ]  # fmt: skip
    rows = [good, *(good | changes for changes in bad)]
    source = SOURCES["payslips"]
    expected = set(range(2, len(rows) + 1))
    assert refused_by_us(connection, source, tmp_path / "bad.jsonl", rows) == expected
    assert refused_by_pandera(source, rows) == expected
