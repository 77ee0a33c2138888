"""A verified candidate of one score judged on the test rows: its part of `evaluation.json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from countersign.declare import CostMatrix
from countersign.learning import threshold
from countersign.learning.class_evaluation import class_averages, class_report
from countersign.learning.dataset import Rows
from countersign.learning.metrics import measure
from countersign.learning.scoring import Scores
from countersign.statistics.classification import (
    Confusion,
    calibration_bins,
    confusion,
    pr_points,
    roc_points,
    score_histogram,
)

if TYPE_CHECKING:
    from countersign.serving.session import ModelSession

NAMES = ("no", "yes")


def pictures(
    costs: CostMatrix, session: ModelSession, test: Rows, scores: Scores
) -> dict[str, Any]:
    """The curves and tables of the final score on the test rows."""
    labels, final = test.label, scores.final
    counts = confusion(labels, final >= session.threshold)
    table = as_matrix(counts)
    return {
        "roc": roc_points(labels, final),
        "pr": pr_points(labels, final),
        "calibration": calibration_bins(labels, final),
        "confusion": asdict(counts),
        "class_report": class_report(table, NAMES),
        "class_averages": class_averages(table),
        "score_histogram": score_histogram(labels, final),
    }


def as_matrix(counts: Confusion) -> Any:
    """The four counts as int64 of shape (2, 2): row the truth, column the decision, no before yes."""
    return np.array([[counts.tn, counts.fp], [counts.fn, counts.tp]], dtype=np.int64)


def threshold_facts(
    costs: CostMatrix, session: ModelSession, parts: tuple[Rows, Scores], test: tuple[Rows, Scores]
) -> dict[str, Any]:
    """Where the threshold stands, what it costs on the test rows, and where other costs would have put it.

    `parts` are the validation rows, on which it was chosen, and their scores; `test` the rows of the report.
    """
    rows, scores = test
    decision = session.serving["decision"]
    return {
        "value": session.threshold,
        "model_only": float(decision["model_only_threshold"]),
        "rules_only": float(decision["rules_only_threshold"]),
        "chosen_on": "validation rows",
        "cost_false_negative": costs.false_negative_minor,
        "cost_false_positive": costs.false_positive_minor,
        "cost_true_positive": costs.true_positive_minor,
        "currency": costs.currency,
        "cost_curve": threshold.curve(rows.label, scores.final, costs),
        "sensitivity": [
            {**found, **_outcome(rows, scores, found["threshold"], costs)}
            for found in threshold.sensitivity(parts[0].label, parts[1].final, costs)
        ],
    }


def _outcome(rows: Rows, scores: Scores, value: float, costs: CostMatrix) -> dict[str, Any]:
    """What a threshold would have done to the test rows, at the declared costs."""
    found = measure(rows.label, scores.final, value, costs, resamples=0)
    return {
        name: found[name].value
        for name in ("selection_rate", "recall", "precision", "cost_per_1000")
    }
