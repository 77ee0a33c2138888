"""The coming pay run: requests without the truth, drift that is no error, outcomes for later."""

import json
from datetime import datetime

import pytest
from countersign.cli.payroll_generator import DRIFTS, Drafts, drafts
from countersign.cli.payroll_generator.command import app
from typer.testing import CliRunner

from tests.unit.payroll_generator.conftest import AS_OF, Delivered


def _drafts(drift: str = "none") -> Drafts:
    return drafts(seed=7, workers=600, months=24, as_of=AS_OF, drift=drift)


def _gross(made: Drafts) -> dict[tuple[str, str], int]:
    return {
        (row["worker_id"], row["payslip"]["period_start"]): row["payslip"]["gross_pay_minor"]
        for row, fact in zip(made.requests, made.truth, strict=True)
        if not fact["anomaly"]
    }


def test_drafts_are_the_next_payslips_of_workers_with_a_history(delivered: Delivered) -> None:
    made = _drafts()
    assert len(made.requests) > 400
    paid = set(delivered.sources["payslips"]["worker_id"])
    assert {row["worker_id"] for row in made.requests} <= paid
    days = [datetime.fromisoformat(row["payslip"]["pay_date"]) for row in made.requests]
    assert all(day.tzinfo is not None and day.date() >= AS_OF.date() for day in days)


def test_newcomers_are_drafted_on_request(delivered: Delivered) -> None:
    world = {"seed": 7, "workers": 600, "months": 24}
    made = drafts(as_of=AS_OF, newcomers=True, anomalies=0, **world)
    new = {row["worker_id"] for row in made.requests} - set(delivered.first["worker_id"])
    hired = delivered.sources["worker_changes"].query("kind == 'hire'")
    assert new
    assert new <= set(hired["worker_id"])


def test_no_request_carries_the_truth() -> None:
    made = _drafts()
    text = json.dumps(made.requests)
    assert "kind" not in text
    assert "anomaly" not in text
    named = ("worker_id", "client_id", "country", "payslip", "idempotency_key")
    assert {tuple(row) for row in made.requests} == {named}


def test_truth_names_the_wrong_drafts() -> None:
    made = _drafts()
    wrong = [row for row in made.truth if row["anomaly"]]
    assert 10 < len(wrong) < 40
    assert len({row["kind"] for row in wrong}) >= 6


def test_outcomes_become_known_after_pay_day_and_agree_with_the_truth() -> None:
    made = _drafts()
    for outcome, fact in zip(made.outcomes, made.truth, strict=True):
        assert outcome["known_at"] > outcome["at"]
        assert outcome["payslip_id"] == fact["payslip_id"]
        assert outcome["label"] in {fact["anomaly"], False}
    assert sum(row["label"] for row in made.outcomes) > 10


def test_drafts_repeat_exactly() -> None:
    assert _drafts("mixed") == _drafts("mixed")


@pytest.mark.parametrize("drift", sorted(set(DRIFTS) - {"none"}))
def test_drift_moves_right_payslips_and_keeps_the_rate_of_errors(drift: str) -> None:
    usual, moved = _drafts(), _drafts(drift)
    ids = {row["payslip"]["payslip_id"] for row in usual.requests}
    assert not ids & {row["payslip"]["payslip_id"] for row in moved.requests}
    assert sum(row["anomaly"] for row in moved.truth) == sum(row["anomaly"] for row in usual.truth)
    before, after = _gross(usual), _gross(moved)
    changed = [key for key in before.keys() & after.keys() if before[key] != after[key]]
    lines = [sum(r["payslip"]["deduction_lines"] for r in d.requests) for d in (usual, moved)]
    assert len(changed) > 60 or lines[1] > 1.4 * lines[0]


def test_an_unknown_drift_is_refused_with_the_names_of_the_known() -> None:
    with pytest.raises(ValueError, match="none, pay_jump"):
        _drafts("earthquake")


def test_the_command_writes_both(tmp_path: object) -> None:
    runner = CliRunner()
    usual = [
        "--out",
        str(tmp_path),
        "--as-of",
        "2026-11-21T06:00:00Z",
        "--workers",
        "40",
        "--months",
        "3",
    ]
    written = runner.invoke(app, ["payroll", *usual])
    drafted = runner.invoke(app, ["drafts", *usual, "--drift", "pay_jump"])
    assert (written.exit_code, drafted.exit_code) == (0, 0)
    assert "payslips" in written.output
    assert "draft payslips" in drafted.output


def test_the_command_refuses_an_instant_without_a_time_zone(tmp_path: object) -> None:
    result = CliRunner().invoke(app, ["payroll", "--out", str(tmp_path), "--as-of", "2026-11-21"])
    assert result.exit_code == 2
    assert "time zone" in result.output
