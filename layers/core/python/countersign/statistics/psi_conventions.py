"""PSI as other tools compute it, so that a reader can compare. We never alert on these."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countersign.statistics.errors import ShapeError

FLOOR = 1e-4


def psi_of_floored_counts(reference: ArrayLike, current: ArrayLike) -> float:
    """PSI with plain shares k / n, an empty bin's share replaced by 1e-4 (by a millionth of the
    smallest share, where that share is itself at most 1e-4). NaN when a side has no rows.
    """
    r, c = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    if r.shape != c.shape or r.ndim != 1:
        raise ShapeError(
            f"two histograms over the same bins are needed, got {r.shape} and {c.shape}"
        )
    if r.sum() <= 0 or c.sum() <= 0:
        return math.nan
    p, q = _fill_empty(r / r.sum()), _fill_empty(c / c.sum())
    return float(np.sum((p - q) * np.log(p / q)))


def _fill_empty(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    smallest = float(shares[shares > 0].min())
    return np.where(shares == 0, smallest / 1e6 if smallest <= FLOOR else FLOOR, shares)


def psi_evidently(reference: ArrayLike, current: ArrayLike) -> float:
    """Evidently's convention for a numeric column: Sturges' equal-width bins over both samples pooled.

    Parameters
    ----------
    reference, current : array of float, shape (m,) and (n,)
        Raw values; non-finite ones are left out.
    """
    r, c = _finite(reference), _finite(current)
    if not r.size or not c.size:
        return math.nan
    edges = np.histogram_bin_edges(np.concatenate([r, c]), bins="sturges")
    return psi_of_floored_counts(np.histogram(r, edges)[0], np.histogram(c, edges)[0])


def psi_equal_width(reference: ArrayLike, current: ArrayLike, *, bins: int = 10) -> float:
    """The textbook convention: `bins` equal widths over the reference's range; values outside go to the end bins.

    One extreme reference value stretches every bin, which blinds it: the reason that we do not use it.
    """
    r, c = _finite(reference), _finite(current)
    if not r.size or not c.size:
        return math.nan
    edges = np.histogram_bin_edges(r, bins=bins)
    inside = np.clip(c, edges[0], edges[-1])
    return psi_of_floored_counts(np.histogram(r, edges)[0], np.histogram(inside, edges)[0])


def sturges_bins(rows: int) -> int:
    """Sturges' number of bins for `rows` values: ⌈log₂ rows + 1⌉."""
    return max(1, math.ceil(math.log2(max(rows, 1)) + 1))


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    return array[np.isfinite(array)]
