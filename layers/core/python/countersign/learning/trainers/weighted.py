"""A weighted average of the members' probabilities."""

from __future__ import annotations

from countersign.learning.native import Combined
from countersign.learning.trainers.ensemble import (
    SUPERVISED,
    TAKES_NULLS,
    equal_or_by_loss,
    fit_members,
    parts,
    whole,
)
from countersign.learning.trainers.lesson import Fitted, Hyperparameters, Lesson

__all__ = ["DEFAULTS", "SUPERVISED", "TAKES_NULLS", "fit"]
DEFAULTS: Hyperparameters = {"weights": "by_loss"}


def fit(lesson: Lesson) -> Fitted:
    """Fit the members and weigh them. Raises DataError."""
    chosen = lesson.choose("weighted", DEFAULTS)
    members = fit_members(lesson, "weighted")
    weights = equal_or_by_loss(members, lesson.valid, str(chosen["weights"]))
    model = Combined(members=parts(members), how="weighted", weights=weights)
    return whole(model, members, chosen, lesson)
