"""Boosted trees for yes or no."""

from __future__ import annotations

from countersign.errors import DataError
from countersign.learning.trainers.boosting import DEFAULTS, boost, fitted, from_booster
from countersign.learning.trainers.calibration import calibrated
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
    trees = from_booster(booster, lesson.train.rows, 1)
    sums = trees.sums(lesson.valid.rows)
    trees, how = calibrated(trees, sums, lesson.valid.target, method=chosen["calibration"])
    return fitted(lesson, booster, chosen, trees, how)
