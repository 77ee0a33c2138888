"""Boosted trees for one of several classes."""

from __future__ import annotations

from countersign.errors import DataError
from countersign.learning.trainers.boosting import DEFAULTS, boost, finish
from countersign.learning.trainers.lesson import Fitted, Lesson

__all__ = ["DEFAULTS", "SUPERVISED", "TAKES_NULLS", "fit"]
TAKES_NULLS = True
SUPERVISED = True


def fit(lesson: Lesson) -> Fitted:
    """Fit one tree per class and round, with early stopping, then a temperature. Raises DataError."""
    if len(lesson.classes) < 2:
        raise DataError(
            "xgboost_multiclass needs Label.classes; for yes or no declare xgboost_binary"
        )
    objective = {
        "objective": "multi:softprob",
        "eval_metric": "mlogloss",
        "num_class": len(lesson.classes),
    }
    booster, chosen = boost(lesson, "xgboost_multiclass", objective)
    return finish(lesson, booster, chosen)
