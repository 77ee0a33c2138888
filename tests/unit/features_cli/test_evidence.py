"""`audit`, `quality` and `acknowledge`: what is wrong with data is a reason, a table and an exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from countersign.aws.blocks import Blocks
from countersign.features import duck
from countersign.governance.quality_block import Finding

from .deployed import Deployed, now

Capture = pytest.CaptureFixture[str]
MEAN = "worker_gross_pay_6m_mean"
AUDIT: dict[str, Any] = {
    "views": {"worker_pay": {"rows": 9, "event_time": -60.0, "known_at": -30.0, "violations": 0}},
    "columns": {MEAN: {"view": "worker_pay", "latest_known_seconds": -30.0}},
    "judged": {MEAN: {"auc": 0.61, "low": 0.5, "high": 0.7, "null_auc": None, "verdict": "plausible"}},
    "suspicious": [],
}  # fmt: skip


def freeze(made: Deployed, dataset_id: str, **audit: Any) -> None:
    """A manifest as training is given it, as far as the audit reads it."""
    manifest = {
        "dataset_id": dataset_id, "use_case": "payroll_anomaly", "as_of": now(made), "rows": 9,
        "positives": 3, "synthetic": True, "features": [MEAN], "views": {}, "checks": {},
        "feature_code_digest": "c", "files": {}, "summary": {}, "leakage_audit": {**AUDIT, **audit},
    }  # fmt: skip
    made.stores.lake.write_json(f"datasets/{dataset_id}/manifest.json", manifest)


def spoiled(made: Deployed, folder: Path, mean: float) -> Path:
    """A person's own training set: the mean of worker W-1 as of 31 October."""
    path = folder / "mine.parquet"
    with duck.connect() as connection:
        connection.execute(
            f"COPY (SELECT 'W-1' AS worker_id, TIMESTAMPTZ '2026-10-31 00:00:00+00' AS as_of, "
            f"{mean}::DOUBLE AS {MEAN}, false AS label) TO '{path}' (FORMAT parquet)"
        )
    return path


def test_the_quality_log_is_a_table_and_a_document(paid: Deployed, capsys: Capture) -> None:
    told = paid.run(capsys, "quality", "--view", "worker_pay", width=160)
    assert (told.code, told.err) == (0, "")
    assert MEAN in told.out
    assert "No alerts." in told.out
    found = paid.run(capsys, "quality", "--view", "worker_pay", "--output", "json").document
    (row,) = (r for r in found["views"][0]["features"] if r["feature_name"] == MEAN)
    assert (row["null_rate"], row["mean"], found["passed"]) == (0.0, pytest.approx(290_000), True)


def test_an_alert_in_the_log_is_exit_1(paid: Deployed, capsys: Capture) -> None:
    key = "quality/client_quality/date=2026-11-20/quality.json"
    alert = "client_error_rate_12m: 12.00% null, critical"
    document = {"view": "client_quality", "as_of": "2026-11-20T05:00:00Z", "features": []}
    paid.stores.lake.write_json(key, {**document, "alerts": [alert]})
    told = paid.run(capsys, "quality", "--view", "client_quality", "--day", "2026-11-20")
    assert told.code == 1
    assert f"ALERT client_quality: {alert}" in told.out


def test_a_quality_report_is_drawn_for_its_day(
    paid: Deployed, capsys: Capture, tmp_path: Path
) -> None:
    page = tmp_path / "quality.html"
    asked = ("quality", "--view", "worker_pay", "--html", str(page))
    assert paid.run(capsys, *asked).code == 0
    assert "Feature quality of 2026-11-21" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("quality", "--day", "2020-01-01"), 1),
        (("quality", "--day", "today"), 2),
        (("audit", "nothing"), 1),
        (("audit", "nothing.parquet"), 2),
        (("acknowledge", "payroll_anomaly"), 2),
        (("acknowledge", "payroll_anomaly", "--reason", "looked at it"), 1),
    ],
)
def test_what_cannot_be_answered_is_one_reason_and_a_code(
    paid: Deployed, capsys: Capture, arguments: tuple[str, ...], code: int
) -> None:
    told = paid.run(capsys, *arguments)
    assert told.code == code
    assert told.out == ""
    assert "Traceback" not in told.err


def test_a_dataset_without_a_leak_passes(paid: Deployed, capsys: Capture) -> None:
    freeze(paid, "clean")
    told = paid.run(capsys, "audit", "clean", "--output", "json")
    assert (told.code, told.document["passed"]) == (0, True)
    (column,) = told.document["columns"]
    assert (column["slack_seconds"], column["verdict"]) == (30.0, "held")
    told = paid.run(capsys, "audit", "clean", width=80)
    assert "Nothing leaks" in told.out
    assert MEAN in told.out


def test_a_suspicious_column_is_exit_1(paid: Deployed, capsys: Capture) -> None:
    freeze(paid, "odd", suspicious=[MEAN])
    told = paid.run(capsys, "audit", "odd")
    assert told.code == 1
    assert f"Suspicious: {MEAN}" in told.out


def test_a_file_is_computed_again_from_the_sources(
    paid: Deployed, capsys: Capture, tmp_path: Path
) -> None:
    asked = ("--use-case", "payroll_anomaly", "--output", "json")
    honest = spoiled(paid, tmp_path, 310_000)
    told = paid.run(capsys, "audit", str(honest), *asked)
    assert (told.code, told.document["leaks"]) == (0, []), told.err


def test_a_value_that_was_known_only_later_leaks(
    paid: Deployed, capsys: Capture, tmp_path: Path
) -> None:
    """290000.00 is the mean with the correction of 5 November; on 31 October nobody knew it."""
    page = tmp_path / "audit.html"
    file = spoiled(paid, tmp_path, 290_000)
    told = paid.run(
        capsys, "audit", str(file), "--use-case", "payroll_anomaly", "--html", str(page)
    )
    assert told.code == 1
    assert "LEAKS" in told.out
    assert MEAN in page.read_text()


def test_a_block_is_shown_and_lifted_with_a_reason_by_the_operator_alone(
    paid: Deployed, capsys: Capture
) -> None:
    finding = Finding(view="worker_pay", feature=MEAN, check="null rate", text="5 % null")
    blocks = Blocks.of(paid.stores)
    blocks.take_log("payroll_anomaly", [finding], views=["worker_pay"], as_of=now(paid))
    told = paid.run(capsys, "quality", "--blocks")
    assert told.code == 1
    assert "5 % null" in told.out
    lift = ("acknowledge", "payroll_anomaly", "--reason", "the file was sent again")
    assert "needs operator" in paid.run(capsys, *lift, "--identity", "auditor").err
    assert paid.run(capsys, *lift, "--revision", "0").code == 1
    assert paid.run(capsys, *lift).code == 0
    assert paid.run(capsys, "quality", "--blocks").code == 0
