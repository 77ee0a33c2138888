"""Ranking, thresholds, calibration and AUC comparison against scikit-learn."""

import math

import numpy as np
import pytest
from countersign.statistics import auc_compare
from countersign.statistics import classification as ours
from countersign.statistics.errors import ShapeError
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

both_classes = st.lists(
    st.tuples(st.booleans(), st.integers(0, 12).map(lambda i: i / 12)), min_size=2, max_size=80
).filter(lambda rows: len({label for label, _ in rows}) == 2)


def _made(n: int, seed: int, shift: float = 1.0) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    generator = np.random.default_rng(seed)
    y = generator.random(n) < 0.2
    return y, 1 / (1 + np.exp(-(generator.normal(size=n) + shift * y)))


@given(both_classes)
def test_auc_with_ties_equals_scikit_learn(rows: list[tuple[bool, float]]) -> None:
    y, s = zip(*rows, strict=True)
    assert ours.auc(y, s) == pytest.approx(sk.roc_auc_score(y, s), abs=1e-12)


@given(both_classes)
def test_average_precision_equals_scikit_learn(rows: list[tuple[bool, float]]) -> None:
    y, s = zip(*rows, strict=True)
    assert ours.average_precision(y, s) == pytest.approx(
        sk.average_precision_score(y, s), abs=1e-12
    )


@given(both_classes, st.integers(0, 12))
def test_rates_equal_scikit_learn(rows: list[tuple[bool, float]], cut: int) -> None:
    y, s = (np.array(column) for column in zip(*rows, strict=True))
    d = s >= cut / 12
    counts = ours.confusion(y, d)
    tn, fp, fn, tp = sk.confusion_matrix(y, d, labels=[False, True]).ravel()
    assert (counts.tp, counts.fp, counts.fn, counts.tn) == (tp, fp, fn, tn)
    rates = ours.rates(counts)
    assert rates["recall"].value == pytest.approx(sk.recall_score(y, d))
    if d.any():
        assert rates["precision"].value == pytest.approx(sk.precision_score(y, d))
    else:
        assert rates["precision"].value is None
    assert rates["f1"].value == pytest.approx(sk.f1_score(y, d))
    assert rates["false_positive_rate"].value == pytest.approx(fp / (fp + tn))


def test_curves_equal_scikit_learn_and_enclose_their_area() -> None:
    y, s = _made(900, 1)
    points = np.array(ours.roc_points(y, s, most=10_000))
    fpr, tpr, _ = sk.roc_curve(y, s, drop_intermediate=False)
    assert points == pytest.approx(np.column_stack([fpr, tpr]))
    assert np.trapezoid(points[:, 1], points[:, 0]) == pytest.approx(ours.auc(y, s))
    precision, recall, _ = sk.precision_recall_curve(y, s)
    pr = np.array(ours.pr_points(y, s, most=10_000))
    assert pr == pytest.approx(np.column_stack([recall, precision])[:-1][::-1])


def test_curves_are_thinned_and_keep_their_ends() -> None:
    y, s = _made(5_000, 2)
    points = ours.roc_points(y, s, most=100)
    assert len(points) <= 100
    assert (points[0], points[-1]) == ([0.0, 0.0], [1.0, 1.0])


@pytest.mark.parametrize("label", [True, False])
def test_one_class_alone_has_no_curve(label: bool) -> None:
    y, s = [label] * 3, [0.1, 0.2, 0.3]
    assert math.isnan(ours.auc(y, s))
    assert ours.roc_points(y, s) == []


def test_scores_must_be_finite_and_as_many_as_labels() -> None:
    with pytest.raises(ShapeError):
        ours.auc([True, False], [0.1, math.nan])
    with pytest.raises(ShapeError):
        ours.auc([True], [0.1, 0.2])
    with pytest.raises(ShapeError):
        ours.confusion([True], [True, False])


def test_calibration_bins_hold_every_row_once_and_brier_equals_scikit_learn() -> None:
    y, s = _made(2_000, 3)
    bins = ours.calibration_bins(y, s)
    assert sum(b["n"] for b in bins) == 2_000
    assert sum(b["n"] * b["rate"] for b in bins) == pytest.approx(y.sum())
    rate, mean = calibration_curve(y, s, n_bins=10, strategy="quantile")
    assert [b["mean_score"] for b in bins] == pytest.approx(list(mean), abs=2e-3)
    assert [b["rate"] for b in bins] == pytest.approx(list(rate), abs=2e-2)
    assert ours.brier(y, s) == pytest.approx(sk.brier_score_loss(y, s))


def test_a_constant_score_makes_one_calibration_bin() -> None:
    assert [b["n"] for b in ours.calibration_bins([True, False], [0.5, 0.5])] == [2]
    assert ours.calibration_bins([], []) == []


