"""Boosted trees for yes or no."""

from __future__ import annotations

from countersign.errors import DataError
from countersign.learning.trainers.boosting import DEFAULTS, boost, finish
from countersign.learning.trainers.lesson import Fitted, Lesson

__all__ = ["DEFAULTS", "SUPERVISED", "TAKES_NULLS", "fit"]
TAKES_NULLS = True
SUPERVISED = True


def fit(lesson: Lesson) -> Fitted:
    """Fit with early stopping on the validation loss, then calibrate. Raises DataError.

    Source
    ------
    T. Chen, C. Guestrin, XGBoost: a scalable tree boosting system, KDD 2016.
    """
    if lesson.classes:
        raise DataError("xgboost_binary answers yes or no; for classes declare xgboost_multiclass")
    objective = {"objective": "binary:logistic", "eval_metric": "logloss"}
    booster, chosen = boost(lesson, "xgboost_binary", objective)
    return finish(lesson, booster, chosen)
