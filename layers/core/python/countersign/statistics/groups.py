"""Two groups' rates against each other, when rows come in clusters such as the payslips of one worker."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from countersign.statistics.errors import ShapeError
from countersign.statistics.proportions import Interval, wilson
from countersign.statistics.special import normal_quantile


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `rows`, counted as the independent rows that they are worth; both may be fractions."""

    hits: float
    rows: float

    @property
    def value(self) -> float | None:
        """The rate; None without rows."""
        return self.hits / self.rows if self.rows else None

    def interval(self, *, confidence: float = 0.95) -> Interval:
        """Wilson's interval at the effective number of rows."""
        found = wilson(self.hits, self.rows, confidence=confidence)
        return Interval(self.value, found.low, found.high)


def clustered_share(hits: ArrayLike, clusters: ArrayLike) -> Share:
    """The share of hits, with its rows divided by the design effect of their clusters.

    Parameters
    ----------
    hits : array of bool, shape (n,)
        What is counted.
    clusters : array, shape (n,)
        Rows with the same value belong together.

    Returns
    -------
    Share
        The design effect is the variance between clusters over that of independent rows, at least 1. Where every
        row is a hit, or none is, it cannot be seen: then each cluster counts as one row.

    Source
    ------
    E. Korn and B. Graubard, Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data (1998).
    """
    counted, (_, who) = np.asarray(hits, dtype=bool), np.unique(clusters, return_inverse=True)
    if counted.shape != who.shape:
        raise ShapeError("as many clusters as hits are needed")
    if not counted.size:
        return Share(0.0, 0.0)
    rate, n, n_clusters = float(counted.mean()), counted.size, int(who.max()) + 1
    if rate in (0.0, 1.0) or n_clusters == 1:
        return Share(rate * n_clusters, float(n_clusters))
    beyond = np.bincount(who, counted) - rate * np.bincount(who)
    between = float(np.sum(beyond**2)) * n_clusters / (n_clusters - 1)
    worth = n / max(1.0, between / (n * rate * (1 - rate)))
    return Share(rate * worth, worth)


def ratio_interval(low: Share, high: Share, *, confidence: float = 0.95) -> Interval:
    """The rate of `low` over that of `high`, on the log scale; all None where `high` has no hit.

    With no hit in `low`, half a hit is added to both, so that a limit above zero can be named.

    Source
    ------
    D. Katz et al., Obtaining confidence intervals for the risk ratio in cohort studies (1978).
    """
    one, two = low.value, high.value
    if one is None or not two:
        return Interval(None, None, None)
    extra = 0.0 if low.hits else 0.5
    k1, n1, k2, n2 = (part + extra for part in (low.hits, low.rows, high.hits, high.rows))
    spread = math.sqrt(max(0.0, 1 / k1 - 1 / n1 + 1 / k2 - 1 / n2))
    half = normal_quantile(0.5 + confidence / 2) * spread
    centre = math.log((k1 / n1) / (k2 / n2))
    least = math.exp(centre - half) if low.hits else 0.0
    return Interval(one / two, least, math.exp(centre + half))


def gap_interval(high: Share, low: Share, *, confidence: float = 0.95) -> Interval:
    """The rate of `high` less that of `low`; all None when either has no rows.

    Source
    ------
    R. Newcombe, Interval estimation for the difference between independent proportions (1998), method 10.
    """
    one, two = (share.interval(confidence=confidence) for share in (high, low))
    p1, p2 = one.value, two.value
    if p1 is None or p2 is None:
        return Interval(None, None, None)
    l1, u1, l2, u2 = (float(edge or 0.0) for edge in (one.low, one.high, two.low, two.high))
    below = math.hypot(p1 - l1, u2 - p2)
    above = math.hypot(u1 - p1, p2 - l2)
    return Interval(p1 - p2, p1 - p2 - below, p1 - p2 + above)
