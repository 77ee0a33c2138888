"""Logistic regression over standardised inputs by scikit-learn, kept as arrays."""

from __future__ import annotations

import numpy as np

from countersign.learning.native import Floats, Inputs, Linear
from countersign.learning.native.linear import standardised
from countersign.learning.trainers.calibration import fit_line
from countersign.learning.trainers.imbalance import row_weights
from countersign.learning.trainers.lesson import (
    Fitted,
    Hyperparameters,
    Lesson,
    check_same,
    refuse_nulls,
)

DEFAULTS: Hyperparameters = {
    "C": 1.0,
    "max_iter": 500,
    "imbalance": "weight",
    "calibration": "sigmoid",
}
TAKES_NULLS = False
SUPERVISED = True


def fit(lesson: Lesson) -> Fitted:
    """Fit a linear model of the log odds, or one per class. Raises DataError for nulls."""
    from sklearn.linear_model import LogisticRegression

    chosen = lesson.choose("logistic_regression", DEFAULTS)
    rows = lesson.train.rows
    refuse_nulls("logistic_regression", rows)
    mean, scale = (
        _as_float32(moment)
        for moment in (rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64))
    )
    scale = np.where(scale > 0, scale, 1.0)

    def standard(some: Inputs) -> Floats:
        return standardised(some, mean, scale)

    weight = row_weights(lesson.train.target, lesson, chosen["imbalance"])
    native = LogisticRegression(
        C=chosen["C"], max_iter=chosen["max_iter"], random_state=lesson.seed
    )
    native.fit(standard(rows), lesson.train.target, sample_weight=weight)

    def score(some: Inputs) -> Floats:
        found = np.zeros((len(some), max(2, lesson.n_outputs)))
        found[:, native.classes_] = native.predict_proba(standard(some))
        return found if lesson.classes else found[:, 1]

    linear = _arrays(native, mean, scale, lesson)
    check_same(linear, score, lesson.valid.rows[:512], 1e-9)
    line = fit_line(
        linear.sums(lesson.valid.rows), lesson.valid.target, method=str(chosen["calibration"])
    )
    model = line.folded(linear)
    return Fitted(model=model, score=model.score, hyperparameters=chosen, found=line.told())


def _as_float32(values: Floats) -> Floats:
    """Rounded to what the served graph can hold, so that both subtract the same."""
    return np.asarray(values, dtype=np.float32).astype(np.float64)


def _arrays(native: object, mean: Floats, scale: Floats, lesson: Lesson) -> Linear:
    """A class that the training rows lack gets no chance."""
    coefficients = np.asarray(native.coef_)  # type: ignore[attr-defined]
    intercept = np.asarray(native.intercept_)  # type: ignore[attr-defined]
    if lesson.classes:
        every = np.zeros((len(lesson.classes), len(mean)))
        start = np.full(len(lesson.classes), -1e3)
        every[native.classes_] = coefficients  # type: ignore[attr-defined]
        start[native.classes_] = intercept  # type: ignore[attr-defined]
        coefficients, intercept = every, start
    return Linear(
        mean=mean,
        scale=scale,
        coefficients=coefficients,
        intercept=intercept,
        link="softmax" if lesson.classes else "logistic",
    )
