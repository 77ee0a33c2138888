"""The daily checks end to end: freshness, volume, performance; told once, recorded, never an error."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from countersign.aws.refusals import Refusals, Refused
from countersign.monitoring.freshness import judge_freshness
from countersign.steps import monitor
from countersign.use_cases import get

from tests.unit.monitoring.cloud import Duty
from tests.unit.predictions.cloud import prediction
from tests.unit.registry.world import USE_CASE

THURSDAY = date(2026, 11, 19)
YESTERDAY = date(2026, 11, 20)


def run(duty: Duty, action: str, **fields: str) -> dict[str, Any]:
    found = monitor.run(monitor.Request(action, **fields), duty.stores)
    json.dumps(found, allow_nan=False)
    return found


def outcomes(labels: Any) -> list[dict[str, Any]]:
    at = "2026-11-20T09:00:00.000000Z"
    return [{"label": int(y), "known_at": at, "at": at, "version": 1} for y in labels]


def test_performance_comes_from_outcomes(duty: Duty) -> None:
    g = np.random.default_rng(21)
    y = g.random(300) < 0.2
    d = np.where(y, g.random(300) < 0.9, g.random(300) < 0.1)
    decisions = ["review" if one else "pass" for one in d]
    duty.archive(300, day=THURSDAY, seed=21, outcomes=outcomes(y), decisions=decisions)
    found = run(duty, "performance", use_case=USE_CASE, version=duty.version)
    assert found["labelled"] == 300
    assert found["metrics"]["recall"] == pytest.approx((y & d).sum() / y.sum())
    version = duty.stores.registry.version(USE_CASE, duty.version)
    assert version.current_recall == pytest.approx(found["metrics"]["recall"])


def test_in_real_time_only_rows_whose_labels_are_due_are_judged(duty: Duty) -> None:
    duty.stores.settings = replace(duty.stores.settings, time_scale=1.0)
    labels = outcomes(np.ones(100))
    duty.archive(100, day=THURSDAY, seed=60, outcomes=labels)
    assert run(duty, "performance", use_case=USE_CASE)["labelled"] == 0
    due = YESTERDAY - get(USE_CASE).label.matures
    duty.archive(100, day=due - timedelta(days=3), seed=61, outcomes=labels)
    assert run(duty, "performance", use_case=USE_CASE)["labelled"] == 100


def test_performance_without_outcomes_is_insufficient_data(duty: Duty) -> None:
    assert run(duty, "performance", use_case=USE_CASE)["verdict"] == "insufficient data"


def test_a_collapse_in_volume_is_told_once(duty: Duty) -> None:
    for weeks in (1, 2, 3):
        duty.archive_one_by_one(40, day=YESTERDAY - timedelta(weeks=weeks))
    duty.archive_one_by_one(5, day=YESTERDAY)
    found = run(duty, "volume", use_case=USE_CASE)
    assert (found["verdict"], found["observed"], found["expected"]) == ("alert", 5, 40)
    run(duty, "volume", use_case=USE_CASE)
    assert len(duty.notices()) == 1


def log(duty: Duty, number: int, age: float) -> None:
    at = f"{YESTERDAY}T10:00:{number:02d}.000000Z"
    duty.stores.predictions.append(prediction(number, at=at, feature_ages={"worker_pay": age}))


def test_stale_features_are_told_and_recorded(duty: Duty) -> None:
    for number in range(10):
        log(duty, number, 3_600.0)
    assert run(duty, "freshness")["verdict"] == "normal"
    for number in range(10, 15):
        log(duty, number, 400 * 86_400.0)
    found = run(duty, "freshness")
    assert found["verdict"] == "alert"
    assert found["results"][USE_CASE]["compliance"]["value"] == pytest.approx(10 / 15)
    record = duty.stores.lake.read_json(f"reports/{USE_CASE}/freshness/{YESTERDAY}.json")
    assert record["by_name"]["worker_pay"]["fresh"] == 10
    assert "Stale features" in duty.notices()[0]["Subject"]


def test_a_day_without_predictions_has_no_ages_to_judge(duty: Duty) -> None:
    assert run(duty, "freshness")["results"][USE_CASE]["verdict"] == "insufficient data"


def test_a_fall_in_recall_is_told_once_a_week(duty: Duty) -> None:
    duty.stores.artifacts.write_json(
        f"{USE_CASE}/{duty.version}/evaluation.json",
        {"metrics": {"recall": {"value": 0.9, "low": 0.85, "high": 0.93}}},
    )
    y = np.arange(300) % 5 == 0
    duty.archive(300, day=THURSDAY, seed=50, outcomes=outcomes(y), decisions=["pass"] * 300)
    assert run(duty, "performance", use_case=USE_CASE)["verdict"] == "alert"
    run(duty, "performance", use_case=USE_CASE, day="2026-11-19")
    (notice,) = duty.notices()
    assert "recall" in notice["Message"]
    assert duty.stores.registry.triggers(USE_CASE) == []


def refuse(duty: Duty, times: int, feature: str = "worker_gross_pay_6m_mean") -> None:
    """Requests that were refused yesterday, because this feature was stale."""
    now, duty.world.clock.at = duty.world.clock.at, datetime(2026, 11, 20, 12, tzinfo=UTC)
    for _ in range(times):
        assert Refusals.of(duty.stores).count(USE_CASE, Refused(1, {feature: 1}))
    duty.world.clock.at = now


def test_refused_requests_count_as_not_fresh(duty: Duty) -> None:
    for number in range(50):
        log(duty, number, 3_600.0)
    assert run(duty, "freshness")["results"][USE_CASE]["compliance"]["value"] == 1.0
    refuse(duty, 2)
    found = run(duty, "freshness")["results"][USE_CASE]
    assert found["verdict"] == "alert"
    assert found["compliance"]["value"] == pytest.approx(50 / 52)
    assert found["refused_requests"] == 2
    record = duty.stores.lake.read_json(f"reports/{USE_CASE}/freshness/{YESTERDAY}.json")
    assert record["by_name"]["worker_gross_pay_6m_mean"]["refused"] == 2
    (notice,) = duty.notices()
    assert "worker_gross_pay_6m_mean: 0" in notice["Message"]


def test_a_day_on_which_everything_was_refused_is_an_alert_and_no_lack_of_data(duty: Duty) -> None:
    refuse(duty, 5)
    found = run(duty, "freshness")["results"][USE_CASE]
    assert (found["verdict"], found["compliance"]["value"]) == ("alert", 0.0)


def test_one_refusal_in_a_thousand_is_within_the_promise() -> None:
    ages = {"worker_gross_pay_6m_mean": [3_600.0] * 999}
    judged = judge_freshness(
        ages, {"worker_gross_pay_6m_mean": 86_400.0}, refused={"worker_gross_pay_6m_mean": 1}
    )
    assert (judged["verdict"], judged["n"]) == ("normal", 1_000)
