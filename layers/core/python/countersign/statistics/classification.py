"""How well do scores separate two classes, and where should the line be?"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countersign.statistics.errors import ShapeError
from countersign.statistics.proportions import Interval, wilson

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def labels_and_scores(labels: ArrayLike, scores: ArrayLike) -> tuple[Bools, Floats]:
    """Two vectors of one length, the scores finite; else ShapeError."""
    y, s = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    if y.ndim != 1 or y.shape != s.shape:
        raise ShapeError(
            f"labels and scores must be vectors of one length, got {y.shape} and {s.shape}"
        )
    if not np.isfinite(s).all():
        raise ShapeError("every score must be finite")
    return y, s


def midranks(values: Floats) -> Floats:
    """Ranks from 1, ties sharing their mean."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2.0)[where], dtype=np.float64)


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve, ties counting half; NaN when a class is absent."""
    y, s = labels_and_scores(labels, scores)
    positives = int(y.sum())
    negatives = y.size - positives
    if not positives or not negatives:
        return math.nan
    ranks = float(midranks(s)[y].sum())
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def _cumulative(y: Bools, s: Floats) -> tuple[Floats, Floats, Floats]:
    """Thresholds in falling order, with true and false positives at score ≥ threshold."""
    order = np.argsort(-s, kind="stable")
    ranked = s[order]
    last = (
        np.append(np.flatnonzero(np.diff(ranked)), ranked.size - 1)
        if ranked.size
        else np.array([], dtype=int)
    )
    caught = np.cumsum(y[order])[last].astype(np.float64)
    return ranked[last], caught, last + 1.0 - caught


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Σ (recall step) · precision, over distinct scores, not interpolated; NaN without positives."""
    y, s = labels_and_scores(labels, scores)
    if not y.any():
        return math.nan
    _, tp, fp = _cumulative(y, s)
    steps = np.diff(np.concatenate([[0.0], tp])) / y.sum()
    return float(np.sum(steps * tp / (tp + fp)))


def roc_points(labels: ArrayLike, scores: ArrayLike, *, most: int = 200) -> list[list[float]]:
    """[[false positive rate, true positive rate]] from [0, 0] to [1, 1], thinned to about `most` points; [] if a class is absent."""
    y, s = labels_and_scores(labels, scores)
    if y.all() or not y.any():
        return []
    _, tp, fp = _cumulative(y, s)
    points = np.column_stack([fp / (y.size - y.sum()), tp / y.sum()])
    return _thin(np.vstack([[0.0, 0.0], points]), most)


def pr_points(labels: ArrayLike, scores: ArrayLike, *, most: int = 200) -> list[list[float]]:
    """[[recall, precision]] by rising recall, thinned to about `most` points; [] without positives."""
    y, s = labels_and_scores(labels, scores)
    if not y.any():
        return []
    _, tp, fp = _cumulative(y, s)
    return _thin(np.column_stack([tp / y.sum(), tp / (tp + fp)]), most)


