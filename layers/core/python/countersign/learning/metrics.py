"""What is measured of a candidate, each figure with its 95 % interval where it has one."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from countersign.declare import CostMatrix, Gate
from countersign.learning.dataset import Rows
from countersign.learning.native import Floats
from countersign.serving.hybrid import combine
from countersign.serving.rules import score_rules
from countersign.statistics.auc_compare import auc_interval, bootstrap_interval
from countersign.statistics.classification import (
    Confusion,
    average_precision,
    brier,
    confusion,
    rates,
)
from countersign.statistics.proportions import Interval, wilson
from countersign.statistics.psi import population_stability_index
from countersign.statistics.resampled import mean_interval

if TYPE_CHECKING:
    from countersign.serving.session import ModelSession

RESAMPLES = 500
_TIMED_ROWS = 200


def measure(
    labels: Any,
    scores: Floats,
    threshold: float,
    costs: CostMatrix,
    *,
    resamples: int = RESAMPLES,
) -> dict[str, Interval]:
    """The metrics of scores (n,) against labels (n,) when a row is selected at score ≥ threshold.

    `auc` by DeLong, `average_precision` and `brier` by a seeded bootstrap, shares by Wilson; `cost` (the
    total, in minor units) and `cost_per_1000` rows by a bootstrap of the four counts. Without `resamples`
    the two that resample rows are left out.
    """
    counts = confusion(labels, scores >= threshold)
    found = {"auc": auc_interval(labels, scores), **rates(counts)}
    for name, figure in (("average_precision", average_precision), ("brier", brier)):
        if resamples:
            found[name] = bootstrap_interval(labels, scores, figure, resamples=resamples)
    found["selection_rate"] = wilson(counts.tp + counts.fp, len(scores))
    return {**found, **cost_of(counts, costs)}


def cost_of(counts: Confusion, costs: CostMatrix) -> dict[str, Interval]:
    """`cost` of all rows and `cost_per_1000` of them, in minor units."""
    each = mean_interval(
        (counts.fn, counts.fp, counts.tp, counts.tn),
        (
            costs.false_negative_minor,
            costs.false_positive_minor,
            costs.true_positive_minor,
            0.0,
        ),
    )
    rows = counts.fn + counts.fp + counts.tp + counts.tn
    return {"cost": _times(each, rows), "cost_per_1000": _times(each, 1_000)}


def _times(found: Interval, factor: int) -> Interval:
    value, low, high = (
        None if edge is None else edge * factor for edge in (found.value, found.low, found.high)
    )
    return Interval(value if value is None else round(value, 6), low, high)


def known(metrics: Mapping[str, Interval]) -> dict[str, float]:
    """The figures that there are: a gate over one that is missing fails."""
    return {
        name: found.value
        for name, found in metrics.items()
        if found.value is not None and math.isfinite(found.value)
    }


def judge_gate(gate: Gate, metrics: Mapping[str, float]) -> dict[str, Any]:
    """A gate as evaluation.json states it."""
    return {
        "metric": gate.metric,
        "at_least": gate.at_least if math.isfinite(gate.at_least) else None,
        "at_most": gate.at_most if math.isfinite(gate.at_most) else None,
        "value": metrics.get(gate.metric),
        "passed": gate.holds(metrics),
    }


def score_psi(reference: Floats, current: Floats) -> float:
    """PSI of two samples of scores over the deciles of the first; at least 0, in nats."""
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, 11)[1:-1]))
    counts = [
        np.bincount(np.searchsorted(edges, part), minlength=len(edges) + 1).astype(np.float64)
        for part in (reference, current)
    ]
    return population_stability_index(*counts)


def latency_p95_ms(session: ModelSession, rows: Rows) -> float:
    """The 95th percentile of vector, model, rules and hybrid for one row, in milliseconds."""
    names = sorted({*session.features, *(rule.when[0] for rule in session.rules)})
    taken = []
    for at in range(min(_TIMED_ROWS, len(rows))):
        features = {name: float(rows.columns[name][at]) for name in names}
        started = time.perf_counter_ns()
        score = session.score(session.vector(features))
        points, _ = score_rules(session.rules, features)
        combine(session.hybrid, model_score=score, rule_score=points)
        taken.append(time.perf_counter_ns() - started)
    return float(np.quantile(taken, 0.95)) / 1e6 if taken else math.nan
