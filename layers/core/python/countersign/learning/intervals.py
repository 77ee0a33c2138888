"""How each figure got its interval, in words, and what a gate may conclude from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from countersign.declare import Gate
from countersign.statistics.proportions import Interval

WILSON = "Wilson's score interval"
BOOTSTRAP = "bootstrap of the rows, 500 resamples"
COUNTS = "bootstrap of the four counts, 2 000 resamples"
METHODS = {
    "auc": "DeLong, on the logit scale",
    "auc_macro": "DeLong by row over all classes, on the logit scale",
    "average_precision": BOOTSTRAP,
    "brier": BOOTSTRAP,
    "macro_f1": BOOTSTRAP,
    "log_loss": BOOTSTRAP,
    "f1": "Wilson's, of Jaccard's index, of which F1 is a function",
    "cost": COUNTS,
    "cost_per_1000": COUNTS,
    "score_psi": "none: it compares two samples and estimates no rate",
    "latency_p95_ms": "none: timed once, where it was evaluated and not where it will serve",
}
UNDEFINED = "none: undefined on these rows"


def told(name: str, found: Interval) -> dict[str, Any]:
    """A figure as evaluation.json states it: {value, low, high, method}."""
    return {**asdict(found), "method": method(name, found)}


def method(name: str, found: Interval) -> str:
    """How the interval was made, or why there is none."""
    if found.value is None:
        return UNDEFINED
    known = METHODS.get(name, WILSON)
    if found.low is None and not known.startswith("none"):
        return "none: there is no spread to judge by"
    return known


def certainty(gate: Gate, found: Interval) -> str:
    """Whether chance alone could turn the verdict: by the interval, which the verdict itself does not read."""
    if found.value is None:
        return "unknown"
    if found.low is None or found.high is None:
        return "no interval"
    passed = gate.at_least <= found.value <= gate.at_most
    if passed:
        clear = gate.at_least <= found.low and found.high <= gate.at_most
    else:
        clear = found.high < gate.at_least or found.low > gate.at_most
    return "beyond chance" if clear else "within chance"


def with_interval(
    judged: Mapping[str, Any], gate: Gate, found: Mapping[str, Interval]
) -> dict[str, Any]:
    """A judged gate with its figure's interval, how that was made, and what it says of the verdict."""
    figure = found.get(gate.metric, Interval(None, None, None))
    return {
        **judged,
        "low": figure.low,
        "high": figure.high,
        "method": method(gate.metric, figure),
        "certainty": certainty(gate, figure),
    }
