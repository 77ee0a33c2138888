"""Which share of the features in use was younger than its promise?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from countersign.statistics.proportions import wilson

TARGET = 0.99


def judge_freshness(
    ages_seconds: Mapping[str, ArrayLike],
    sla_seconds: Mapping[str, float],
    *,
    refused: Mapping[str, int] | None = None,
    target: float = TARGET,
) -> dict[str, Any]:
    """Compliance per name (a feature or a view) and over all.

    Parameters
    ----------
    ages_seconds : mapping of name to array, each of shape (k,)
        Ages when read; NaN is a value that was missing, negative one from the future: neither is fresh.
    sla_seconds : mapping of name to float
        The oldest age allowed. A name without one is left out.
    refused : mapping of name to int
        How often a request was refused because this feature was not fresh: read, and not in the ages.
    target : float
        The share that must be fresh, all together.

    Returns
    -------
    dict
        `{verdict: normal|alert|insufficient data, reason, n, compliance: {value, low, high}, by_name: {…}}`
    """
    by_name: dict[str, Any] = {}
    fresh = total = 0
    unfit = dict(refused or {})
    for name in sorted((set(ages_seconds) | set(unfit)) & set(sla_seconds)):
        ages = np.asarray(ages_seconds.get(name, ()), dtype=np.float64)
        good = int(np.count_nonzero((ages >= 0) & (ages <= sla_seconds[name])))
        oldest = float(np.nanmax(ages)) if np.isfinite(ages).any() else None
        read = int(ages.size) + unfit.get(name, 0)
        share = asdict(wilson(good, read))
        by_name[name] = {
            "n": read,
            "fresh": good,
            "refused": unfit.get(name, 0),
            "oldest_seconds": oldest,
            **share,
        }
        fresh, total = fresh + good, total + read
    compliance = wilson(fresh, total)
    if compliance.value is None:
        verdict, reason = "insufficient data", "no feature ages to judge"
    elif compliance.value < target:
        verdict, reason = "alert", f"{compliance.value:.2%} fresh, below {target:.0%}"
    else:
        verdict, reason = "normal", f"{compliance.value:.2%} fresh"
    return {
        "verdict": verdict,
        "reason": reason,
        "n": total,
        "compliance": asdict(compliance),
        "by_name": by_name,
    }
