"""One definition yields everything: for each declared feature of each use case, served or trained only.

Driven by the declarations: rows are made from what the sources declare, so a new use case adds its tests.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from countersign import use_cases
from countersign.declare import Column, Feature, FeatureView, Source, UseCase
from countersign.features import asof, contract, duck, packing, pointintime, quality, reading
from countersign.features import request_time as at_request
from countersign.features.definition import registry_rows
from countersign.features.engine import create_stream, stored_columns
from countersign.features.history import create_history

from .test_requirements import BUILD, ROOT
from .test_use_cases import body_of, features_of, names

CASES = [*use_cases.all_use_cases().values(), *use_cases.trained_only().values()]
VIEWS = {view.name: (case, view) for case in CASES for view in case.views}
NOW = datetime(2026, 11, 21, 5, 47, tzinfo=UTC)
ENTITIES = ("e-1", "e-2")
TEXTS = {
    "feature_name", "view", "description", "owner", "kind", "computation_logic", "source_table",
    "boundary", "code_digest",
}  # fmt: skip
every_case = pytest.mark.parametrize("case", CASES, ids=names)
every_view = pytest.mark.parametrize(("case", "view"), VIEWS.values(), ids=names)


class Lived:
    """A session with some months of made facts of a view's sources, taken in by their contracts."""

    def __init__(self, view: FeatureView, folder: Path) -> None:
        self.view, self.connection = view, duck.connect(folder)
        self._chance = random.Random(7)
        for source in view.sources():
            path = folder / f"{source.name}.jsonl"
            rows = [self._fact(source, n) for n in range(80)]
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
            names, unreadable = reading.read_raw(self.connection, path, "jsonl")
            contract.check_schema(source, names)
            found = contract.check_rows(self.connection, source, names, unreadable, now=NOW)
            assert not found.findings, found.findings
            target = path.with_suffix(".parquet")
            accepted = contract.accepted_sql(source)
            self.connection.execute(f"COPY ({accepted}) TO '{target}' (FORMAT parquet)")
            duck.register_source(self.connection, source, [target])

    def _fact(self, source: Source, number: int) -> dict[str, Any]:
        happened = NOW - timedelta(days=self._chance.uniform(1, 120))
        made = {column.name: self._value(column, number, happened) for column in source.columns}
        made[self.view.entity.key] = self._chance.choice(ENTITIES)
        late = timedelta(hours=self._chance.choice([0, 0, 1, 30]))
        return made | {source.known_at: min(happened + late, NOW).isoformat()}

    def _value(self, column: Column, number: int, happened: datetime) -> Any:
        if column.nullable and number % 7 == 3:
            return None
        if column.allowed:
            return self._chance.choice(column.allowed)
        low = 0 if column.minimum is None else column.minimum
        high = min(low + 5_000, math.inf if column.maximum is None else column.maximum)
        return {
            "string": f"{column.name}-{number}",
            "integer": self._chance.randint(math.ceil(low), math.floor(high)),
            "number": self._chance.uniform(low, high),
            "boolean": self._chance.random() < 0.5,
            "date": f"{happened:%Y-%m-%d}",
            "timestamp": happened.isoformat(),
        }[column.type]

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.connection.execute(sql).fetchall()
        return found


@pytest.fixture
def lived(view: FeatureView, tmp_path: Path) -> Iterator[Lived]:
    made = Lived(view, tmp_path)
    yield made
    made.connection.close()


@every_view
def test_batch_training_and_online_values_are_one(
    case: UseCase, view: FeatureView, lived: Lived
) -> None:
    """Direct, joined from history, and served online after packing, at moments of the past and now."""
    moments = [NOW - timedelta(days=days, hours=days) for days in (0, 1, 9, 40, 100)]
    asked = [(entity, moment) for entity in (*ENTITIES, "e-0") for moment in moments]
    lived.connection.execute(
        f"CREATE TABLE asked (_n INT, {view.entity.key} VARCHAR, as_of TIMESTAMPTZ)"
    )
    for number, (entity, moment) in enumerate(asked):
        lived.connection.execute("INSERT INTO asked VALUES (?, ?, ?)", [number, entity, moment])
    columns = ", ".join(f'"{feature.name}"' for feature in view.features)
    history = create_history(lived.connection, view, as_of=NOW, built_at=NOW)
    stream = create_stream(lived.connection, view, known_by=duck.timestamp(NOW))
    direct = pointintime.direct_sql(view, stream, "asked")
    batch = lived.ask(f"SELECT {columns} FROM ({direct}) ORDER BY _n")
    joined = asof.join_sql(lived.connection, "asked", [(view, history)])
    training = lived.ask(f"SELECT {columns} FROM ({joined}) ORDER BY _n")
    online = [tuple(served(lived, history, *one)) for one in asked]
    assert online == training
    for one, other in zip(batch, training, strict=True):
        assert numbers(one) == pytest.approx(numbers(other), rel=1e-9, nan_ok=True)
    assert any(value is not None for row in training for value in row)
    assert training[-1] == (None,) * len(view.features)