def _thin(points: Floats, most: int) -> list[list[float]]:
    kept = np.unique(np.linspace(0, len(points) - 1, min(most, len(points))).round().astype(int))
    return [[float(x), float(y)] for x, y in points[kept]]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts at one threshold; a row is selected when its score is at or above it."""

    tp: int
    fp: int
    fn: int
    tn: int


def confusion(labels: ArrayLike, decisions: ArrayLike) -> Confusion:
    """Count decisions (bool, shape (n,)) against the truth (bool, shape (n,))."""
    y, d = np.asarray(labels).astype(bool), np.asarray(decisions).astype(bool)
    if y.shape != d.shape:
        raise ShapeError("as many decisions as labels are needed")
    tp, fp = int((y & d).sum()), int((~y & d).sum())
    return Confusion(tp, fp, int(y.sum()) - tp, int((~y).sum()) - fp)


def rates(counts: Confusion, *, confidence: float = 0.95) -> dict[str, Interval]:
    """Precision, recall, F1 and false positive rate with intervals; a rate with no denominator is None throughout.

    F1's interval follows from 2·TP / (2·TP + FP + FN): it is F = 2J / (1 + J) of Jaccard's J = TP / (TP + FP + FN),
    a plain proportion, so Wilson's limits carry over.
    """
    jaccard = wilson(counts.tp, counts.tp + counts.fp + counts.fn, confidence=confidence)
    return {
        "precision": wilson(counts.tp, counts.tp + counts.fp, confidence=confidence),
        "recall": wilson(counts.tp, counts.tp + counts.fn, confidence=confidence),
        "f1": Interval(
            *(
                None if j is None else 2 * j / (1 + j)
                for j in (jaccard.value, jaccard.low, jaccard.high)
            )
        ),
        "false_positive_rate": wilson(counts.fp, counts.fp + counts.tn, confidence=confidence),
    }


def brier(labels: ArrayLike, scores: ArrayLike) -> float:
    """Mean squared difference between score and outcome; NaN without rows."""
    y, s = labels_and_scores(labels, scores)
    return float(np.mean((s - y) ** 2)) if y.size else math.nan


def calibration_bins(
    labels: ArrayLike, scores: ArrayLike, *, bins: int = 10
) -> list[dict[str, Any]]:
    """Mean score against observed rate in up to `bins` groups of equal size, with Wilson intervals.

    Rows with one score stay together, so a discrete score gives fewer bins. Empty list without rows.
    """
    y, s = labels_and_scores(labels, scores)
    if not y.size:
        return []
    edges = np.unique(np.quantile(s, np.linspace(0, 1, bins + 1)[1:-1]))
    index = np.searchsorted(edges, s, side="left")
    found = []
    for one in np.unique(index):
        inside = index == one
        rate = wilson(int(y[inside].sum()), int(inside.sum()))
        found.append(
            {
                "low": float(s[inside].min()),
                "high": float(s[inside].max()),
                "n": int(inside.sum()),
                "mean_score": float(s[inside].mean()),
                "rate": rate.value,
                "rate_low": rate.low,
                "rate_high": rate.high,
            }
        )
    return found


def score_histogram(labels: ArrayLike, scores: ArrayLike, *, bins: int = 25) -> dict[str, Any]:
    """Counts of each class over equal widths of [0, 1], or of the scores' own range where it is wider."""
    y, s = labels_and_scores(labels, scores)
    low, high = min(0.0, float(s.min(initial=0.0))), max(1.0, float(s.max(initial=1.0)))
    edges = np.linspace(low, high, bins + 1)
    return {
        "edges": edges.tolist(),
        "negatives": np.histogram(s[~y], edges)[0].tolist(),
        "positives": np.histogram(s[y], edges)[0].tolist(),
    }


def cost_curve(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    false_negative: float,
    false_positive: float,
    most: int = 200,
) -> list[dict[str, float]]:
    """Total cost at each distinct threshold, ascending, about `most` of them, the cheapest always kept.

    Parameters
    ----------
    labels, scores : array, shape (n,)
        The truth, and the score; a row is selected at score ≥ threshold.
    false_negative, false_positive : float
        The cost of one of each, in one unit.
    most : int
        How many points to keep.
    """
    thresholds, costs = _costs(labels, scores, false_negative, false_positive)
    kept = np.unique(np.linspace(0, costs.size - 1, min(most, costs.size)).round().astype(int))
    kept = np.union1d(kept, [int(np.argmin(costs))]) if costs.size else kept
    return [{"threshold": float(thresholds[i]), "cost": float(costs[i])} for i in kept]


def cost_optimal_threshold(
    labels: ArrayLike, scores: ArrayLike, *, false_negative: float, false_positive: float
) -> float:
    """The threshold of least total cost; of equals the highest, which selects fewest. Score ≥ threshold is selected."""
    thresholds, costs = _costs(labels, scores, false_negative, false_positive)
    if not costs.size:
        raise ShapeError("a threshold needs at least one row")
    cheapest = np.flatnonzero(costs <= costs.min() * (1 + 1e-12))
    return float(thresholds[cheapest[-1]])


def _costs(
    labels: ArrayLike, scores: ArrayLike, miss: float, false_alarm: float
) -> tuple[Floats, Floats]:
    """Ascending thresholds and their costs; the last selects nothing."""
    y, s = labels_and_scores(labels, scores)
    thresholds, tp, fp = _cumulative(y, s)
    costs = (y.sum() - tp) * miss + fp * false_alarm
    if not thresholds.size:
        return thresholds, costs
    nothing = float(np.nextafter(thresholds[0], np.inf))
    return np.append(thresholds[::-1], nothing), np.append(costs[::-1], y.sum() * miss)
