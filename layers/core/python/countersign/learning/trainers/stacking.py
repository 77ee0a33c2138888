"""Stacking: a logistic regression over the members' probabilities of rows they have not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from countersign.errors import DataError
from countersign.learning.native import Combined, Inputs, Linear
from countersign.learning.native.combined import side_by_side
from countersign.learning.trainers import logistic_regression
from countersign.learning.trainers.ensemble import (
    SUPERVISED,
    TAKES_NULLS,
    fit_members,
    parts,
    whole,
)
from countersign.learning.trainers.lesson import Examples, Fitted, Hyperparameters, Lesson

__all__ = ["DEFAULTS", "SUPERVISED", "TAKES_NULLS", "fit"]
DEFAULTS: Hyperparameters = {"folds": 3, "C": 1.0}


def fit(lesson: Lesson) -> Fitted:
    """Fit the members on all rows, and the model over them on out-of-fold probabilities.

    The folds are blocks in the order of time. Raises DataError.

    Source
    ------
    D. Wolpert, Stacked generalization, Neural Networks 5 (1992).
    """
    chosen = lesson.choose("stacking", DEFAULTS)
    seen = _out_of_fold(lesson, int(chosen["folds"]))
    members = fit_members(lesson, "stacking")
    valid = side_by_side([member.score(lesson.valid.rows) for member in members])
    top = logistic_regression.fit(
        replace(
            lesson,
            train=Examples(rows=seen, target=lesson.train.target),
            valid=Examples(rows=valid, target=lesson.valid.target),
            hyperparameters={"C": chosen["C"], "imbalance": "none"},
            members=(),
        )
    ).model
    if not isinstance(top, Linear):
        raise DataError("The model over the members must be linear")
    equal = np.full(len(members), 1.0 / len(members))
    model = Combined(members=parts(members), how="stacked", weights=equal, top=top)
    return whole(model, members, chosen, lesson)


def _out_of_fold(lesson: Lesson, folds: int) -> Inputs:
    """The members' probabilities of every training row, by members that did not see it."""
    if not 2 <= folds <= 20:
        raise DataError("folds lies between 2 and 20")
    blocks = np.array_split(np.arange(len(lesson.train)), folds)
    made = []
    for block in blocks:
        others = np.setdiff1d(np.arange(len(lesson.train)), block)
        part = Examples(rows=lesson.train.rows[others], target=lesson.train.target[others])
        if len(np.unique(part.target)) < max(2, len(lesson.classes)):
            raise DataError(
                "A fold has no row of some class left to learn from; use fewer folds or more rows"
            )
        members = fit_members(replace(lesson, train=part, progress=None), "stacking")
        made.append(side_by_side([m.score(lesson.train.rows[block]) for m in members]))
    return np.concatenate(made)
