"""Volume, performance from outcomes, and freshness: verdicts that say what they rest on."""

import json

import numpy as np
import pytest
from countersign.monitoring.freshness import judge_freshness
from countersign.monitoring.performance import judge_performance
from countersign.monitoring.volume import judge_volume

DAY = 86_400.0


def test_a_collapse_in_volume_alerts_and_payday_noise_does_not() -> None:
    assert judge_volume(40, [1_000, 980, 1_020])["verdict"] == "alert"
    assert judge_volume(14, [20, 21, 19])["verdict"] == "normal"


def test_volume_without_history_is_insufficient_data() -> None:
    result = judge_volume(100, [90])
    assert result["verdict"] == "insufficient data"
    assert "1 comparable" in result["reason"]


def test_performance_counts_only_known_and_mature_outcomes() -> None:
    decisions = [True, True, False, False, True]
    outcomes = [1, 0, 1, 0, np.nan]
    mature = [True, True, True, False, True]
    result = judge_performance(decisions, [0.9, 0.8, 0.2, 0.1, 0.7], outcomes, mature=mature)
    assert result["confusion"] == {"tp": 1, "fp": 1, "fn": 1, "tn": 0}
    assert (result["labelled"], result["immature"], result["missing"]) == (3, 1, 1)
    assert result["verdict"] == "insufficient data"


def made(caught: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    y = generator.random(3_000) < 0.05
    d = generator.random(3_000) < np.where(y, caught, 0.04)
    return d, np.where(d, 0.8, 0.2) + generator.normal(0, 0.05, 3_000), y.astype(float)


def test_a_clear_fall_alerts_and_names_the_metric() -> None:
    expected = {"recall": 0.8, "precision": 0.5, "false_positive_rate": 0.04}
    assert judge_performance(*made(0.8), expected=expected)["verdict"] == "normal"
    fallen = judge_performance(*made(0.4), expected=expected)
    assert fallen["verdict"] == "alert"
    assert "recall" in fallen["fallen"]


def test_more_false_alarms_than_promised_are_a_fall_too() -> None:
    result = judge_performance(*made(0.8), expected={"false_positive_rate": 0.02})
    assert result["fallen"] == ["false_positive_rate"]


def test_predictions_without_outcomes_are_insufficient_data() -> None:
    result = judge_performance([True, False], [0.9, 0.1], [np.nan, np.nan])
    assert result["verdict"] == "insufficient data"
    assert result["metrics"]["recall"] == {"value": None, "low": None, "high": None}
    json.dumps(result, allow_nan=False)


def test_an_empty_window_is_insufficient_data() -> None:
    assert judge_performance([], [], [])["verdict"] == "insufficient data"


def test_freshness_counts_the_missing_and_the_future_as_not_fresh() -> None:
    ages = {"worker_pay": [10.0, 2 * DAY, np.nan, -5.0]}
    result = judge_freshness(ages, {"worker_pay": DAY})
    assert result["by_name"]["worker_pay"]["fresh"] == 1
    assert result["compliance"]["value"] == 0.25
    assert result["verdict"] == "alert"


@pytest.mark.parametrize(("stale", "verdict"), [(5, "normal"), (20, "alert")])
def test_freshness_is_held_against_its_target(stale: int, verdict: str) -> None:
    ages = {"v": [10.0] * (1_000 - stale) + [2 * DAY] * stale}
    assert judge_freshness(ages, {"v": DAY})["verdict"] == verdict


def test_no_ages_are_insufficient_data() -> None:
    assert judge_freshness({}, {"v": DAY})["verdict"] == "insufficient data"
