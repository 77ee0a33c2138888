"""Distances between two distributions: KS, chi-square, Jensen–Shannon, KL, Wasserstein."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countersign.statistics.errors import ShapeError
from countersign.statistics.special import chi_square_tail, kolmogorov_tail

Floats = NDArray[np.float64]
EXACT_CELLS = 4_000_000
SMALLEST_EXPECTED = 5.0


@dataclass(frozen=True, slots=True)
class KsResult:
    """D in [0, 1] and its two-sided p."""

    d: float
    p: float
    method: Literal["exact", "asymptotic"]


@dataclass(frozen=True, slots=True)
class ChiSquareResult:
    """A two-sample contingency test over the categories left after merging; df 0 means nothing to test."""

    statistic: float
    df: int
    p: float
    merged: int


def ks_two_sample(first: ArrayLike, second: ArrayLike) -> KsResult:
    """Two-sample Kolmogorov–Smirnov: exact p up to 4 million cells n·m, else the limiting law.

    Parameters
    ----------
    first, second : array of float, shape (n,) and (m,)
        Raw values; NaN is left out, infinities count as the extremes.

    Raises
    ------
    ShapeError      a sample has no value

    Source
    ------
    J. L. Hodges, The significance probability of the Smirnov two-sample test (1958); Stephens' correction
    (1970) for the limiting law.
    """
    a, b = _sorted_numbers(first), _sorted_numbers(second)
    pooled = np.concatenate([a, b])
    gaps = (
        np.searchsorted(a, pooled, side="right") / a.size
        - np.searchsorted(b, pooled, side="right") / b.size
    )
    d = float(np.max(np.abs(gaps)))
    if a.size * b.size <= EXACT_CELLS:
        return KsResult(d, _ks_exact_p(d, a.size, b.size), "exact")
    return KsResult(d, ks_asymptotic_p(d, a.size, b.size), "asymptotic")


def ks_of_counts(reference: ArrayLike, current: ArrayLike) -> KsResult:
    """KS over ordered bins: D at the bins' edges, a lower bound of the D of the raw values, so p is conservative."""
    r, c = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    if r.shape != c.shape or r.sum() <= 0 or c.sum() <= 0:
        raise ShapeError("KS of counts needs two histograms over the same bins, each with rows")
    d = float(np.max(np.abs(np.cumsum(r) / r.sum() - np.cumsum(c) / c.sum())))
    return KsResult(d, ks_asymptotic_p(d, int(r.sum()), int(c.sum())), "asymptotic")


def ks_asymptotic_p(d: float, n: int, m: int) -> float:
    """Kolmogorov's limit at the effective size n·m / (n + m), with Stephens' correction."""
    root = math.sqrt(n * m / (n + m))
    return kolmogorov_tail((root + 0.12 + 0.11 / root) * d)


def _sorted_numbers(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64).ravel()
    array = np.sort(array[~np.isnan(array)])
    if not array.size:
        raise ShapeError("KS needs at least one value on each side")
    return array


