"""The mean AUC of classes against scikit-learn and a bootstrap; means of few values against one of rows."""

import numpy as np
import pytest
from countersign.statistics.auc_compare import auc_interval
from countersign.statistics.auc_macro import macro_auc_interval
from countersign.statistics.errors import ShapeError
from countersign.statistics.proportions import Interval
from countersign.statistics.resampled import mean_interval
from sklearn.metrics import roc_auc_score


def sample(n: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    target = random.choice(3, n, p=[0.5, 0.3, 0.2])
    logits = random.normal(0, 1, (n, 3)) + 0.8 * np.eye(3)[target]
    shares = np.exp(logits)
    return target, shares / shares.sum(axis=1, keepdims=True)


def test_the_value_is_scikit_learns_and_the_interval_a_bootstraps() -> None:
    target, scores = sample(600)
    found = macro_auc_interval(target, scores)
    assert found.value == pytest.approx(roc_auc_score(target, scores, multi_class="ovr"))
    random = np.random.default_rng(1)
    drawn = []
    for _ in range(400):
        at = random.integers(600, size=600)
        drawn.append(roc_auc_score(target[at], scores[at], multi_class="ovr"))
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (found.low, found.high) == (
        pytest.approx(low, abs=0.006),
        pytest.approx(high, abs=0.006),
    )


def test_two_classes_are_delongs() -> None:
    target, scores = sample(400)
    yes = target == 0
    both = np.column_stack([1 - scores[:, 0], scores[:, 0]])
    ours, delong = macro_auc_interval(yes.astype(int), both), auc_interval(yes, scores[:, 0])
    assert ours.value == pytest.approx(delong.value)
    assert ours.low == pytest.approx(delong.low, abs=1e-3)


def test_a_class_without_rows_leaves_nothing_to_say() -> None:
    assert macro_auc_interval([0, 1, 0], np.full((3, 3), 1 / 3)) == Interval(None, None, None)
    with pytest.raises(ShapeError):
        macro_auc_interval([0, 1], [0.5, 0.5])


def test_a_mean_of_few_values_has_the_interval_of_its_rows() -> None:
    counts, values = [40, 25, 935], [500.0, 20.0, 0.0]
    found = mean_interval(counts, values)
    rows = np.repeat(values, counts)
    random = np.random.default_rng(4)
    drawn = [rows[random.integers(1_000, size=1_000)].mean() for _ in range(2_000)]
    assert found.value == pytest.approx(rows.mean())
    assert found.low == pytest.approx(np.quantile(drawn, 0.025), rel=0.03)
    assert found.high == pytest.approx(np.quantile(drawn, 0.975), rel=0.03)


def test_no_rows_have_no_mean_and_every_count_needs_a_value() -> None:
    assert mean_interval([0, 0], [1.0, 2.0]) == Interval(None, None, None)
    with pytest.raises(ShapeError):
        mean_interval([1], [1.0, 2.0])
