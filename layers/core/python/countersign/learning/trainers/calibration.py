"""Probabilities that mean what they say: a sigmoid, or a temperature, fitted on the validation rows.

Both are a straight line on the sums of a model, so they fold into its leaves or coefficients: the served
graph has no extra step.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from countersign.learning.native import Floats, Linear, Trees

_Foldable = TypeVar("_Foldable", Trees, Linear)
_MOST_ROUNDS = 100


def calibrated(
    model: _Foldable, sums: Floats, target: Any, *, method: str
) -> tuple[_Foldable, dict[str, Any]]:
    """The model with its sums calibrated, and how; unchanged unless `method` is "sigmoid".

    `sums` are the model's of the validation rows, shape (n_rows, n_outputs), `target` their int64 classes.
    """
    if method != "sigmoid":
        return model, {"calibration": "none"}
    if sums.shape[1] > 1:
        temperature = fit_temperature(sums, target)
        return _folded(model, temperature, 0.0), {
            "calibration": "temperature",
            "slope": temperature,
        }
    slope, intercept = fit_sigmoid(sums[:, 0], target)
    told = {"calibration": "sigmoid", "slope": slope, "intercept": intercept}
    return replace(_folded(model, slope, intercept), link="logistic"), told


def _folded(model: _Foldable, slope: float, intercept: float) -> _Foldable:
    if isinstance(model, Trees):
        return replace(model, value=model.value * slope, base=model.base * slope + intercept)
    return replace(
        model,
        coefficients=model.coefficients * slope,
        intercept=model.intercept * slope + intercept,
    )


def fit_sigmoid(sums: Floats, target: Any) -> tuple[float, float]:
    """(slope, intercept) of the likeliest sigmoid(slope · sum + intercept); the slope is positive.

    Targets are Platt's smoothed ones, (n₊+1)/(n₊+2) and 1/(n₋+2), so that separable rows stay finite.

    Source
    ------
    J. Platt, Probabilistic outputs for support vector machines (1999); H.-T. Lin, C.-J. Lin, R. Weng,
    A note on Platt's probabilistic outputs (2007).
    """
    positives = int(np.sum(target))
    negatives = len(target) - positives
    wanted = np.where(target == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    scale = float(np.std(sums)) or 1.0
    centre = float(np.mean(sums))
    standard = (sums - centre) / scale
    design = np.column_stack([standard, np.ones(len(sums))])
    weights = np.array([1.0, np.log((positives + 1) / (negatives + 1))])
    loss = _loss(design @ weights, wanted)
    for _ in range(_MOST_ROUNDS):
        shares = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -500, 500)))
        gradient = design.T @ (shares - wanted)
        hessian = (design * (shares * (1 - shares))[:, None]).T @ design + 1e-9 * np.eye(2)
        step, size = np.linalg.solve(hessian, gradient), 1.0
        while size > 1e-10 and _loss(design @ (weights - size * step), wanted) > loss + 1e-12:
            size /= 2
        weights = weights - size * step
        previous, loss = loss, _loss(design @ weights, wanted)
        if abs(previous - loss) < 1e-12 * max(1.0, abs(loss)):
            break
    slope = float(weights[0]) / scale
    if slope <= 0:  # a model that ranks backwards is not turned round in secret
        return 1.0, 0.0
    return slope, float(weights[1]) - slope * centre


def fit_temperature(sums: Floats, target: Any) -> float:
    """The factor on the sums (an inverse temperature) with the least log loss, between 0.05 and 20.

    Source
    ------
    C. Guo, G. Pleiss, Y. Sun, K. Weinberger, On calibration of modern neural networks, ICML 2017.
    """
    low, high = np.log(0.05), np.log(20.0)
    golden = (np.sqrt(5.0) - 1) / 2
    for _ in range(80):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if _softmax_loss(sums * np.exp(left), target) < _softmax_loss(sums * np.exp(right), target):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def _loss(sums: Floats, wanted: Floats) -> float:
    return float(np.sum(np.logaddexp(0.0, sums) - wanted * sums))


def _softmax_loss(sums: Floats, target: Any) -> float:
    top = sums.max(axis=1)
    total = top + np.log(np.exp(sums - top[:, None]).sum(axis=1))
    return float(np.sum(total - sums[np.arange(len(sums)), target]))
