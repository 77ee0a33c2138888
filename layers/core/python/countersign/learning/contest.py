"""Rules alone, model alone, and both: what each finds on the same rows, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from countersign.declare import CostMatrix
from countersign.learning.dataset import Rows
from countersign.learning.metrics import measure
from countersign.learning.native import Floats
from countersign.learning.scoring import Scores
from countersign.statistics.paired import mcnemar
from countersign.statistics.proportions import Interval
from countersign.statistics.resampled import mean_interval

if TYPE_CHECKING:
    from countersign.serving.session import ModelSession

Bools = NDArray[np.bool_]
COMPARED = (
    "auc", "average_precision", "precision", "recall", "f1", "false_positive_rate", "selection_rate",
    "cost", "cost_per_1000",
)  # fmt: skip
BETTER = ("model", "hybrid")


def compare_with_rules(
    costs: CostMatrix, session: ModelSession, test: Rows, scores: Scores
) -> dict[str, Any]:
    """Rules alone, model alone, and both, each at its own cost-optimal threshold of the validation rows.

    `discordant` counts the rows that only the model, or only the rules, decide right; `p` is McNemar's.
    `saved_per_1000` is what model and hybrid cost less than the rules, with the interval of the paired
    difference; `unaided` is what it costs per 1 000 rows to look at none of them, or at all.
    """
    decision = session.serving["decision"]
    contestants = {
        "rules": (scores.rules, float(decision["rules_only_threshold"])),
        "model": (scores.model, float(decision["model_only_threshold"])),
        "hybrid": (scores.final, session.threshold),
    }
    chosen = {name: values >= threshold for name, (values, threshold) in contestants.items()}
    spent = {name: row_costs(test.label, each, costs) for name, each in chosen.items()}
    return {
        **{
            name: _figures(measure(test.label, values, threshold, costs), threshold)
            for name, (values, threshold) in contestants.items()
        },
        **discord({name: each == test.label for name, each in chosen.items()}),
        "rows": len(test),
        "currency": costs.currency,
        "saved_per_1000": {name: _saved(spent["rules"] - spent[name]) for name in BETTER},
        "unaided": {
            name: float(row_costs(test.label, np.full(len(test), looked), costs).mean() * 1_000)
            for name, looked in (("review_none", False), ("review_all", True))
        },
    }


def discord(right: Mapping[str, Bools]) -> dict[str, Any]:
    """McNemar's counts and p of the model, and of the hybrid, against the rules."""
    found: dict[str, Any] = {}
    for name, count, p in (
        ("model", "discordant", "p"),
        ("hybrid", "hybrid_discordant", "hybrid_p"),
    ):
        own = int((right[name] & ~right["rules"]).sum())
        theirs = int((right["rules"] & ~right[name]).sum())
        found |= {count: {f"{name}_only": own, "rules_only": theirs}, p: mcnemar(own, theirs).p}
    return found


def row_costs(labels: Bools, chosen: Bools, costs: CostMatrix) -> Floats:
    """What each row costs, in minor units; shape (n,)."""
    missed = labels & ~chosen
    return np.asarray(
        missed * costs.false_negative_minor
        + (~labels & chosen) * costs.false_positive_minor
        + (labels & chosen) * costs.true_positive_minor,
        dtype=np.float64,
    )


def _figures(found: Mapping[str, Interval], threshold: float) -> dict[str, Any]:
    return {
        **{name: found[name].value for name in COMPARED},
        "threshold": threshold,
        "intervals": {
            name: [found[name].low, found[name].high]
            for name in COMPARED
            if found[name].low is not None
        },
    }


def _saved(differences: Floats) -> dict[str, float | None]:
    values, counts = np.unique(differences, return_counts=True)
    found = mean_interval(counts.tolist(), (values * 1_000).tolist())
    return {"value": found.value, "low": found.low, "high": found.high}
