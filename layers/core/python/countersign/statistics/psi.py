"""The population stability index, with the sample size taken seriously."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countersign.statistics.errors import ShapeError
from countersign.statistics.special import chi_square_quantile, chi_square_tail

Verdict = Literal["stable", "watch", "alert", "insufficient data"]
Counts = NDArray[np.float64]

WATCH_AT = 0.1
ALERT_AT = 0.2
ALPHA = 0.01
PERMUTATION_BELOW = 50
PERMUTATIONS = 4_999


@dataclass(frozen=True, slots=True)
class PsiResult:
    """One comparison. `needed` is the current n at which the level in question would stand out, if any n can."""

    psi: float
    verdict: Verdict
    n: int
    m: int
    bins: int
    critical: float
    p: float
    method: Literal["chi-square", "permutation", "none"]
    needed: int | None
    reason: str


def laplace_shares(counts: ArrayLike) -> NDArray[np.float64]:
    """Shares (k + ½) / (n + B/2) along the last axis, so that no bin is ever empty."""
    k = np.asarray(counts, dtype=np.float64)
    total = k.sum(axis=-1, keepdims=True)
    return np.asarray((k + 0.5) / (total + k.shape[-1] / 2.0), dtype=np.float64)


def population_stability_index(
    reference: Sequence[int] | Counts, current: Sequence[int] | Counts
) -> float:
    """PSI between two histograms over the same bins, with Laplace shares.

    Bins that are empty on both sides carry no information and are left out.

    Parameters
    ----------
    reference, current : sequence of int, shape (n_bins,)
        Row counts per bin; the null bin and the unseen bin are the last two.

    Returns
    -------
    float
        At least 0, in nats. Below 0.1 stable, 0.2 and above alert, if it exceeds its critical value.

    Raises
    ------
    ShapeError      lengths differ, or fewer than two bins

    Source
    ------
    B. Yurdakul, Statistical Properties of PSI (2018).

    Examples
    --------
    >>> round(population_stability_index([100, 100, 100], [120, 100, 80]), 4)
    0.0268
    """
    live_reference, live_current = _live_bins(reference, current)
    return _psi_of_shares(laplace_shares(live_reference), laplace_shares(live_current))


def _psi_of_shares(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    return float(np.sum((q - p) * np.log(q / p)))


def _live_bins(
    reference: Sequence[int] | Counts, current: Sequence[int] | Counts
) -> tuple[Counts, Counts]:
    r, c = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    if r.ndim != 1 or r.shape != c.shape or r.size < 2:
        raise ShapeError(
            f"PSI needs two histograms over the same two or more bins, got {r.shape} and {c.shape}"
        )
    live = (r > 0) | (c > 0)
    return (r[live], c[live]) if live.any() else (r, c)


def null_critical_value(n: int, m: int, bins: int, *, alpha: float = ALPHA) -> float:
    """The PSI that no drift exceeds with probability `alpha`: (1/n + 1/m) · χ²_{B−1, 1−α}."""
    return (1.0 / n + 1.0 / m) * chi_square_quantile(1.0 - alpha, max(bins, 2) - 1)


def null_p_value(psi: float, n: int, m: int, bins: int) -> float:
    """P(PSI ≥ psi) when nothing has changed, by the same law."""
    return chi_square_tail(psi / (1.0 / n + 1.0 / m), max(bins, 2) - 1)


def rows_needed(level: float, m: int, bins: int, *, alpha: float = ALPHA) -> int | None:
    """The smallest n whose critical value is at most `level`; None when m alone is too small for any n."""
    room = level / chi_square_quantile(1.0 - alpha, max(bins, 2) - 1) - 1.0 / m
    return math.ceil(1.0 / room) if room > 0 else None


def permutation_null(
    reference: Counts, current: Counts, *, draws: int = PERMUTATIONS, seed: int = 0
) -> Counts:
    """PSI of `draws` random relabellings of the pooled rows, shape (draws,)."""
    pooled = (reference + current).astype(np.int64)
    generator = np.random.default_rng(seed)
    drawn = generator.multivariate_hypergeometric(
        pooled, int(current.sum()), size=draws, method="marginals"
    )
    q, p = laplace_shares(drawn), laplace_shares(pooled - drawn)
    return np.asarray(np.sum((q - p) * np.log(q / p), axis=1), dtype=np.float64)


def _permutation_p(psi: float, null: Counts) -> float:
    """Share of the null at or above `psi`; beyond every draw, the tail of a chi-square with the null's two moments."""
    reached = int(np.sum(null >= psi * (1 - 1e-12)))
    p = (1.0 + reached) / (null.size + 1.0)
    mean, variance = float(null.mean()), float(null.var())
    if reached or not variance > 0:
        return p
    return min(p, chi_square_tail(2 * mean * psi / variance, 2 * mean * mean / variance))


def psi_test(
    reference: Sequence[int] | Counts,
    current: Sequence[int] | Counts,
    *,
    watch_at: float = WATCH_AT,
    alert_at: float = ALERT_AT,
    alpha: float = ALPHA,
    seed: int = 0,
) -> PsiResult:
    """PSI with its critical value, p and a verdict that is never an alarm about noise.

    Alert: PSI ≥ `alert_at` and above the critical value for (n, m, B, alpha); watch likewise. A PSI that reaches a
    level without exceeding the critical value, or too few rows to see an alert at all, is "insufficient data".
    Below 50 current rows the null is a seeded permutation of the pooled rows, else the chi-square law.
    """
    r, c = _live_bins(reference, current)
    n, m, bins = int(c.sum()), int(r.sum()), int(r.size)
    if n == 0 or m == 0:
        reason = "no current rows" if n == 0 else "no reference rows"
        needed = rows_needed(alert_at, m, bins, alpha=alpha) if m else None
        return PsiResult(
            0.0, "insufficient data", n, m, bins, math.inf, 1.0, "none", needed, reason
        )
    psi = _psi_of_shares(laplace_shares(r), laplace_shares(c))
    critical, p = null_critical_value(n, m, bins, alpha=alpha), null_p_value(psi, n, m, bins)
    method: Literal["chi-square", "permutation"] = "chi-square"
    if n < PERMUTATION_BELOW and bins >= 2:
        null = permutation_null(r, c, seed=seed)
        critical = float(np.quantile(null, 1.0 - alpha, method="higher"))
        p = _permutation_p(psi, null)
        method = "permutation"
    verdict, level, reason = _judge(psi, critical, watch_at=watch_at, alert_at=alert_at)
    needed = rows_needed(level, m, bins, alpha=alpha) if verdict == "insufficient data" else None
    return PsiResult(psi, verdict, n, m, bins, critical, p, method, needed, reason)


def _judge(
    psi: float, critical: float, *, watch_at: float, alert_at: float
) -> tuple[Verdict, float, str]:
    if psi >= watch_at and psi > critical:
        verdict: Verdict = "alert" if psi >= alert_at else "watch"
        return verdict, watch_at, f"PSI {psi:.3f} is above the critical value {critical:.3f}"
    if psi >= watch_at:
        level = alert_at if psi >= alert_at else watch_at
        return (
            "insufficient data",
            level,
            f"PSI {psi:.3f} is within what noise gives ({critical:.3f}) at this size",
        )
    if critical > alert_at:
        return (
            "insufficient data",
            alert_at,
            f"too few rows to tell a PSI of {alert_at:g} from noise ({critical:.3f})",
        )
    return "stable", alert_at, f"PSI {psi:.3f} is below {watch_at:g}"
