"""Candidate against champion: better, not worse, worse, or honestly unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from countersign.aws.stores import Stores
from countersign.errors import DigestMismatchError, NotFoundError
from countersign.learning.backtest import Contestant, compare, judge, last_days
from countersign.steps import backtest

from tests.unit.learning.world import crown, registered


def backtested(stores: Stores, version: str) -> backtest.Result:
    return backtest.run(backtest.Request("small", version), stores)


def test_without_a_champion_the_rules_are_the_rival(stores: Stores) -> None:
    result = backtested(stores, registered(stores, "run-1").version)
    assert result.verdict == "no_champion"
    assert result.champion is None
    assert result.rules["hybrid"]["recall"] is not None
    assert result.window["rows"] == 400


def test_a_version_is_not_worse_than_itself(stores: Stores) -> None:
    version = registered(stores, "run-1")
    crown(stores, version)
    result = backtested(stores, version.version)
    assert result.verdict == "not_worse"
    assert all(check["difference"] == 0 for check in result.checks.values())
    assert result.seen_by_champion == 0


def test_a_retrained_candidate_is_compared_on_its_own_test_rows(stores: Stores) -> None:
    crown(stores, registered(stores, "run-1"))
    candidate = registered(stores, "run-2", dataset_id="d2")
    result = backtested(stores, candidate.version)
    assert result.champion == "1.0.0"
    assert result.verdict == "not_worse"
    assert set(result.checks) == {"auc", "precision", "recall", "f1", "false_positive_rate"}
    assert result.recent["window"]["rows"] == 400


def test_a_tampered_champion_is_not_compared_with(stores: Stores) -> None:
    champion = registered(stores, "run-1")
    crown(stores, champion)
    candidate = registered(stores, "run-2", dataset_id="d2")
    stores.artifacts.put(f"small/{champion.version}/model.onnx", b"other")
    with pytest.raises(DigestMismatchError):
        backtested(stores, candidate.version)


def test_an_unknown_version_is_not_found(stores: Stores) -> None:
    with pytest.raises(NotFoundError):
        backtested(stores, "9.9.9")


def contestants(
    n: int, good: float, rival: float, *, seed: int = 3
) -> tuple[Any, Contestant, Contestant]:
    """Labels, and two scores that lift positives by `good` and `rival`."""
    random = np.random.default_rng(seed)
    labels = random.uniform(size=n) < 0.1
    mine = random.normal(size=n) + labels * good
    other = random.normal(size=n) + labels * rival
    return labels, Contestant(mine, 2.0), Contestant(other, 2.0)


@pytest.mark.parametrize(
    ("n", "good", "rival", "verdict"),
    [
        (4_000, 4.0, 1.5, "better"),
        (4_000, 1.5, 4.0, "worse"),
        (150, 2.6, 2.5, "inconclusive"),
    ],
)
def test_the_verdict_follows_the_evidence(n: int, good: float, rival: float, verdict: str) -> None:
    labels, mine, other = contestants(n, good, rival)
    assert judge(compare(labels, mine, other)) == verdict


def test_the_false_positive_rate_is_better_when_lower() -> None:
    labels = np.array([True, False] * 500)
    calm = Contestant(np.where(labels, 0.9, 0.1), 0.5)
    nervous = Contestant(np.where(labels, 0.9, 0.4 + 0.2 * (np.arange(1_000) % 8 == 1)), 0.5)
    check = compare(labels, nervous, calm)["false_positive_rate"]
    assert check["candidate"] == pytest.approx(0.25)
    assert check["champion"] == 0
    assert check["proven"] is False
    assert check["low"] <= check["difference"] <= check["high"]
    assert compare(labels, calm, nervous)["false_positive_rate"]["proven"] is True


def test_a_metric_that_is_undefined_never_holds() -> None:
    labels = np.array([True, False] * 50)
    silent = Contestant(np.zeros(100), 0.5)
    checks = compare(labels, silent, silent)
    assert checks["precision"]["holds"] is False
    assert checks["precision"]["candidate"] is None
    assert judge(checks) == "inconclusive"


def test_rows_of_one_class_prove_nothing() -> None:
    checks = compare(np.zeros(50, bool), *contestants(50, 1, 1)[1:])
    assert checks["auc"]["candidate"] is None
    assert judge(checks) == "inconclusive"


def test_the_last_days_are_counted_from_the_newest_row() -> None:
    day = 86_400_000_000
    assert last_days([0, 5 * day, 30 * day, 31 * day], 30).tolist() == [False, True, True, True]
