"""Is the candidate's AUC at least the champion's? DeLong, and a paired bootstrap for anything else."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countersign.statistics.classification import Bools, Floats, labels_and_scores, midranks
from countersign.statistics.errors import ShapeError
from countersign.statistics.proportions import Interval, wilson
from countersign.statistics.special import normal_quantile, normal_two_sided

RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """Candidate minus champion, with its interval and the two-sided p of no difference."""

    candidate: float
    champion: float
    difference: float
    low: float
    high: float
    p: float

    def not_worse_by(self, margin: float) -> bool | None:
        """True when the interval lies above −margin, False when it lies below, None when it cannot say."""
        if self.low >= -margin:
            return True
        return False if self.high < -margin else None


def _placements(y: Bools, s: Floats) -> tuple[float, Floats, Floats]:
    """AUC, and each positive's and each negative's structural component."""
    positives, negatives = int(y.sum()), int((~y).sum())
    if not positives or not negatives:
        raise ShapeError("DeLong needs rows of both classes")
    everyone = midranks(s)
    above = (everyone[y] - midranks(s[y])) / negatives
    below = 1.0 - (everyone[~y] - midranks(s[~y])) / positives
    return float(above.mean()), above, below


def _covariance(first: tuple[Floats, Floats], second: tuple[Floats, Floats]) -> float:
    """Covariance of two AUCs; a class with one row contributes no spread."""
    total = 0.0
    for a, b in zip(first, second, strict=True):
        if a.size > 1:
            total += float(np.sum((a - a.mean()) * (b - b.mean()))) / (a.size - 1) / a.size
    return total


def auc_interval(labels: ArrayLike, scores: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """AUC with DeLong's variance on the logit scale, so that the interval stays inside [0, 1].

    All None without both classes. Where DeLong sees no spread (perfect separation), Wilson's interval for the
    smaller class says how little that proves.
    """
    y, s = labels_and_scores(labels, scores)
    if y.all() or not y.any():
        return Interval(None, None, None)
    value, above, below = _placements(y, s)
    spread = math.sqrt(max(0.0, _covariance((above, below), (above, below))))
    if not 0 < value < 1 or spread == 0:
        smaller = int(min(y.sum(), (~y).sum()))
        low = wilson(math.floor(value * smaller), smaller, confidence=confidence).low
        return Interval(
            value, low, wilson(math.ceil(value * smaller), smaller, confidence=confidence).high
        )
    half = normal_quantile(0.5 + confidence / 2) * spread / (value * (1 - value))
    logit = math.log(value / (1 - value))
    return Interval(value, 1 / (1 + math.exp(-(logit - half))), 1 / (1 + math.exp(-(logit + half))))


def delong(
    labels: ArrayLike, candidate: ArrayLike, champion: ArrayLike, *, confidence: float = 0.95
) -> Comparison:
    """Compare the AUCs of two scores on the same rows.

    Parameters
    ----------
    labels : array of bool, shape (n,)
        The truth, with both classes present.
    candidate, champion : array of float, shape (n,)
        Scores of the same rows.
    confidence : float
        Of the interval of the difference.

    Raises
    ------
    ShapeError      lengths differ, a score is not finite, or a class is absent

    Source
    ------
    DeLong, DeLong and Clarke-Pearson (1988); Sun and Xu's fast algorithm (2014).
    """
    y, first = labels_and_scores(labels, candidate)
    _, second = labels_and_scores(labels, champion)
    one, *components_one = _placements(y, first)
    two, *components_two = _placements(y, second)
    a, b = (components_one[0], components_one[1]), (components_two[0], components_two[1])
    variance = max(0.0, _covariance(a, a) + _covariance(b, b) - 2 * _covariance(a, b))
    difference, error = one - two, math.sqrt(variance)
    if error == 0:
        return Comparison(one, two, difference, difference, difference, float(difference == 0))
    half = normal_quantile(0.5 + confidence / 2) * error
    p = normal_two_sided(difference / error)
    return Comparison(one, two, difference, difference - half, difference + half, p)


Metric = Callable[[Bools, Floats], float]


def bootstrap_interval(
    labels: ArrayLike,
    scores: ArrayLike,
    metric: Metric,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap of metric(labels, scores), resampling rows with a seed; undefined resamples are left out."""
    y, s = labels_and_scores(labels, scores)
    value = metric(y, s) if y.size else math.nan
    if not math.isfinite(value):
        return Interval(None, None, None)
    drawn = np.array([metric(y[rows], s[rows]) for rows in _rows(y.size, resamples, seed)])
    low, high = _limits(drawn, confidence)
    return Interval(value, low, high)


def paired_bootstrap(
    labels: ArrayLike,
    candidate: ArrayLike,
    champion: ArrayLike,
    metric: Metric,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Candidate minus champion in any metric, resampling rows (both scores together) with a seed.

    The p is twice the smaller share of resamples on either side of zero, and at least 2 / (resamples + 1).
    """
    y, first = labels_and_scores(labels, candidate)
    _, second = labels_and_scores(labels, champion)
    one, two = metric(y, first), metric(y, second)
    drawn = np.array(
        [
            metric(y[rows], first[rows]) - metric(y[rows], second[rows])
            for rows in _rows(y.size, resamples, seed)
        ]
    )
    drawn = drawn[np.isfinite(drawn)]
    low, high = _limits(drawn, confidence)
    tail = min(int(np.sum(drawn <= 0)), int(np.sum(drawn >= 0)))
    return Comparison(one, two, one - two, low, high, min(1.0, 2 * (tail + 1) / (drawn.size + 1)))


def _rows(n: int, resamples: int, seed: int) -> list[NDArray[np.int64]]:
    generator = np.random.default_rng(seed)
    return [generator.integers(0, n, size=n) for _ in range(resamples)]


def _limits(drawn: Floats, confidence: float) -> tuple[float, float]:
    kept = drawn[np.isfinite(drawn)]
    if not kept.size:
        raise ShapeError("the metric is undefined on every resample")
    low, high = np.quantile(kept, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return float(low), float(high)
