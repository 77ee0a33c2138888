"""Probabilities that mean what they say: a sigmoid, or a temperature, fitted on the validation rows.

Both are a straight line on the sums of a model, so they fold into its leaves or coefficients: the served
graph has no extra step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from countersign.errors import DataError
from countersign.learning.native import Floats, Linear, Trees
from countersign.learning.native.words import Link

_Foldable = TypeVar("_Foldable", Trees, Linear)
_MOST_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class Line:
    """sum → slope · sum + intercept; `how` is "sigmoid", "temperature" or "none"."""

    how: str = "none"
    slope: float = 1.0
    intercept: float = 0.0

    def of(self, sums: Floats) -> Floats:
        """The calibrated sums."""
        return np.asarray(sums * self.slope + self.intercept)

    def link(self, own: Link) -> Link:
        """The link after the line: a sigmoid's is the logistic one, whatever the model's own."""
        return "logistic" if self.how == "sigmoid" else own

    def folded(self, model: _Foldable) -> _Foldable:
        """The model with the line in its leaves or coefficients."""
        link = self.link(model.link)
        if isinstance(model, Trees):
            value, base = model.value * self.slope, self.of(model.base)
            return replace(model, value=value, base=base, link=link)
        coefficients, intercept = model.coefficients * self.slope, self.of(model.intercept)
        return replace(model, coefficients=coefficients, intercept=intercept, link=link)

    def told(self) -> dict[str, Any]:
        """What the record says of it."""
        if self.how == "none":
            return {"calibration": self.how}
        return {"calibration": self.how, "slope": self.slope, "intercept": self.intercept}


def fit_line(sums: Floats, target: Any, *, method: str) -> Line:
    """The line for "sigmoid", from sums (n_rows, n_outputs) and int64 classes (n_rows,) of the validation
    rows; of several outputs it is a temperature. "none" changes nothing.

    Raises
    ------
    DataError       another method
    """
    if method == "none":
        return Line()
    if method != "sigmoid":
        raise DataError("calibration is one of sigmoid, none")
    if sums.shape[1] > 1:
        return Line("temperature", fit_temperature(sums, target))
    return Line("sigmoid", *fit_sigmoid(sums[:, 0], target))


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
