"""Models of classes judged by the classes that came."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from countersign import use_cases
from countersign.monitoring.class_performance import FEWEST_LABELLED, judge_class_performance
from countersign.steps import monitor
from sklearn import metrics as oracle

from tests.unit.monitoring.cloud import Duty
from tests.unit.monitoring.test_daily_duty import THURSDAY
from tests.unit.registry.world import USE_CASE

CLASSES = ("now", "later", "ask")


def drawn(n: int, share: float, seed: int) -> tuple[list[str], list[str]]:
    random = np.random.default_rng(seed)
    came = random.choice(CLASSES, n)
    said = np.where(random.random(n) < share, came, random.choice(CLASSES, n))
    return said.tolist(), came.tolist()


def test_accuracy_and_recalls_are_those_of_scikit_learn() -> None:
    said, came = drawn(500, 0.6, 1)
    found = judge_class_performance(said, came, CLASSES)
    assert found["metrics"]["accuracy"]["value"] == pytest.approx(oracle.accuracy_score(came, said))
    recalls = oracle.recall_score(came, said, labels=list(CLASSES), average=None)
    for name, recall in zip(CLASSES, recalls, strict=True):
        assert found["metrics"][f"recall_{name}"]["value"] == pytest.approx(recall)
    assert sum(sum(row.values()) for row in found["confusion"].values()) == 500
    assert found["verdict"] == "normal"


def test_a_fall_alerts_only_when_the_whole_interval_fell() -> None:
    said, came = drawn(500, 0.4, 2)
    assert judge_class_performance(said, came, CLASSES, expected={"accuracy": 0.9})["fallen"] == [
        "accuracy"
    ]
    few = judge_class_performance(said[:8], came[:8], CLASSES, expected={"accuracy": 0.62})
    assert few["verdict"] == "insufficient data"


def test_what_is_not_known_not_due_or_no_class_is_counted_and_not_judged() -> None:
    said = ["now"] * 6
    came = ["now", None, "", "withdrawn", "later", "now"]
    mature = [True, True, True, True, True, False]
    found = judge_class_performance(said, came, CLASSES, mature=mature)
    assert (found["labelled"], found["missing"], found["foreign"], found["immature"]) == (
        2, 2, 1, 1,
    )  # fmt: skip
    assert found["metrics"]["accuracy"]["value"] == 0.5
    assert found["verdict"] == "insufficient data"


def test_nothing_is_insufficient_data() -> None:
    found = judge_class_performance([], [], CLASSES, expected={"accuracy": 0.9})
    assert (found["verdict"], found["labelled"]) == ("insufficient data", 0)
    assert str(FEWEST_LABELLED) in found["reason"]


def outcomes(came: list[str]) -> list[dict[str, Any]]:
    at = "2026-11-20T09:00:00.000000Z"
    return [{"label": name, "known_at": at, "at": at, "version": 1} for name in came]


@pytest.fixture
def of_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    case = use_cases.get(USE_CASE)
    label = replace(case.label, classes=CLASSES, outcome="kind")
    monkeypatch.setitem(use_cases.all_use_cases(), USE_CASE, replace(case, label=label))


def test_the_daily_check_judges_recommendations_and_tells_of_a_fall(
    duty: Duty, of_classes: None
) -> None:
    said, came = drawn(300, 0.3, 5)
    duty.archive(300, day=THURSDAY, seed=21, outcomes=outcomes(came), decisions=said)
    document = {"metrics": {"strategy_accuracy": {"value": 0.95}}}
    duty.stores.artifacts.write_json(f"{USE_CASE}/{duty.version}/evaluation.json", document)
    asked = monitor.Request("performance", use_case=USE_CASE, version=duty.version)
    found = monitor.run(asked, duty.stores)
    assert (found["verdict"], found["labelled"]) == ("alert", 300)
    assert found["metrics"] == {"accuracy": pytest.approx(oracle.accuracy_score(came, said))}
    (notice,) = duty.notices()
    assert "accuracy" in str(notice)


def test_the_daily_check_of_classes_without_rows_passes_nothing(
    duty: Duty, of_classes: None
) -> None:
    asked = monitor.Request("performance", use_case=USE_CASE, version=duty.version)
    assert monitor.run(asked, duty.stores)["verdict"] == "insufficient data"


def test_rows_archived_before_there_were_classes_count_as_unknown(
    duty: Duty, of_classes: None
) -> None:
    duty.archive(40, day=THURSDAY - timedelta(days=1), seed=3, decisions=["now"] * 40)
    asked = monitor.Request("performance", use_case=USE_CASE, version=duty.version)
    found = monitor.run(asked, duty.stores)
    assert (found["verdict"], found["labelled"]) == ("insufficient data", 0)
