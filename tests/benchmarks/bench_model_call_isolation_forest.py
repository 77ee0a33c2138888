"""`model_call_isolation_forest`: one row through an isolation forest of 200 trees, fused into one."""

from __future__ import annotations

import numpy as np

from tests.benchmarks.measure import Measurement
from tests.benchmarks.model_calls import TREES, measure, rows


def run() -> list[Measurement]:
    from countersign.learning.trainers import isolation_forest
    from countersign.learning.trainers.lesson import Examples, Lesson

    made = rows(20_000)
    part = Examples(rows=made, target=np.zeros(len(made), dtype=np.int64))
    wanted = {"n_estimators": TREES}
    fitted = isolation_forest.fit(Lesson(train=part, valid=part, hyperparameters=wanted))
    return measure("model_call_isolation_forest", fitted.native_files()["native.npz"])
