"""The leakage audit of any training set: planted leaks are found and named, honest sets pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from countersign.errors import DataError, NotFoundError, RequestError
from countersign.features import dataset, leakage
from countersign.features.history import create_history
from countersign.features.spine import create_spine
from countersign.steps import freeze_dataset, report
from countersign.steps.freeze_dataset.audit import audit_file, create_own_frame

from tests.unit.reports.test_reports import outline
from tests.unit.use_cases.payroll import USE_CASE, Facts, slip

from .cloud import Cloud
from .test_freeze import errors, freeze, manifest, payroll, prepared

NAME = "payroll_anomaly"
MEAN, CURRENT = "worker_gross_pay_6m_mean", "current_payslip_gross_pay"
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass
class Sets:
    """Delivered facts, and an honest training set of them."""

    facts: Facts
    honest: pd.DataFrame

    def audit(self, frame: pd.DataFrame, folder: Path) -> dict[str, Any]:
        """As a person's file."""
        frame.to_parquet(folder / "own.parquet")
        return self.audit_file(folder / "own.parquet")

    def audit_file(self, path: Path) -> dict[str, Any]:
        connection = self.facts.connection
        frame = create_own_frame(connection, USE_CASE, path, label="label")
        return leakage.audit_frame(connection, USE_CASE, frame, by=NOW, scratch=path.parent)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sets]:
    """Twenty months of nine workers; every eleventh payslip is corrected six weeks later."""
    folder = tmp_path_factory.mktemp("facts")
    rows = payroll(workers=9)
    corrections = [
        row
        | {"gross_pay_minor": row["gross_pay_minor"] * 3, "revision": 1}
        | {"known_at": (pd.Timestamp(row["known_at"]) + pd.Timedelta(days=40)).isoformat()}
        for row in rows[:-30:11]
    ]
    facts = Facts(folder)
    facts.deliver("payslips", [*rows, *corrections])
    facts.deliver("payroll_errors", errors(rows))
    connection = facts.connection
    spine = create_spine(connection, USE_CASE, NOW)
    histories = {
        view.name: create_history(connection, view, as_of=NOW, built_at=NOW)
        for view in USE_CASE.views
    }
    joined = dataset.join_views(connection, USE_CASE, spine, histories)
    table = dataset.create_dataset(connection, USE_CASE, joined, folder)
    connection.execute(
        f"COPY (SELECT * EXCLUDE (_n, _synthetic) FROM {table} ORDER BY _n) "
        f"TO '{folder}/honest.parquet'"
    )
    honest = pd.read_parquet(folder / "honest.parquet")
    yield Sets(facts, honest)
    connection.close()


@pytest.fixture
def frame(sets: Sets) -> pd.DataFrame:
    return sets.honest.copy()


def column(found: dict[str, Any], name: str) -> dict[str, Any]:
    (row,) = [row for row in found["columns"] if row["column"] == name]
    return dict(row)


def test_a_frozen_dataset_is_proven_column_by_column(aws: Cloud) -> None:
    rows = payroll()
    store = prepared(aws, rows, errors(rows))
    frozen = freeze(store)
    request = freeze_dataset.Request(action="audit", use_case=NAME, dataset_id=frozen.dataset_id)
    found = freeze_dataset.run(request, store.stores)
    assert isinstance(found, freeze_dataset.Audited)
    assert (found.rows, found.leaks, found.unknown) == (520, [], [])
    kept = store.stores.lake.read_json(found.audit_key)["audit"]
    proven = {row["column"] for row in kept["columns"] if row["verdict"] == "proven"}
    assert set(manifest(store, frozen)["features"]) - set(found.suspicious) <= proven
    assert column(kept, MEAN)["compared"] == 520
    # A payslip is known six hours after its day; a month later it is what the next mean is made of.
    assert column(kept, MEAN)["slack_seconds"] > 0
    page = report.run(report.Request("dataset", NAME, dataset_id=frozen.dataset_id), store.stores)
    html = store.stores.lake.get(page.report_key).decode()
    drawn = outline(html)
    assert "Leakage audit" in drawn.headings
    assert drawn.outside == []
    assert drawn.drawings >= 1


def test_an_honest_file_of_a_person_passes_as_parquet_and_as_csv(
    sets: Sets, frame: pd.DataFrame, tmp_path: Path
) -> None:
    found = sets.audit(frame, tmp_path)
    assert (found["leaks"], found["unknown"]) == ([], [])
    assert column(found, CURRENT)["compared"] == len(frame)
    frame["as_of"] = frame["as_of"].map(lambda moment: moment.isoformat())
    frame.to_csv(tmp_path / "own.csv", index=False)
    as_csv = sets.audit_file(tmp_path / "own.csv")
    assert [(row["column"], row["verdict"]) for row in as_csv["columns"]] == [
        (row["column"], row["verdict"]) for row in found["columns"]
    ]


def test_a_value_from_after_its_as_of_time_is_found_and_named(
    sets: Sets, frame: pd.DataFrame, tmp_path: Path
) -> None:
    """The next month's mean has the scored payslip in it."""
    after = frame.groupby("worker_id")[MEAN].shift(-1)
    frame[MEAN] = after.fillna(frame[MEAN])
    found = sets.audit(frame, tmp_path)
    assert found["leaks"] == [MEAN]
    row = column(found, MEAN)
    assert row["verdict"] == "leak"
    assert row["true_after"] > 100
    assert len(row["examples"]) == 5
    assert "from after their as-of time" in row["why"]


