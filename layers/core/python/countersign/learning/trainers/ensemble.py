"""Several trainers as one model: what `vote`, `weighted` and `stacking` share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from countersign.errors import DataError
from countersign.learning import trainers
from countersign.learning.class_metrics import log_loss
from countersign.learning.native import Combined, Floats, Linear, Trees
from countersign.learning.trainers.lesson import Examples, Fitted, Lesson

TAKES_NULLS = False
SUPERVISED = True
NOT_MEMBERS = ("isolation_forest", "stacking", "vote", "weighted")


def fit_members(lesson: Lesson, trainer: str) -> list[Fitted]:
    """Every declared member, fitted on the same rows. Raises DataError without two that may be one."""
    if len(lesson.members) < 2:
        raise DataError(f"{trainer} needs at least two ModelSpec.members")
    wrong = [spec.trainer for spec in lesson.members if spec.trainer in NOT_MEMBERS]
    if wrong:
        raise DataError(f"{', '.join(wrong)} cannot be a member of {trainer}")
    return [
        trainers.get(spec.trainer).fit(
            replace(lesson, hyperparameters=spec.hyperparameters, members=(), seed=spec.seed)
        )
        for spec in lesson.members
    ]


def parts(members: list[Fitted]) -> tuple[Trees | Linear, ...]:
    """The members' arrays."""
    return tuple(m.model for m in members if isinstance(m.model, Trees | Linear))


def equal_or_by_loss(members: list[Fitted], valid: Examples, weights: str) -> Floats:
    """Weights that sum to 1: equal, or in inverse proportion to each member's validation log loss."""
    if weights == "equal":
        return np.full(len(members), 1.0 / len(members))
    if weights != "by_loss":
        raise DataError("weights is one of equal, by_loss")
    losses = [_loss(member.score(valid.rows), valid.target) for member in members]
    inverse = 1.0 / np.maximum(losses, 1e-6)
    return np.asarray(inverse / inverse.sum())


def _loss(scores: Floats, target: Any) -> float:
    """Mean negative log likelihood; a single score is that of yes."""
    both = np.column_stack([1.0 - scores, scores]) if scores.ndim == 1 else scores
    return log_loss(target, both)


def whole(model: Combined, members: list[Fitted], chosen: dict[str, Any], lesson: Lesson) -> Fitted:
    """The ensemble as what a trainer gives back: every member's settings, findings and files in it."""
    named = [f"{n}-{spec.trainer}" for n, spec in enumerate(lesson.members)]
    every = list(zip(named, members, strict=True))
    return Fitted(
        model=model,
        score=model.score,
        hyperparameters={**chosen, "members": {name: m.hyperparameters for name, m in every}},
        found={name: m.found for name, m in every} | {"weights": model.weights.tolist()},
        files={f"{name}-{file}": body for name, m in every for file, body in m.files.items()},
    )
