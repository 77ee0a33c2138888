"""What a reader calls the figures of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from countersign.reports import page

WORDS = {
    "threshold": "Threshold",
    "auc": "AUC (ROC)",
    "auc_macro": "AUC, mean of the classes",
    "average_precision": "Average precision",
    "accuracy": "Accuracy",
    "strategy_accuracy": "Accuracy of what is recommended",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "macro_f1": "F1, mean of the classes",
    "false_positive_rate": "False positive rate",
    "selection_rate": "Share selected",
    "log_loss": "Log loss, nats",
    "brier": "Brier score",
    "cost": "Cost, minor units",
    "cost_per_1000": "Cost of 1 000 rows, minor units",
    "score_psi": "PSI of the score, validation to test",
    "latency_p95_ms": "Latency, 95th percentile, ms",
}
CONTESTANTS = ("rules", "model", "hybrid")


def word(name: str) -> str:
    """A metric's name as a reader knows it."""
    if name.startswith("recall_"):
        return f"Recall of {name.removeprefix('recall_')}"
    return WORDS.get(name, name.replace("_", " "))


def value(metrics: Mapping[str, Any], name: str) -> float | None:
    """The value of a metric, where there is one."""
    found: float | None = (metrics.get(name) or {}).get("value")
    return found


def unit(currency: str | None) -> str:
    """What costs are counted in."""
    return f"minor units of {currency}" if currency else ""


def bound(gate: Mapping[str, Any]) -> str:
    """What a gate asks for."""
    low, high = gate.get("at_least"), gate.get("at_most")
    parts = [f"at least {page.number(low)}"] if low is not None else []
    parts += [f"at most {page.number(high)}"] if high is not None else []
    return " and ".join(parts) or "known"