def test_a_correction_used_before_it_was_known_is_told_from_a_later_fact(
    tmp_path: Path,
) -> None:
    """True before its as-of time, known after it: the hardest leak, and it has its own name."""
    facts = Facts(tmp_path)
    first = slip(1, "2026-06-30", 100_000)
    corrected = first | {
        "gross_pay_minor": 300_000, "revision": 1, "known_at": "2026-08-15T00:00:00Z",
    }  # fmt: skip
    facts.deliver("payslips", [first, corrected])
    own = pd.DataFrame(
        {
            "worker_id": ["W-1", "W-1"],
            "as_of": pd.to_datetime(["2026-07-31", "2026-08-31"], utc=True),
            MEAN: [300_000.0, 300_000.0],
        }
    )
    row = column(Sets(facts, own).audit(own, tmp_path), MEAN)
    assert (row["verdict"], row["known_after"], row["true_after"]) == ("leak", 1, 0)
    assert row["examples"] == [1]
    assert "known only after" in row["why"]


def test_a_value_that_never_was_differs(sets: Sets, frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.loc[7, MEAN] = 123.456
    frame.loc[8, CURRENT] = -1.0
    found = sets.audit(frame, tmp_path)
    assert sorted(found["leaks"]) == sorted([MEAN, CURRENT])
    assert (column(found, MEAN)["verdict"], column(found, MEAN)["differing"]) == ("differs", 1)
    assert column(found, CURRENT)["examples"] == [9]


def test_the_label_in_disguise_is_suspicious(
    sets: Sets, frame: pd.DataFrame, tmp_path: Path
) -> None:
    label = frame["label"].astype(float)
    frame["copied"] = label * 7 + 1
    frame["gap"] = label.where(label == 0)
    frame["serial"] = range(len(frame))
    frame["constant"] = 1.0
    frame["noise"] = [hash(str(n)) % 1000 / 7 for n in range(len(frame))]
    frame["word"] = frame["label"].map({True: "yes", False: "no"})
    found = sets.audit(frame, tmp_path)
    assert {"copied", "gap", "word"} <= set(found["suspicious"])
    assert "noise" not in found["suspicious"]
    assert "null" in column(found, "gap")["separation"]["why"]
    assert column(found, "serial")["separation"]["verdict"] == "identity"
    assert column(found, "constant")["separation"]["verdict"] == "constant"
    assert column(found, "noise")["why"] == "unknown: cannot be proven"
    assert set(found["unknown"]) == {"noise", "serial", "constant"}


def test_of_many_classes_the_one_told_best_counts(sets: Sets, tmp_path: Path) -> None:
    own = pd.DataFrame(
        {
            "as_of": pd.to_datetime(["2026-07-31"] * 300, utc=True),
            "label": ["abc"[n % 3] for n in range(300)],
            "tells_b": [float(n % 3 == 1) for n in range(300)],
            "tells_none": [float(n * 7919 % 101) for n in range(300)],
        }
    )
    found = sets.audit(own, tmp_path)
    assert found["suspicious"] == ["tells_b"]
    assert column(found, "tells_b")["separation"]["class"] == "b"


def test_without_the_keys_nothing_is_proven(
    sets: Sets, frame: pd.DataFrame, tmp_path: Path
) -> None:
    found = sets.audit(frame[["as_of", "label", MEAN, CURRENT]], tmp_path)
    assert (found["leaks"], found["unknown"]) == ([], [MEAN, CURRENT])
    assert "worker_id" in column(found, MEAN)["why"]
    assert "payslip_id" in column(found, CURRENT)["why"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"as_of": "2026-07-31T00:00:00"}, "no as_of with a time zone"),
        ({"as_of": pd.Timestamp("2026-07-31")}, "needs as_of"),
        ({"worker_id": 1}, "expected VARCHAR"),
    ],
)
def test_a_set_that_cannot_be_placed_is_refused(
    changes: dict[str, Any], told: str, sets: Sets, frame: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=told):
        sets.audit(frame.assign(**changes), tmp_path)


def test_bad_requests_are_refused(aws: Cloud, tmp_path: Path) -> None:
    ask = freeze_dataset.Request
    for request in (
        ask(use_case=NAME, action="audit"),
        ask(use_case=NAME),
        ask(use_case=NAME, action="guess"),
    ):
        with pytest.raises(RequestError):
            freeze_dataset.run(request, aws.stores)
    with pytest.raises(NotFoundError):
        freeze_dataset.run(ask(use_case=NAME, action="audit", dataset_id="x"), aws.stores)
    for name, body in {"a.xlsx": b"", "a.parquet": b"no"}.items():
        (tmp_path / name).write_bytes(body)
        with pytest.raises(DataError):
            audit_file(aws.stores, NAME, tmp_path / name)


def test_a_file_is_audited_against_the_sources_of_the_lake(aws: Cloud, tmp_path: Path) -> None:
    store = prepared(aws, [slip(1, "2026-06-30", 100_000)])
    own = tmp_path / "own.csv"
    own.write_text(f"worker_id,as_of,label,{MEAN}\nW-1,2026-07-31T00:00:00Z,0,100000\n")
    found = audit_file(store.stores, NAME, own)
    assert (column(found, MEAN)["verdict"], found["passed"]) == ("proven", True)