def numbers(row: tuple[Any, ...]) -> list[float]:
    return [math.nan if value is None else value for value in row]


def served(lived: Lived, history: str, entity: str, moment: datetime) -> Iterator[float | None]:
    """What stands online at the moment, through its bytes."""
    columns = ", ".join(f'"{name}"' for name in stored_columns(lived.view))
    at = f"({duck.timestamp(moment)} AT TIME ZONE 'UTC')"
    latest = pointintime.latest_sql(lived.view, history, at)
    found = lived.ask(f"SELECT {columns} FROM ({latest}) WHERE entity_id = '{entity}'")
    held = packing.unpack(lived.view, packing.pack(lived.view, found[0])) if found else None
    yield from packing.serve(lived.view, held, moment).values()


@every_view
def test_values_are_held_against_declared_expectations(
    case: UseCase, view: FeatureView, lived: Lived
) -> None:
    """The quality log has a row for each feature, and each declares a range to be held against."""
    history = create_history(lived.connection, view, as_of=NOW, built_at=NOW)
    rows = quality.quality_rows(lived.connection, view, history, NOW)
    assert [row["feature_name"] for row in rows] == [feature.name for feature in view.features]
    wanted = {"date", "null_rate", "mean", "std", "min", "max", "out_of_range_count"}
    assert all(wanted <= set(row) for row in rows)


@every_view
def test_a_view_computes_over_an_empty_stream(case: UseCase, view: FeatureView) -> None:
    with duck.connect() as connection:
        for source in view.sources():
            duck.register_source(connection, source, [])
        history = create_history(connection, view, as_of=NOW, built_at=NOW)
        assert connection.execute(f"SELECT count(*) FROM {history}").fetchone() == (0,)
        rows = quality.quality_rows(connection, view, history, NOW)
    assert [row["rows"] for row in rows] == [0] * len(view.features)


@every_case
def test_registry_rows_are_complete(case: UseCase) -> None:
    for row in registry_rows(case):
        name = row["feature_name"]
        assert not [field for field in TEXTS if not str(row[field]).strip()], name
        assert len(row["code_digest"]) == 16, name
        assert row["freshness_sla"] in {"real-time", "daily", "weekly"}, name
        assert row["maximum_staleness_seconds"] >= 0, name
        assert row["kind"] in {"batch", "windowed", "request-time"}, name
        assert row["nulls"] in {"refuse", "keep", "zero", "fill"}, name
        assert isinstance(row["critical"], bool), name


@every_case
def test_every_feature_declares_a_range_and_how_old_it_may_be(case: UseCase) -> None:
    for feature in features_of(case):
        low, high = feature.valid
        assert low < high, feature.name
        assert math.isfinite(low) or math.isfinite(high), f"{feature.name} declares no range"
        if isinstance(feature, Feature):
            assert feature.sla > timedelta(0), feature.name


@every_case
def test_a_request_feature_reads_a_body_and_a_training_row_alike(case: UseCase) -> None:
    """A training row writes a day as a moment; the value is the same, and so is every one's type."""
    row = at_request.row_of(case, body_of(case))
    dates = {f.path.rpartition(".")[2] for f in case.request_fields if f.type == "date"}
    frozen = row | {name: f"{row[name]}T00:00:00.000000Z" for name in dates}
    usual = {f.name: 1.5 for view in case.views for f in view.features}
    for known in ({}, usual):
        assert at_request.compute(case, frozen, known) == at_request.compute(case, row, known)


@every_case
def test_every_feature_is_on_the_page(case: UseCase) -> None:
    page = (ROOT / "docs/features.md").read_text()
    for row in registry_rows(case):
        assert f"| `{row['feature_name']}`" in page, "run `make docs`"


def test_the_page_of_features_is_current() -> None:
    assert (ROOT / "docs/features.md").read_text() == BUILD.features_page(), "run `make docs`"


def test_the_payroll_pack_is_twenty_declared_features() -> None:
    rows = {row["feature_name"]: row for row in registry_rows(use_cases.get("payroll_anomaly"))}
    assert len(set(BUILD.PAYROLL_PACK)) == 20
    assert set(BUILD.PAYROLL_PACK) <= set(rows)
    assert {rows[name]["kind"] for name in BUILD.PAYROLL_PACK} == {"windowed", "request-time"}
