"""A model of classes on its way to production: validated, and held against the champion, honestly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.declare import Gate
from countersign.governance.rollout import Seen, guard_metrics, judge_guard
from countersign.learning.class_backtest import (
    MARGINS,
    ClassContestant,
    compare_classes,
    judge_classes,
)
from countersign.learning.native import Floats
from countersign.learning.validation import CLASS_CHECK, NAMES, checks_of
from countersign.steps import backtest, validate_model
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.learning.cases import SMALL, dataset_objects, table
from tests.unit.learning.test_classes import CLASSES, RETRY
from tests.unit.learning.world import crown, registered

CASE = replace(RETRY, name="small")


def of_classes(count: int, *, seed: int, first: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    made = table(count, seed=seed, first=first)
    target = random.choice(3, size=count, p=[0.5, 0.3, 0.2])
    made["z"] = random.normal(0, 1, count) + 2.0 * target
    made["label"] = [CLASSES[n] for n in target]
    return made


def freeze(stores: Stores, dataset_id: str) -> None:
    splits = {
        "train": of_classes(900, seed=1, first=0),
        "valid": of_classes(400, seed=2, first=900),
        "test": of_classes(400, seed=3, first=1_300),
    }
    for key, content in dataset_objects(dataset_id, splits).items():
        stores.lake.put(key, content)


@pytest.fixture
def version(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Registers a trained run of classes."""
    monkeypatch.setitem(use_cases.all_use_cases(), "small", CASE)
    monkeypatch.setattr("tests.unit.learning.world.freeze", freeze)
    return lambda run_id, **more: registered(stores, run_id, **more)


def test_a_sound_version_passes_every_check_and_one_of_its_own(
    stores: Stores, version: Callable[..., Any]
) -> None:
    made = version("run-1").version
    result = validate_model.run(validate_model.Request("small", made), stores)
    assert result.passed, result.checks
    assert set(result.checks) == {*NAMES, CLASS_CHECK}
    check = result.checks[CLASS_CHECK]
    assert check["vectors"] == 100
    assert check["furthest_from_one"] < 1e-5
    assert result.checks["golden"]["rows"] >= 1_000
    assert result.checks["deterministic"]["processes"] == 2


