"""Two models on the same rows: McNemar's test and the effect with its interval."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from countersign.statistics.errors import ShapeError
from countersign.statistics.special import binomial_half_two_sided, chi_square_tail, normal_quantile

EXACT_BELOW = 25


@dataclass(frozen=True, slots=True)
class McNemarResult:
    """`b` rows where only the first model is right, `c` where only the second is."""

    b: int
    c: int
    p: float
    method: Literal["exact", "chi-square"]


@dataclass(frozen=True, slots=True)
class Effect:
    """A difference with its confidence interval."""

    value: float
    low: float
    high: float


def mcnemar(b: int, c: int) -> McNemarResult:
    """Exact two-sided binomial when b + c < 25, else chi-square with continuity correction.

    >>> round(mcnemar(3, 12).p, 4)
    0.0352
    """
    if b + c < EXACT_BELOW:
        return McNemarResult(b, c, binomial_half_two_sided(b, b + c), "exact")
    statistic = max(0.0, abs(b - c) - 1.0) ** 2 / (b + c)
    return McNemarResult(b, c, chi_square_tail(statistic, 1), "chi-square")


def paired_effect(b: int, c: int, n: int, *, confidence: float = 0.95) -> Effect:
    """(b − c) / n with the adjusted Wald interval of Agresti and Min (half a row added to each of the four cells).

    Source
    ------
    A. Agresti and Y. Min, Simple improved confidence intervals for comparing matched proportions (2005).
    """
    if n <= 0 or b < 0 or c < 0 or b + c > n:
        raise ShapeError("0 ≤ b + c ≤ n with n > 0 is needed")
    z = normal_quantile(0.5 + confidence / 2)
    bb, cc, nn = b + 0.5, c + 0.5, n + 2.0
    middle = (bb - cc) / nn
    half = z * math.sqrt(max(0.0, bb + cc - (bb - cc) ** 2 / nn)) / nn
    return Effect((b - c) / n, max(-1.0, middle - half), min(1.0, middle + half))


def paired_effect_clustered(
    differences: ArrayLike, clusters: ArrayLike, *, confidence: float = 0.95
) -> Effect:
    """The mean difference with an interval that lets rows of one worker depend on each other.

    Parameters
    ----------
    differences : array of float, shape (n,)
        Per row: first model's correctness minus the second's.
    clusters : array, shape (n,)
        Whose row it is. One cluster alone gives no interval: low and high are ∓∞.
    confidence : float
        Of the interval, normally 0.95.

    Source
    ------
    Cluster-robust (CR1) variance of a mean, Liang and Zeger (1986).
    """
    d = np.asarray(differences, dtype=np.float64)
    _, owner = np.unique(np.asarray(clusters), return_inverse=True)
    if d.ndim != 1 or d.shape != owner.shape or not d.size:
        raise ShapeError("one cluster per difference, and at least one row")
    mean, groups = float(d.mean()), int(owner.max()) + 1
    if groups < 2:
        return Effect(mean, -math.inf, math.inf)
    sums = np.bincount(owner, weights=d - mean, minlength=groups)
    error = math.sqrt(groups / (groups - 1) * float(np.sum(sums**2))) / d.size
    half = normal_quantile(0.5 + confidence / 2) * error
    return Effect(mean, mean - half, mean + half)
