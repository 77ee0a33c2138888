"""Many tests at once."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values that control the false discovery rate, in the order given; NaN counts as 1.

    Source
    ------
    Y. Benjamini and Y. Hochberg, Controlling the false discovery rate (1995).
    """
    p = np.nan_to_num(np.asarray(p_values, dtype=np.float64), nan=1.0)
    order = np.argsort(p, kind="stable")[::-1]
    ranks = np.arange(p.size, 0, -1)
    adjusted = np.empty(p.size)
    adjusted[order] = (
        np.minimum(1.0, np.minimum.accumulate(p[order] * p.size / ranks)) if p.size else p
    )
    return adjusted