def _ks_exact_p(d: float, n: int, m: int) -> float:
    """One minus the share of lattice paths from (0, 0) to (n, m) that stay strictly within distance d."""
    n, m = min(n, m), max(n, m)
    step = math.gcd(n, m)
    height = round(
        d * n * m / step
    )  # in units of step / (n·m), where every distance is a whole number
    if height == 0:
        return 1.0
    columns = np.arange(m + 1, dtype=np.int64) * (n // step)
    paths = np.where(columns < height, 1.0, 0.0)
    log_scale = 0.0
    for row in range(1, n + 1):
        inside = np.abs(columns - row * (m // step)) < height
        paths = np.where(inside, np.cumsum(np.where(inside, paths, 0.0)), 0.0)
        largest = float(paths.max())
        if largest <= 0:
            return 1.0
        paths /= largest
        log_scale += math.log(largest)
    if paths[-1] <= 0:
        return 1.0
    log_total = math.lgamma(n + m + 1) - math.lgamma(n + 1) - math.lgamma(m + 1)
    return min(1.0, max(0.0, 1.0 - math.exp(math.log(float(paths[-1])) + log_scale - log_total)))


def chi_square_two_sample(reference: ArrayLike, current: ArrayLike) -> ChiSquareResult:
    """Two-sample contingency test, no continuity correction; categories with an expected count < 5 are merged.

    Parameters
    ----------
    reference, current : array of int, shape (n_categories,)
        Row counts, unseen categories included.
    """
    table = np.array(
        [np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)]
    )
    if table.ndim != 2 or table.shape[1] < 1:
        raise ShapeError("chi-square needs two rows of counts over the same categories")
    table = table[:, table.sum(axis=0) > 0]
    before = table.shape[1]
    table = _merge_small(table)
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
        return ChiSquareResult(0.0, 0, 1.0, before - table.shape[1])
    expected = _expected(table)
    statistic = float(np.sum((table - expected) ** 2 / expected))
    df = table.shape[1] - 1
    return ChiSquareResult(statistic, df, chi_square_tail(statistic, df), before - table.shape[1])


def _expected(table: Floats) -> Floats:
    return np.asarray(
        np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum(), dtype=np.float64
    )


def _merge_small(table: Floats) -> Floats:
    """Pool the two rarest categories until every expected count is at least 5, or one category is left."""
    while table.shape[1] > 1 and table.sum() > 0 and _expected(table).min() < SMALLEST_EXPECTED:
        order = np.argsort(table.sum(axis=0), kind="stable")
        pooled = table[:, order[:2]].sum(axis=1, keepdims=True)
        table = np.hstack([table[:, order[2:]], pooled])
    return table


def _as_shares(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    total = float(array.sum())
    if array.ndim != 1 or (array < 0).any() or not total > 0:
        raise ShapeError("shares must be a vector of non-negative numbers with a positive sum")
    return array / total


def kl_divergence(of: ArrayLike, against: ArrayLike) -> float:
    """KL(of ‖ against) in nats; infinite where `of` has mass and `against` has none. Inputs are normalised."""
    p, q = _as_shares(of), _as_shares(against)
    if p.shape != q.shape:
        raise ShapeError("KL needs two vectors of the same length")
    mass = p > 0
    if (q[mass] == 0).any():
        return math.inf
    return max(0.0, float(np.sum(p[mass] * np.log(p[mass] / q[mass]))))


def jensen_shannon_distance(first: ArrayLike, second: ArrayLike) -> float:
    """The Jensen–Shannon *distance* (the square root of the divergence), base 2, in [0, 1].

    >>> round(jensen_shannon_distance([0.5, 0.5], [0.9, 0.1]), 4)
    0.3831
    """
    p, q = _as_shares(first), _as_shares(second)
    middle = (p + q) / 2
    divergence = (kl_divergence(p, middle) + kl_divergence(q, middle)) / 2 / math.log(2.0)
    return math.sqrt(min(1.0, max(0.0, divergence)))


def wasserstein(reference: ArrayLike, current: ArrayLike) -> tuple[float, float]:
    """The first Wasserstein distance, raw and divided by the reference's standard deviation.

    Returns
    -------
    (raw, scaled) : float
        `raw` in the values' unit; `scaled` is 0 when raw is 0 and infinite when only the reference is constant.
    """
    r, c = _sorted_numbers(reference), _sorted_numbers(current)
    points = np.sort(np.concatenate([r, c]))
    widths = np.diff(points)
    gaps = (
        np.searchsorted(r, points[:-1], side="right") / r.size
        - np.searchsorted(c, points[:-1], side="right") / c.size
    )
    raw = float(np.sum(np.abs(gaps) * widths))
    deviation = float(np.std(r))
    scaled = raw / deviation if deviation > 0 else (0.0 if raw == 0 else math.inf)
    return raw, scaled
