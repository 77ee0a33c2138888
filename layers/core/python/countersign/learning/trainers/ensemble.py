"""Several trainers as one model: what `vote`, `weighted` and `stacking` share."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import numpy as np

from countersign.errors import DataError
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
        importlib.import_module(f"countersign.learning.trainers.{spec.trainer}").fit(
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
    inverse = np.array(
        [1.0 / max(log_loss(m.score(valid.rows), valid.target), 1e-6) for m in members]
    )
    return np.asarray(inverse / inverse.sum())


def log_loss(scores: Floats, target: Any) -> float:
    """Mean negative log likelihood of probabilities (n,) or (n, n_classes)."""
    chance = (
        np.where(target == 1, scores, 1.0 - scores)
        if scores.ndim == 1
        else scores[np.arange(len(scores)), target]
    )
    return float(-np.mean(np.log(np.clip(chance, 1e-12, 1.0))))


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
