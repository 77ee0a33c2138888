"""Rates: intervals, sample sizes, power, and what is fair between groups."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countersign.statistics.errors import ShapeError
from countersign.statistics.special import log_choose, normal_cdf, normal_quantile

FOUR_FIFTHS = 0.8
SMALLEST_GROUP = 30
RATES = ("selection_rate", "tpr", "fpr", "fnr")


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence interval; all None when there was nothing to count."""

    value: float | None
    low: float | None
    high: float | None


def wilson(successes: float, trials: float, *, confidence: float = 0.95) -> Interval:
    """The share of successes with Wilson's score interval; (None, None, None) for no trials.

    Source
    ------
    E. B. Wilson, Probable inference, the law of succession, and statistical inference (1927).
    """
    if trials == 0:
        return Interval(None, None, None)
    if not 0 <= successes <= trials:
        raise ShapeError("0 ≤ successes ≤ trials is needed")
    z = normal_quantile(0.5 + confidence / 2)
    share, shrink = successes / trials, 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / shrink
    half = z / shrink * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return Interval(share, low, high)


def sample_size(p1: float, p2: float, *, alpha: float = 0.05, power: float = 0.80) -> int:
    """Rows **per arm** for a two-sided pooled z-test to tell two rates apart.

    >>> sample_size(0.02, 0.03), sample_size(0.02, 0.025)
    (3826, 13809)

    Raises
    ------
    ValueError      the rates are equal: no sample is large enough
    """
    if p1 == p2:
        raise ValueError("two equal rates cannot be told apart by any sample")
    mean = (p1 + p2) / 2
    under_null = normal_quantile(1 - alpha / 2) * math.sqrt(2 * mean * (1 - mean))
    under_effect = normal_quantile(power) * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    return math.ceil(((under_null + under_effect) / (p1 - p2)) ** 2)


def power(p1: float, p2: float, per_arm: int, *, alpha: float = 0.05) -> float:
    """The chance that the same test with `per_arm` rows in each arm finds the difference."""
    mean = (p1 + p2) / 2
    null = normal_quantile(1 - alpha / 2) * math.sqrt(2 * mean * (1 - mean) / per_arm)
    spread = math.sqrt((p1 * (1 - p1) + p2 * (1 - p2)) / per_arm)
    if spread == 0:
        return float(p1 != p2)
    gap = abs(p1 - p2)
    return normal_cdf((gap - null) / spread) + normal_cdf((-gap - null) / spread)


def fisher_exact(k1: int, n1: int, k2: int, n2: int) -> float:
    """Two-sided Fisher p of k1 of n1 against k2 of n2: all tables no likelier than the one seen."""
    if not (0 <= k1 <= n1 and 0 <= k2 <= n2):
        raise ShapeError("0 ≤ k ≤ n is needed on both sides")
    k = k1 + k2
    low, high = max(0, k - n2), min(k, n1)
    whole = log_choose(n1 + n2, k)
    logs = [log_choose(n1, i) + log_choose(n2, k - i) - whole for i in range(low, high + 1)]
    seen = logs[k1 - low]
    return min(1.0, sum(math.exp(value) for value in logs if value <= seen + 1e-7))


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Rates of one group. Not judged when it has fewer rows than the minimum size."""

    value: str
    n: int
    positives: int
    judged: bool
    selection_rate: Interval
    tpr: Interval
    fpr: Interval
    fnr: Interval


def group_rates(
    groups: ArrayLike,
    labels: ArrayLike,
    decisions: ArrayLike,
    *,
    smallest: int = SMALLEST_GROUP,
    ratio_at_least: float = FOUR_FIFTHS,
    gap_at_most: float | None = None,
) -> dict[str, Any]:
    """Rates by group, the selection-rate ratio (four-fifths) and the FPR and FNR gaps, as plain JSON.

    Parameters
    ----------
    groups : array, shape (n,)
        Each row's group, compared as text.
    labels, decisions : array of bool, shape (n,)
        The truth, and whether the model selected the row.
    smallest : int
        Groups with fewer rows are reported, not judged.
    ratio_at_least : float
        The lowest group's selection rate over the highest's must reach it.
    gap_at_most : float or None
        The FPR and FNR gaps must not pass it; None leaves them informational.

    Returns
    -------
    dict
        `{"rows": […], "selection_rate_ratio", "fpr_gap", "fnr_gap", "verdict": PASS|FAIL|INSUFFICIENT}`.
        INSUFFICIENT when fewer than two groups can be judged. FNR needs positives: a group without is left out.
    """
    g = np.asarray(groups).astype(str)
    y, d = np.asarray(labels).astype(bool), np.asarray(decisions).astype(bool)
    if not g.shape == y.shape == d.shape or g.ndim != 1:
        raise ShapeError("groups, labels and decisions must be vectors of one length")
    rows = [
        _group_row(value, y[g == value], d[g == value], smallest) for value in np.unique(g).tolist()
    ]
    judged = [row for row in rows if row.judged]
    ratio = _ratio([row.selection_rate.value for row in judged])
    gaps = {name: _gap([getattr(row, name).value for row in judged]) for name in ("fpr", "fnr")}
    verdict = _fair(
        len(judged), ratio, gaps, ratio_at_least=ratio_at_least, gap_at_most=gap_at_most
    )
    figures = {"selection_rate_ratio": ratio, "fpr_gap": gaps["fpr"], "fnr_gap": gaps["fnr"]}
    return {"rows": [asdict(row) for row in rows], **figures, "verdict": verdict}


def _group_row(value: str, y: NDArray[np.bool_], d: NDArray[np.bool_], smallest: int) -> GroupRow:
    positives, n = int(y.sum()), int(y.size)
    caught = int((y & d).sum())
    return GroupRow(
        value=value,
        n=n,
        positives=positives,
        judged=n >= smallest,
        selection_rate=wilson(int(d.sum()), n),
        tpr=wilson(caught, positives),
        fpr=wilson(int((~y & d).sum()), n - positives),
        fnr=wilson(positives - caught, positives),
    )


def _known(rates: list[float | None]) -> list[float]:
    return [rate for rate in rates if rate is not None]


def _ratio(rates: list[float | None]) -> float | None:
    known = _known(rates)
    if len(known) < 2:
        return None
    return min(known) / max(known) if max(known) > 0 else 1.0


def _gap(rates: list[float | None]) -> float | None:
    known = _known(rates)
    return max(known) - min(known) if len(known) >= 2 else None


def _fair(
    judged: int,
    ratio: float | None,
    gaps: Mapping[str, float | None],
    *,
    ratio_at_least: float,
    gap_at_most: float | None,
) -> Literal["PASS", "FAIL", "INSUFFICIENT"]:
    if judged < 2 or ratio is None:
        return "INSUFFICIENT"
    too_far = gap_at_most is not None and any(
        gap is not None and gap > gap_at_most for gap in gaps.values()
    )
    return "FAIL" if ratio < ratio_at_least or too_far else "PASS"
