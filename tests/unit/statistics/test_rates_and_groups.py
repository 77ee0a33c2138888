"""Intervals, sample sizes, power and fairness against statsmodels, scipy and fairlearn."""

import fairlearn.metrics as fl
import numpy as np
import pytest
from countersign.statistics import proportions
from countersign.statistics.errors import ShapeError
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_confint


@given(n=st.integers(1, 5_000), data=st.data(), confidence=st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_equals_statsmodels(n: int, data: st.DataObject, confidence: float) -> None:
    k = data.draw(st.integers(0, n))
    low, high = proportion_confint(k, n, alpha=1 - confidence, method="wilson")
    ours = proportions.wilson(k, n, confidence=confidence)
    assert (ours.low, ours.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


def test_no_trials_have_no_rate() -> None:
    assert proportions.wilson(0, 0) == proportions.Interval(None, None, None)
    with pytest.raises(ShapeError):
        proportions.wilson(3, 2)


@pytest.mark.parametrize(("p1", "p2", "per_arm"), [(0.02, 0.03, 3_826), (0.02, 0.025, 13_809)])
def test_published_sample_sizes(p1: float, p2: float, per_arm: int) -> None:
    assert proportions.sample_size(p1, p2) == per_arm
    assert proportions.sample_size(p2, p1) == per_arm


@given(p1=st.floats(0.02, 0.5), lift=st.floats(0.02, 0.3))
def test_the_sample_size_reaches_its_power_and_one_less_does_not(p1: float, lift: float) -> None:
    n = proportions.sample_size(p1, p1 + lift)
    assert proportions.power(p1, p1 + lift, n) >= 0.8 - 1e-9
    if n > 20:
        assert proportions.power(p1, p1 + lift, n - 1) < 0.8 + 1e-4


def test_power_agrees_with_simulation_and_the_published_example() -> None:
    assert proportions.power(0.03, 0.05, 100) == pytest.approx(0.11, abs=0.005)
    generator = np.random.default_rng(1)
    a, b = generator.binomial(800, 0.10, 20_000) / 800, generator.binomial(800, 0.14, 20_000) / 800
    pooled = (a + b) / 2
    found = np.abs(a - b) / np.sqrt(2 * pooled * (1 - pooled) / 800) > stats.norm.ppf(0.975)
    assert proportions.power(0.10, 0.14, 800) == pytest.approx(found.mean(), abs=0.01)


def test_power_is_close_to_statsmodels_arcsine() -> None:
    effect = 2 * (np.arcsin(np.sqrt(0.14)) - np.arcsin(np.sqrt(0.10)))
    theirs = NormalIndPower().power(effect, 800, 0.05)
    assert proportions.power(0.10, 0.14, 800) == pytest.approx(float(theirs), abs=0.01)


def test_equal_rates_need_infinite_rows() -> None:
    with pytest.raises(ValueError, match="equal rates"):
        proportions.sample_size(0.1, 0.1)


@given(n1=st.integers(1, 150), n2=st.integers(1, 150), data=st.data())
def test_fisher_equals_scipy(n1: int, n2: int, data: st.DataObject) -> None:
    k1, k2 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n2))
    theirs = stats.fisher_exact([[k1, n1 - k1], [k2, n2 - k2]]).pvalue
    assert proportions.fisher_exact(k1, n1, k2, n2) == pytest.approx(theirs, abs=1e-9)


def test_fisher_published_example() -> None:
    assert proportions.fisher_exact(3, 100, 5, 100) == pytest.approx(0.72, abs=0.005)


def _population(seed: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    groups = generator.choice(["DE", "FR", "US"], size=3_000)
    labels = generator.random(3_000) < 0.1
    decisions = generator.random(3_000) < np.where(labels, 0.7, np.where(groups == "US", 0.1, 0.05))
    return groups, labels, decisions


def test_group_rates_equal_fairlearn() -> None:
    groups, y, d = _population()
    ours = proportions.group_rates(groups, y, d)
    theirs = fl.MetricFrame(
        metrics={
            "selection_rate": fl.selection_rate,
            "tpr": fl.true_positive_rate,
            "fpr": fl.false_positive_rate,
            "fnr": fl.false_negative_rate,
        },
        y_true=y,
        y_pred=d,
        sensitive_features=groups,
    ).by_group
    for row in ours["rows"]:
        for rate in proportions.RATES:
            assert row[rate]["value"] == pytest.approx(theirs.loc[row["value"], rate], abs=1e-12)
    ratio = fl.demographic_parity_ratio(y, d, sensitive_features=groups)
    assert ours["selection_rate_ratio"] == pytest.approx(ratio, abs=1e-12)
    assert ours["fpr_gap"] == pytest.approx(theirs["fpr"].max() - theirs["fpr"].min(), abs=1e-12)


def test_four_fifths_fails_what_it_should() -> None:
    groups = np.repeat(["A", "B"], 100)
    y = np.zeros(200, dtype=bool)
    fair, unfair = np.tile([True, False], 100), np.repeat([True, False], [50, 150])
    assert proportions.group_rates(groups, y, fair)["verdict"] == "PASS"
    assert proportions.group_rates(groups, y, unfair)["verdict"] == "FAIL"


def test_a_gap_can_be_judged_too() -> None:
    groups, y, d = _population()
    assert proportions.group_rates(groups, y, d, ratio_at_least=0.1)["verdict"] == "PASS"
    judged = proportions.group_rates(groups, y, d, ratio_at_least=0.1, gap_at_most=0.02)
    assert judged["verdict"] == "FAIL"


def test_small_groups_are_reported_and_not_judged() -> None:
    groups = np.array(["A"] * 100 + ["tiny"] * 5)
    found = proportions.group_rates(groups, np.zeros(105, bool), np.zeros(105, bool))
    assert [(row["value"], row["judged"]) for row in found["rows"]] == [
        ("A", True),
        ("tiny", False),
    ]
    assert (found["verdict"], found["selection_rate_ratio"]) == ("INSUFFICIENT", None)