def test_a_version_of_other_classes_than_the_labels_does_not_load(
    stores: Stores, version: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = version("run-1").version
    monkeypatch.setitem(use_cases.all_use_cases(), "small", SMALL)
    result = validate_model.run(validate_model.Request("small", made), stores)
    assert not result.passed
    assert "classes are not those of the label" in result.checks["model_loads"]["reason"]


def report(shares: list[float], **more: Any) -> dict[str, Any]:
    held = [share.hex() for share in shares]
    score = max(shares).hex()
    return {
        "load_ms": 1.0, "scores": [score], "again": [score], "latency_ms": [1.0],
        "golden_rows": 1_000, "golden_difference": 0.0, "peak_mb": 1.0,
        "shares": [held], "shares_again": [held], "decisions": ["later"], **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("shares", "passes"),
    [
        ([0.2, 0.3, 0.5], True),
        ([0.85, 0.85, 0.0], False),
        ([0.0, 0.0, 0.0], False),
        ([float("nan")] * 3, False),
        ([1.2, -0.2, 0.0], False),
    ],
)
def test_probabilities_must_be_shares_of_one(shares: list[float], passes: bool) -> None:
    checks = checks_of([report(shares)], score_range=(0, 1), latency_limit_ms=10)
    assert checks[CLASS_CHECK]["passed"] is passes


def test_one_process_that_says_other_shares_is_not_deterministic() -> None:
    one = report([0.2, 0.3, 0.5])
    other = {**one, "shares": [[share.hex() for share in (0.3, 0.2, 0.5)]]}
    checks = checks_of([one, other], score_range=(0, 1), latency_limit_ms=10)
    assert not checks["deterministic"]["passed"]


def test_without_a_report_nothing_passes() -> None:
    checks = checks_of([], score_range=(0, 1), latency_limit_ms=10)
    assert not any(check["passed"] for check in checks.values())


def backtested(stores: Stores, made: Any) -> backtest.Result:
    return backtest.run(backtest.Request("small", made.version), stores)


def test_without_a_champion_the_rules_are_the_rival(
    stores: Stores, version: Callable[..., Any]
) -> None:
    result = backtested(stores, version("run-1"))
    assert (result.verdict, result.champion) == ("no_champion", None)
    assert result.rules["hybrid"]["accuracy"] > result.rules["rules"]["accuracy"]


def test_a_version_is_not_worse_than_itself(stores: Stores, version: Callable[..., Any]) -> None:
    made = version("run-1")
    crown(stores, made)
    result = backtested(stores, made)
    assert result.verdict == "not_worse"
    assert set(result.checks) == set(MARGINS)
    assert all(check["difference"] == 0 for check in result.checks.values())
    assert result.recent["window"]["rows"] > 0


def test_a_champion_of_other_classes_is_not_compared_with(
    stores: Stores, version: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    crown(stores, version("run-1"))
    candidate = version("run-2", dataset_id="d2")
    champion = stores.registry.pointer("small")["champion"]
    assert champion is not None
    renamed = replace(CASE, label=replace(CASE.label, classes=("later", "now", "ask", "never")))
    monkeypatch.setitem(use_cases.all_use_cases(), "small", renamed)
    with pytest.raises(Exception, match="classes are not those of the label"):
        backtested(stores, candidate)


def contestant(right: Any, surprise: Any) -> ClassContestant:
    return ClassContestant(np.asarray(right, dtype=float), np.asarray(surprise, dtype=float))


def made_up(n: int, share: float, nats: float, seed: int) -> ClassContestant:
    random = np.random.default_rng(seed)
    return contestant(random.random(n) < share, random.exponential(nats, n))


def test_a_clear_gain_is_better_and_a_clear_loss_is_worse() -> None:
    good, bad = made_up(2_000, 0.7, 0.5, 1), made_up(2_000, 0.5, 1.2, 2)
    assert judge_classes(compare_classes(good, bad)) == "better"
    assert judge_classes(compare_classes(bad, good)) == "worse"


def test_few_rows_are_inconclusive_and_none_are_too() -> None:
    some, others = made_up(25, 0.6, 0.8, 3), made_up(25, 0.6, 0.8, 4)
    assert judge_classes(compare_classes(some, others)) == "inconclusive"
    none = contestant([], [])
    checks = compare_classes(none, none)
    assert judge_classes(checks) == "inconclusive"
    assert not any(check["holds"] for check in checks.values())


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.booleans(), st.floats(0, 10), st.floats(0, 10)),
        min_size=2,
        max_size=60,
    )
)
def test_differences_are_those_of_the_means_whoever_is_called_champion(rows: list[Any]) -> None:
    def side(at: int) -> Floats:
        return np.array([float(row[at]) for row in rows])

    one, two = contestant(side(0), side(2)), contestant(side(1), side(3))
    checks, swapped = compare_classes(one, two), compare_classes(two, one)
    for name, mine, other in (
        ("accuracy", one.right, two.right),
        ("log_loss", one.surprise, two.surprise),
    ):
        assert checks[name]["difference"] == pytest.approx(mine.mean() - other.mean())
        assert swapped[name]["difference"] == pytest.approx(-checks[name]["difference"])
        assert checks[name]["low"] <= checks[name]["high"]


def test_a_review_rate_is_unknown_where_decisions_are_strategies_and_its_guard_fails() -> None:
    seen = [Seen(answered=True, decision="retry_now", latency_ms=5.0)] * 40
    assert guard_metrics(seen)["review_rate"] is None
    verdict = judge_guard([Gate("review_rate", at_most=0.5)], seen, holds=0)
    assert (verdict.verdict, verdict.failed) == ("rollback", ("review_rate",))
    assert judge_guard([Gate("error_rate", at_most=0.1)], seen, holds=0).verdict == "advance"
