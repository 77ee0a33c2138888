"""`model_call_xgboost`: one row through 200 boosted trees."""

from __future__ import annotations

import numpy as np

from tests.benchmarks.measure import Measurement
from tests.benchmarks.model_calls import TREES, measure, rows


def run() -> list[Measurement]:
    from countersign.learning.trainers import xgboost_binary
    from countersign.learning.trainers.lesson import Examples, Lesson

    made = rows(20_000)
    target = (made[:, 0] + made[:, 1] * made[:, 2] > 0.8).astype(np.int64)
    part = Examples(rows=made, target=target)
    wanted = {"n_estimators": TREES, "early_stopping_rounds": 0}
    fitted = xgboost_binary.fit(Lesson(train=part, valid=part, hyperparameters=wanted))
    return measure("model_call_xgboost", fitted.native_files()["native.npz"])
