"""The mean of each class's AUC against the rest, with an interval that knows they share their rows."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countersign.statistics.classification import midranks
from countersign.statistics.errors import ShapeError
from countersign.statistics.proportions import Interval
from countersign.statistics.special import normal_quantile


def macro_auc_interval(
    target: ArrayLike, scores: ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """The mean one-against-the-rest AUC, on the logit scale; all None when a class has no row, or every row.

    Parameters
    ----------
    target : array of int, shape (n,)
        Each row's class.
    scores : array of float, shape (n, n_classes)
        A score for each class.
    confidence : float
        Of the interval.

    Source
    ------
    DeLong, DeLong and Clarke-Pearson (1988): the components of each AUC, added up by row before their
    variance is taken, because a row takes part in every class's AUC.
    """
    classes, s = np.asarray(target), np.asarray(scores, dtype=np.float64)
    if s.ndim != 2 or classes.shape != s.shape[:1]:
        raise ShapeError("a class for each row and a score for each class are needed")
    n, n_classes = s.shape
    there = [int((classes == number).sum()) for number in range(n_classes)]
    if any(count in (0, n) for count in there):
        return Interval(None, None, None)
    parts = [_influence(classes == number, s[:, number]) for number in range(n_classes)]
    value = float(np.mean([area for area, _ in parts]))
    pull = np.mean([each for _, each in parts], axis=0)
    spread = math.sqrt(float(np.sum(pull**2))) / n
    if not 0 < value < 1 or spread == 0:
        return Interval(value, None, None)
    half = normal_quantile(0.5 + confidence / 2) * spread / (value * (1 - value))
    logit = math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-(logit + side * half))) for side in (-1, 1))
    return Interval(value, low, high)


def _influence(y: NDArray[np.bool_], s: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """The AUC, and how each row pulls at it; shape (n,)."""
    positives, negatives = int(y.sum()), int((~y).sum())
    everyone, pull = midranks(s), np.empty(y.size)
    above = (everyone[y] - midranks(s[y])) / negatives
    below = 1.0 - (everyone[~y] - midranks(s[~y])) / positives
    area = float(above.mean())
    pull[y] = (above - area) * y.size / positives
    pull[~y] = (below - area) * y.size / negatives
    return area, pull