def test_the_score_histogram_counts_every_row() -> None:
    y, s = _made(500, 4)
    histogram = ours.score_histogram(y, s)
    assert sum(histogram["positives"]) == y.sum()
    assert sum(histogram["negatives"]) == (~y).sum()
    assert len(histogram["edges"]) == len(histogram["positives"]) + 1


@given(both_classes, st.floats(0.5, 50), st.floats(0.5, 50))
def test_no_threshold_is_cheaper_than_the_optimum(
    rows: list[tuple[bool, float]], miss: float, alarm: float
) -> None:
    y, s = (np.array(column) for column in zip(*rows, strict=True))

    def cost(threshold: float) -> float:
        d = s >= threshold
        return float(miss * np.sum(y & ~d) + alarm * np.sum(~y & d))

    best = ours.cost_optimal_threshold(y, s, false_negative=miss, false_positive=alarm)
    everything = [cost(t) for t in [*np.unique(s), 2.0]]
    assert cost(best) == pytest.approx(min(everything))
    curve = ours.cost_curve(y, s, false_negative=miss, false_positive=alarm)
    assert min(point["cost"] for point in curve) == pytest.approx(min(everything))
    for point in curve:
        assert point["cost"] == pytest.approx(cost(point["threshold"]))


def _delong_by_definition(y: NDArray[np.bool_], a: NDArray[np.float64]) -> NDArray[np.float64]:
    """Every pair compared: shape (positives, negatives)."""
    return (a[y][:, None] > a[~y][None, :]) + 0.5 * (a[y][:, None] == a[~y][None, :])


def test_delong_equals_its_definition_by_pairs() -> None:
    y, first = _made(300, 5)
    second = np.round(first + np.random.default_rng(6).normal(0, 0.1, 300), 2)
    difference = _delong_by_definition(y, first) - _delong_by_definition(y, second)
    variance = (
        difference.mean(axis=1).var(ddof=1) / y.sum()
        + difference.mean(axis=0).var(ddof=1) / (~y).sum()
    )
    found = auc_compare.delong(y, first, second)
    assert found.difference == pytest.approx(difference.mean())
    assert found.high - found.low == pytest.approx(2 * 1.959963985 * math.sqrt(variance))


def test_delong_and_the_bootstrap_agree() -> None:
    y, first = _made(600, 7)
    second = first + np.random.default_rng(8).normal(0, 0.15, 600)
    exact = auc_compare.delong(y, first, second)
    drawn = auc_compare.paired_bootstrap(y, first, second, ours.auc)
    assert drawn.difference == exact.difference
    assert (drawn.low, drawn.high) == (
        pytest.approx(exact.low, abs=0.012),
        pytest.approx(exact.high, abs=0.012),
    )
    assert drawn == auc_compare.paired_bootstrap(y, first, second, ours.auc)


def test_without_a_difference_delong_rejects_as_often_as_it_says() -> None:
    generator = np.random.default_rng(12)
    rejected = 0
    for _ in range(600):
        y = generator.random(200) < 0.3
        signal = generator.normal(size=200) + y
        a, b = signal + generator.normal(size=200), signal + generator.normal(size=200)
        rejected += auc_compare.delong(y, a, b).p < 0.05
    assert rejected / 600 == pytest.approx(0.05, abs=0.03)


def test_non_inferiority_can_be_inconclusive() -> None:
    y, first = _made(60, 13)
    second = first + np.random.default_rng(14).normal(0, 0.3, 60)
    assert auc_compare.delong(y, second, first).not_worse_by(0.0) in {None, False}
    assert auc_compare.delong(y, first, first).not_worse_by(0.0) is True
    assert auc_compare.Comparison(0.5, 0.9, -0.4, -0.5, -0.3, 0.0).not_worse_by(0.02) is False


def test_perfect_separation_still_has_an_honest_interval() -> None:
    interval = auc_compare.auc_interval([False] * 20 + [True] * 5, list(range(25)))
    assert interval.value == 1.0
    assert interval.low is not None
    assert interval.low < 0.7


def test_the_auc_interval_covers_the_truth() -> None:
    truth = 0.7602499  # Φ(1 / √2): normals one standard deviation apart
    generator = np.random.default_rng(15)
    covered = 0
    for _ in range(600):
        y = np.repeat([True, False], [40, 120])
        found = auc_compare.auc_interval(y, generator.normal(size=160) + y)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
    assert covered / 600 == pytest.approx(0.95, abs=0.025)


def test_a_bootstrap_interval_surrounds_its_value() -> None:
    y, s = _made(300, 16)
    found = auc_compare.bootstrap_interval(y, s, ours.average_precision, resamples=300)
    assert found.low is not None
    assert found.value is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    assert auc_compare.bootstrap_interval([], [], ours.auc).value is None
