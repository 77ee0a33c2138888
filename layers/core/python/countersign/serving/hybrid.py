"""One score from two: what the model says and what the rules say, by declared weights."""

from __future__ import annotations

import math

from countersign.declare import Hybrid


def combine(hybrid: Hybrid, *, model_score: float | None, rule_score: float) -> float:
    """The score that is compared with the threshold.

    Parameters
    ----------
    hybrid : Hybrid
        Weights of the model and of the rules; they sum to 1.
    model_score : float or None
        In [0, 1]; None is rules only (no model may answer): the rule score stands alone, unweighted.
    rule_score : float
        In [0, 1].

    Returns
    -------
    float in [0, 1]
    """
    if model_score is None:
        return rule_score
    if hybrid.rules_weight == 0.0:
        return model_score
    weighted = hybrid.model_weight * model_score + hybrid.rules_weight * rule_score
    return min(1.0, max(0.0, weighted))


def in_range(score: float) -> bool:
    """Whether a model's output is usable: finite and in [0, 1]. NaN is not."""
    return math.isfinite(score) and 0.0 <= score <= 1.0


def decide(score: float, threshold: float) -> str:
    """`review` at the threshold and above, else `pass`."""
    return "review" if score >= threshold else "pass"
