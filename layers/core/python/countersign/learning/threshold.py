"""Where a score becomes a decision: the cheapest threshold on the validation rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypedDict

import numpy as np

from countersign.declare import CostMatrix
from countersign.learning.native import Floats
from countersign.statistics.classification import cost_curve, cost_optimal_threshold


@dataclass(frozen=True, slots=True)
class Threshold:
    """`value`: a row is selected at or above it. `cost_curve` is in minor units of the declared currency."""

    value: float
    cost_curve: list[dict[str, float]]


class Marginal(TypedDict):
    """The costs that a threshold can change."""

    false_negative: float
    false_positive: float


def marginal_costs(costs: CostMatrix) -> Marginal:
    """What a miss and a false alarm cost beyond what the same row would cost if it were decided right.

    A caught error costs `true_positive_minor` too (somebody mends it), so a miss costs the difference.
    """
    return {
        "false_negative": float(costs.false_negative_minor - costs.true_positive_minor),
        "false_positive": float(costs.false_positive_minor),
    }


def choose(labels: Any, scores: Floats, costs: CostMatrix) -> Threshold:
    """The cost-optimal threshold of (labels, scores), each of shape (n,), and its curve.

    It stands midway between the lowest selected score and the next below: a float32 score that differs
    in its last digit stays on its side.
    """
    marginal = marginal_costs(costs)
    lowest = cost_optimal_threshold(labels, scores, **marginal)
    below = scores[scores < lowest]
    value = (lowest + float(below.max())) / 2 if below.size else lowest
    return Threshold(value, curve(labels, scores, costs))


FACTORS = (
    ("as declared", 1.0, 1.0),
    ("a miss costs half", 0.5, 1.0),
    ("a miss costs double", 2.0, 1.0),
    ("a false alarm costs half", 1.0, 0.5),
    ("a false alarm costs double", 1.0, 2.0),
)


def sensitivity(labels: Any, scores: Floats, costs: CostMatrix) -> list[dict[str, Any]]:
    """[{if, miss, false_alarm, threshold}]: where the threshold would stand, had the costs been other ones.

    `miss` and `false_alarm` are factors on the declared costs; the first row is the declared case.
    """
    found = []
    for words, miss, alarm in FACTORS:
        scaled = replace(
            costs,
            false_negative_minor=round(costs.false_negative_minor * miss),
            false_positive_minor=round(costs.false_positive_minor * alarm),
        )
        chosen = choose(labels, scores, scaled).value
        found.append({"if": words, "miss": miss, "false_alarm": alarm, "threshold": chosen})
    return found


def curve(labels: Any, scores: Floats, costs: CostMatrix) -> list[dict[str, float]]:
    """[{threshold, cost}] ascending: the total in minor units, with what every positive costs anyway."""
    anyway = float(np.sum(labels)) * costs.true_positive_minor
    points = cost_curve(labels, scores, **marginal_costs(costs))
    return [{**point, "cost": point["cost"] + anyway} for point in points]
