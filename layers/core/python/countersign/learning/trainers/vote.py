"""A vote: the weighted share of the members that say yes."""

from __future__ import annotations

from countersign.errors import DataError
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
DEFAULTS: Hyperparameters = {"weights": "equal"}


def fit(lesson: Lesson) -> Fitted:
    """Fit the members. Raises DataError for several classes: their ties have no fair answer."""
    if lesson.classes:
        raise DataError("vote answers yes or no; for classes declare weighted or stacking")
    chosen = lesson.choose("vote", DEFAULTS)
    members = fit_members(lesson, "vote")
    weights = equal_or_by_loss(members, lesson.valid, str(chosen["weights"]))
    return whole(
        Combined(members=parts(members), how="vote", weights=weights), members, chosen, lesson
    )
