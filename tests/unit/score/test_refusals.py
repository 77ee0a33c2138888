"""What was refused for stale features is counted for the day, by feature; what is merely late is told."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from countersign.aws.refusals import Refusals, Refused
from countersign.clock import iso
from countersign.steps.score import BATCH

from tests.unit.score.world import CRITICAL_VIEW, USE_CASE, World

OLD = timedelta(days=60)
CRITICAL = {"worker_gross_pay_6m_mean", "worker_net_to_gross_ratio_6m_mean"}


def counted(world: World) -> Refused:
    return Refusals.of(world.stores).of_day(USE_CASE, iso(world.clock.at)[:10])


def lines(capsys: pytest.CaptureFixture[str], metric: str) -> list[dict[str, Any]]:
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line]
    return [line for line in written if metric in line]


def test_each_refused_request_counts_once_for_each_of_its_stale_features(world: World) -> None:
    world.age(CRITICAL_VIEW, OLD)
    for _ in range(3):
        assert world.score()[0] == 424
    assert counted(world) == Refused(3, dict.fromkeys(CRITICAL, 3))


def test_the_next_day_counts_anew(world: World) -> None:
    world.age(CRITICAL_VIEW, OLD)
    world.score()
    world.clock.at += timedelta(days=1)
    assert counted(world) == Refused()


def test_the_metric_names_the_use_case_and_the_reason(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.age(CRITICAL_VIEW, OLD)
    world.score()
    (line,) = lines(capsys, "Refused")
    assert (line["use_case"], line["error"]) == (USE_CASE, "StaleFeatureError")


def test_a_count_that_cannot_be_kept_changes_no_answer(world: World) -> None:
    world.age(CRITICAL_VIEW, OLD)
    broken = EndpointConnectionError(endpoint_url="https://dynamodb")
    with world.dynamodb_fails("UpdateItem", broken):
        assert world.score()[0] == 424
    assert counted(world) == Refused()


def test_a_baseline_that_knows_too_much_is_no_matter_of_age(world: World) -> None:
    assert world.score(pay_date="2026-11-01", period_end="2026-11-01")[0] == 424
    assert counted(world) == Refused()


def test_what_was_answered_or_malformed_is_not_refused(world: World) -> None:
    assert world.score()[0] == 200
    assert world.score(payslip_id=7)[0] == 422
    assert counted(world) == Refused()


def test_a_batch_counts_its_rows_in_one_write(world: World) -> None:
    world.age(CRITICAL_VIEW, OLD)
    request_type, run = BATCH
    rows = [json.dumps(world.body(idempotency_key=f"row-{n}")) for n in range(4)]
    world.stores.lake.put("batch/in.jsonl", "\n".join(rows).encode())
    run(request_type(use_case=USE_CASE, input_key="batch/in.jsonl"), world.stores)
    assert counted(world) == Refused(4, dict.fromkeys(CRITICAL, 4))


def test_an_overdue_feature_that_is_not_critical_is_told_in_the_answer(world: World) -> None:
    world.age("country_pay", OLD)
    status, answer = world.score()
    assert status == 200
    assert answer["degraded"] == ["stale:country_avg_gross_pay"]
    assert answer["model"]["version"] == "1.1.0"
    assert counted(world) == Refused()
