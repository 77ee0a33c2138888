"""What is measured of the groups of one column: rates, the ratio of the extremes, gaps, score against outcome.

Every interval counts rows for as many as they are worth: a worker's payslips share their habits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.declare import FairnessGroup
from countersign.learning.native import Floats
from countersign.statistics.groups import Share, clustered_share, gap_interval, ratio_interval
from countersign.statistics.proportions import group_rates

Bools = NDArray[np.bool_]
GAPS = ("fpr", "fnr")
_SHARES = ("selection_rate", "tpr", "fpr", "fnr")


def measure_groups(
    group: FairnessGroup,
    values: NDArray[Any],
    judged: tuple[Bools, Bools],
    clusters: NDArray[np.int64],
    scores: Floats | None = None,
) -> dict[str, Any]:
    """The rows and figures of one column of evaluation.json's `fairness`, without a verdict.

    Parameters
    ----------
    group : FairnessGroup
        The column, and from how many rows on a group is judged.
    values : array, shape (n_rows,)
        Each row's group.
    judged : (bool, bool), each of shape (n_rows,)
        What should have been selected, and what was.
    clusters : int, shape (n_rows,)
        Rows of one number belong together.
    scores : float, shape (n_rows,), optional
        What the decision was taken on; its mean stands beside the rate of each group.
    """
    wanted, chosen = judged
    names = values.astype(str)
    found = group_rates(
        names, wanted, chosen, smallest=group.minimum_rows, ratio_at_least=group.minimum_ratio
    )
    worth = {}
    for row in found["rows"]:
        own = names == row["value"]
        worth[row["value"]] = shares = _shares(wanted[own], chosen[own], clusters[own])
        row |= {name: asdict(share.interval()) for name, share in shares.items()}
        row["clusters"] = len(np.unique(clusters[own]))
        row["outcome_rate"] = asdict(clustered_share(wanted[own], clusters[own]).interval())
        row["mean_score"] = None if scores is None else float(scores[own].mean())
    known = {r["value"]: worth[r["value"]] for r in found["rows"] if r["judged"]}
    return {
        **found,
        "minimum_rows": group.minimum_rows,
        "minimum_ratio": group.minimum_ratio,
        "too_small": [{"value": r["value"], "n": r["n"]} for r in found["rows"] if not r["judged"]],
        "selection": _ratio(known),
        **{name: _gap(known, name, found["rows"]) for name in GAPS},
    }


def _shares(wanted: Bools, chosen: Bools, clusters: NDArray[np.int64]) -> dict[str, Share]:
    hits = {
        "selection_rate": (chosen, np.ones_like(chosen)),
        "tpr": (chosen, wanted),
        "fpr": (chosen, ~wanted),
        "fnr": (~chosen, wanted),
    }
    return {
        name: clustered_share(hits[name][0][at], clusters[at]) for name, (_, at) in hits.items()
    }


def _extremes(known: Mapping[str, Mapping[str, Share]], rate: str) -> tuple[str, str] | None:
    """The groups with the lowest and the highest rate, the first of equals; None when fewer than two have one."""
    values = {name: shares[rate].value for name, shares in known.items()}
    there = {name: value for name, value in values.items() if value is not None}
    if len(there) < 2:
        return None
    ordered = sorted(there, key=lambda name: there[name])
    return ordered[0], ordered[-1]


def _ratio(known: Mapping[str, Mapping[str, Share]]) -> dict[str, Any] | None:
    ends = _extremes(known, "selection_rate")
    if ends is None:
        return None
    low, high = (known[name]["selection_rate"] for name in ends)
    found = ratio_interval(low, high)
    value = 1.0 if found.value is None else found.value  # nobody is selected in either
    return {
        "lowest": ends[0], "highest": ends[1], "ratio": value, "low": found.low, "high": found.high,
    }  # fmt: skip


def _gap(
    known: Mapping[str, Mapping[str, Share]], rate: str, rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """The widest gap, and of how many rows each of its ends is a share: a rate of two rows says little."""
    sizes = {r["value"]: r["positives"] if rate == "fnr" else r["n"] - r["positives"] for r in rows}
    ends = _extremes(known, rate)
    if ends is None:
        return None
    low, high = (known[name][rate] for name in ends)
    found = gap_interval(high, low)
    return {
        "lowest": ends[0], "highest": ends[1], "lowest_rate": low.value, "highest_rate": high.value,
        "lowest_rows": sizes[ends[0]], "highest_rows": sizes[ends[1]],
        "gap": found.value, "low": found.low, "high": found.high,
    }  # fmt: skip
