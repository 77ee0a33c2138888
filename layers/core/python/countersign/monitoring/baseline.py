"""A baseline: all that monitoring remembers of the training data. Plain JSON, frozen with the model.

```
{"schema": 1, "rows": m, "features": {name: profile}, "score": profile}
numeric profile      {"kind": "numeric", "n", "edges": [inner edges], "counts": [bins…, null, unseen],
                      "mean", "std", "min", "max" (of finite values; null if none),
                      "quantiles": [101 values from minimum to maximum; [] if none],
                      "equal_width": [10 counts], "sturges": [counts]}   (both between min and max)
categorical profile  {"kind": "categorical", "n", "categories": [names], "counts": [names…, null, unseen]}
```
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from countersign.errors import DataError
from countersign.monitoring.bins import (
    Singles,
    Values,
    as_singles,
    by_category,
    count_categories,
    count_equal_widths,
    count_numbers,
    decile_edges,
    is_text,
)
from countersign.statistics.psi_conventions import sturges_bins

SCHEMA = 1
BINS = 10
QUANTILES = 101
MOST_CATEGORIES = 50

Profile = dict[str, Any]


def freeze(features: Mapping[str, Values], scores: Values, *, bins: int = BINS) -> dict[str, Any]:
    """The baseline of a model from its training features and its scores on them.

    Parameters
    ----------
    features : mapping of name to array, each of shape (m,)
        Numbers (NaN or None is null) or texts (categories).
    scores : array of float, shape (m,) or another number of rows
        The model's scores, on rows it was not fitted to where there are such.
    bins : int
        Quantile bins per numeric feature, before duplicates merge.

    Raises
    ------
    DataError       no features, no rows, or features of different lengths
    """
    lengths = {len(values) for values in features.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise DataError("A baseline needs features of one length with at least one row")
    profiles = {name: profile(values, bins=bins) for name, values in features.items()}
    return {
        "schema": SCHEMA,
        "rows": lengths.pop(),
        "features": profiles,
        "score": _numeric(as_singles(scores), bins),
    }


def profile(values: Values, *, bins: int = BINS) -> Profile:
    """The profile of one feature: its bins, and how its rows fall into them."""
    return _categorical(values) if is_text(values) else _numeric(as_singles(values), bins)


def _numeric(values: Singles, bins: int) -> Profile:
    edges = decile_edges(values, bins)
    finite = values[np.isfinite(values)].astype(np.float64)
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    grid = np.linspace(0, 1, QUANTILES)
    return {
        "kind": "numeric",
        "n": int(values.size),
        "edges": edges,
        "counts": count_numbers(values, edges),
        **moments(values),
        "quantiles": np.quantile(finite, grid).tolist() if finite.size else [],
        "equal_width": count_equal_widths(values, low, high, BINS),
        "sturges": count_equal_widths(values, low, high, sturges_bins(int(finite.size))),
    }


def moments(values: Singles) -> dict[str, float | None]:
    """Mean, standard deviation, minimum and maximum of the finite values; None where there are none."""
    finite = values if np.isfinite(values).all() else values[np.isfinite(values)]
    if not finite.size:
        return {"mean": None, "std": None, "min": None, "max": None}
    return {
        "mean": float(np.mean(finite, dtype=np.float64)),
        "std": float(np.std(finite, dtype=np.float64)),
        "min": float(finite.min()),
        "max": float(finite.max()),
    }


def _categorical(values: Values) -> Profile:
    """The commonest categories get a bin each; the rest of them would be "unseen" ever after."""
    found = by_category(values)
    categories = sorted(sorted(found, key=lambda name: -found[name])[:MOST_CATEGORIES])
    return {
        "kind": "categorical",
        "n": len(values),
        "categories": categories,
        "counts": count_categories(values, categories),
    }
