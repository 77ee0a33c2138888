"""Frozen bins: how a feature's values are cut, and a fast count of values into them.

Values are cut as float32, the numbers the model sees, so that a value which float32 cannot hold exactly
falls into one bin at training time and afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]
Values = NDArray[Any] | Sequence[Any]


def as_singles(values: Values) -> Singles:
    """Values as float32; None becomes NaN, and what float32 cannot hold becomes infinite."""
    if isinstance(values, np.ndarray) and values.dtype == np.float32:
        return np.ascontiguousarray(values)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.ascontiguousarray(np.asarray(values, dtype=np.float64), dtype=np.float32)


def is_text(values: Values) -> bool:
    """Whether values are categories rather than numbers."""
    array = np.asarray(values)
    if array.dtype.kind in "US":
        return True
    return array.dtype == object and any(isinstance(value, str) for value in array.tolist())


def decile_edges(values: Singles, bins: int) -> list[float]:
    """Inner edges at the quantiles, duplicates merged; a bin is (previous edge, edge], the outer ones open.

    An edge lies half way between two values that were seen, so that a level which moves a little (a
    country's average) stays in its bin. Where many rows share the smallest or the largest value, one more
    edge keeps a bin for what lies beyond everything seen. A constant gets a bin that only it fits.
    """
    seen = np.unique(values[np.isfinite(values)])
    if not seen.size:
        return [0.0]
    if seen.size == 1:
        return _usable([np.nextafter(seen[0], np.float32(-np.inf)), seen[0]])
    finite = values[np.isfinite(values)]
    cuts = np.quantile(finite, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf")
    chosen = np.unique(np.searchsorted(seen, cuts.astype(np.float32)))
    exact = seen.astype(np.float64)
    beyond = np.append(exact, 1.5 * exact[-1] - 0.5 * exact[-2])
    with np.errstate(over="ignore"):
        middles = ((beyond[:-1] + beyond[1:]) / 2).astype(np.float32)
        middles[-1] = np.float32(beyond[-1])
        below = np.float32(1.5 * exact[0] - 0.5 * exact[1])
    rounded_up = np.append(middles[:-1] >= seen[1:], False)
    edges = list(np.where(rounded_up, seen, middles)[chosen])
    if chosen[0] == 0:
        edges.insert(0, min(below, np.nextafter(seen[0], np.float32(-np.inf))))
    return _usable(edges)


def _usable(edges: Sequence[np.float32]) -> list[float]:
    """Finite edges, each once, in order."""
    return sorted({float(edge) for edge in edges if np.isfinite(edge)}) or [0.0]


def count_numbers(values: Singles, edges: list[float]) -> list[int]:
    """Rows per bin, then the null bin (NaN) and the unseen bin (±∞). One pass per edge."""
    above = [int(np.count_nonzero(values > np.float32(edge))) for edge in edges]
    nulls = int(np.count_nonzero(np.isnan(values)))
    high = int(np.count_nonzero(np.isposinf(values)))
    low = int(np.count_nonzero(np.isneginf(values)))
    at_least = [values.size - nulls, *above, 0]
    counts = [upper - lower for upper, lower in pairwise(at_least)]
    counts[0] -= low
    counts[-1] -= high
    return [*counts, nulls, high + low]


def count_equal_widths(values: Singles, low: float, high: float, bins: int) -> list[int]:
    """Finite rows per equal width between low and high; values outside go to the end bins."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return [0] * bins
    width = (high - low) / bins
    if not width > 0:
        return [int(finite.size), *[0] * (bins - 1)]
    edges = (low + width * np.arange(1, bins)).astype(np.float32)
    above = [finite.size, *(int(np.count_nonzero(finite >= edge)) for edge in edges), 0]
    return [upper - lower for upper, lower in pairwise(above)]


def count_categories(values: Values, categories: list[str]) -> list[int]:
    """Rows per known category, then the null bin (None, NaN, empty text) and the unseen bin."""
    found = by_category(values)
    known = [found.pop(category, 0) for category in categories]
    return [*known, len(values) - sum(known) - sum(found.values()), sum(found.values())]


def by_category(values: Values) -> dict[str, int]:
    """Rows per category, nulls left out."""
    named = [str(value) for value in values if not is_missing(value)]
    found, counts = np.unique(np.array(named, dtype=str), return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def is_missing(value: Any) -> bool:
    """None, NaN or empty text."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))
