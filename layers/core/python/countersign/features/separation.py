"""How well one column alone tells the label: what an honest feature does not do, a leak does.

Needs numpy; the leakage of values through time is in `leakage`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.statistics.auc_compare import auc_interval

# A single honest feature does not separate the label almost perfectly.
SUSPICIOUS = 0.98
# Of fewer rows of a class nothing can be said: noise separates three rows one time in ten.
FEWEST = 5
MOST_CLASSES = 20
_IDENTITY = 0.95

Numbers = NDArray[np.float64]
Labels = NDArray[Any]


def separation(values: Numbers, labels: Labels) -> dict[str, Any]:
    """The area under the ROC curve of a column alone, and of whether it is null.

    Parameters
    ----------
    values : array of float, shape (n,)
        NaN is null.
    labels : array, shape (n,)
        Two or more classes; with more than two, the one that is told best against the rest.

    Returns
    -------
    dict
        `{auc, low, high, null_auc, class, verdict, why}`; areas from 0.5 to 1, None where a class has
        fewer than five rows. `verdict`: plausible, suspicious, constant or not judged.
    """
    present = np.isfinite(values)
    classes = np.unique(labels)
    if classes.size > MOST_CLASSES or classes.size < 2:
        return _unjudged(f"{classes.size} classes")
    best: dict[str, Any] = _unjudged("too few rows of a class")
    null_best: float | None = None
    for one in classes if classes.size > 2 else classes[-1:]:
        hit = labels == one
        found = _area(values[present], hit[present])
        if found is not None and (best["auc"] is None or found["auc"] > best["auc"]):
            best = {**found, "class": _plain(one)}
        nulls = _of_nulls(present, hit)
        null_best = nulls if null_best is None else max(null_best, nulls or 0.0)
    return {**best, "null_auc": null_best, **_verdict(values[present], best["auc"], null_best)}


def of_texts(values: Labels, labels: Labels) -> dict[str, Any]:
    """The same for texts: each stands for the share of the commonest class among its rows.

    Many texts of few rows each would tell any label by heart: they are not judged.
    """
    masked = np.ma.getmaskarray(values)
    texts, place = np.unique(
        np.where(masked, "", np.asarray(values, dtype=str)), return_inverse=True
    )
    if texts.size >= _IDENTITY * values.size:
        return _unjudged("it names the rows") | {"verdict": "identity"}
    if texts.size * FEWEST > values.size:
        return _unjudged("too many texts of few rows each")
    classes = np.unique(labels)
    hit = (labels == classes[-1]).astype(float)
    shares = np.bincount(place, weights=hit) / np.bincount(place)
    return separation(np.where(masked, np.nan, shares[place]), labels)


def _verdict(present: Numbers, area: float | None, null_area: float | None) -> dict[str, str]:
    told = []
    if area is not None and area > SUSPICIOUS:
        told.append(f"alone it separates the label with an AUC of {area:.3f}")
    if null_area is not None and null_area > SUSPICIOUS:
        told.append(f"being null separates the label with an AUC of {null_area:.3f}")
    if told:
        return {"verdict": "suspicious", "why": "; ".join(told)}
    if present.size and (present == present[0]).all():
        return {"verdict": "constant", "why": "every value is the same"}
    if _counts_rows(present):
        return {"verdict": "identity", "why": "it numbers the rows"}
    if area is None:
        return {"verdict": "not judged", "why": "too few rows of a class"}
    return {"verdict": "plausible", "why": ""}


def _area(values: Numbers, hit: NDArray[np.bool_]) -> dict[str, Any] | None:
    positives = int(hit.sum())
    if min(positives, hit.size - positives) < FEWEST:
        return None
    found = auc_interval(hit, values)
    if found.value is None or found.low is None or found.high is None:
        return None
    auc, low, high = found.value, found.low, found.high
    if auc < 0.5:
        auc, low, high = 1 - auc, 1 - high, 1 - low
    return {"auc": round(auc, 6), "low": round(low, 6), "high": round(high, 6)}


def _of_nulls(present: NDArray[np.bool_], hit: NDArray[np.bool_]) -> float | None:
    positives = int(hit.sum())
    if min(positives, hit.size - positives) < FEWEST:
        return None
    return round(0.5 + abs(float(present[hit].mean() - present[~hit].mean())) / 2, 6)


def _counts_rows(present: Numbers) -> bool:
    """Whole numbers, each once, with hardly a gap: a row number or a serial."""
    if present.size < FEWEST or (present != np.floor(present)).any():
        return False
    span = float(present.max() - present.min()) + 1
    return span <= present.size / _IDENTITY and np.unique(present).size == present.size


def _unjudged(why: str) -> dict[str, Any]:
    nothing = dict.fromkeys(("auc", "low", "high", "null_auc", "class"))
    return {**nothing, "verdict": "not judged", "why": why}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
