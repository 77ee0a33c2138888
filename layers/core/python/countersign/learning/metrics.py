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
from countersign.statistics.classification import average_precision, brier, confusion, rates
from countersign.statistics.proportions import Interval, wilson
from countersign.statistics.psi import population_stability_index

if TYPE_CHECKING:
    from countersign.serving.session import ModelSession

RESAMPLES = 500
_TIMED_ROWS = 200


def measure(
    labels: Any, scores: Floats, threshold: float, costs: CostMatrix
) -> dict[str, Interval]:
    """The metrics of scores (n,) against labels (n,) when a row is selected at score ≥ threshold.

    `auc` by DeLong, `average_precision` and `brier` by a seeded bootstrap, shares by Wilson; `cost` is the
    total in minor units and has no interval.
    """
    selected = scores >= threshold
    counts = confusion(labels, selected)
    cost = (
        counts.fn * costs.false_negative_minor
        + counts.fp * costs.false_positive_minor
        + counts.tp * costs.true_positive_minor
    )
    return {
        "auc": auc_interval(labels, scores),
        "average_precision": bootstrap_interval(
            labels, scores, average_precision, resamples=RESAMPLES
        ),
        **rates(counts),
        "brier": bootstrap_interval(labels, scores, brier, resamples=RESAMPLES),
        "selection_rate": wilson(counts.tp + counts.fp, len(scores)),
        "cost": Interval(float(cost), None, None),
    }


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
