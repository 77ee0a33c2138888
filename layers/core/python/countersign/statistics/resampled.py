"""Intervals of means over few distinct values, by a bootstrap that draws counts instead of rows."""

from collections.abc import Sequence

import numpy as np

from countersign.statistics.errors import ShapeError
from countersign.statistics.proportions import Interval

RESAMPLES = 2_000


def mean_interval(
    counts: Sequence[int],
    values: Sequence[float],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The mean of `values`, each seen as often as `counts` says, with its percentile bootstrap interval.

    Resampling n rows of k distinct values is one draw of a multinomial, so a million rows cost as little as ten.

    Parameters
    ----------
    counts : sequence of int, shape (k,)
        How many rows have each value.
    values : sequence of float, shape (k,)
        In one unit, which is the result's.
    confidence : float
        Of the interval.
    resamples, seed : int
        How many draws, and what they start from.

    Returns
    -------
    Interval
        All None without rows.

    Raises
    ------
    ShapeError      as many values as counts are needed
    """
    if len(counts) != len(values):
        raise ShapeError("as many values as counts are needed")
    rows = int(sum(counts))
    if not rows:
        return Interval(None, None, None)
    shares = np.asarray(counts, dtype=np.float64) / rows
    worth = np.asarray(values, dtype=np.float64)
    drawn = np.random.default_rng(seed).multinomial(rows, shares, size=resamples) @ worth / rows
    low, high = np.quantile(drawn, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Interval(float(shares @ worth), float(low), float(high))
