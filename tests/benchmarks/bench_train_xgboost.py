"""`train_xgboost`: 1 000 000 rows of 20 inputs, 200 trees, against xgboost called by hand.

Both run in this process on the same arrays. Ours also reads the trees into arrays, calibrates, and holds
the arrays against the library.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.benchmarks.measure import Measurement, seconds

ROWS, VALID, INPUTS, TREES = 1_000_000, 100_000, 20, 200


def run() -> list[Measurement]:
    from countersign.learning.trainers import xgboost_binary
    from countersign.learning.trainers.lesson import Examples, Lesson

    train, valid = Examples(**_rows(ROWS, 1)), Examples(**_rows(VALID, 2))
    lesson = Lesson(
        train=train,
        valid=valid,
        hyperparameters={"n_estimators": TREES, "early_stopping_rounds": 0},
    )
    ours = seconds(lambda: xgboost_binary.fit(lesson), repeat=1)
    bare = seconds(lambda: _by_hand(lesson), repeat=1)
    return [
        Measurement(
            name="train_xgboost",
            value=ours,
            unit="s",
            reference="xgboost.train on a quantised matrix, the same parameters",
            reference_value=bare,
            at_most=1.2,
        )
    ]


def _rows(count: int, seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, INPUTS)).astype(np.float32)
    odds = rows[:, 0] + rows[:, 1] * rows[:, 2] - 3.0
    target = (random.uniform(size=count) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    return {"rows": rows, "target": target}


def _by_hand(lesson: Any) -> None:
    import xgboost

    parameters = lesson.choose("xgboost_binary", xgboost_defaults())
    own = ("n_estimators", "early_stopping_rounds", "imbalance", "calibration", "max_bin")
    positives = int(lesson.train.target.sum())
    xgboost.train(
        {
            **{name: value for name, value in parameters.items() if name not in own},
            "objective": "binary:logistic",
            "tree_method": "hist",
            "seed": lesson.seed,
            "scale_pos_weight": (len(lesson.train) - positives) / positives,
        },
        xgboost.QuantileDMatrix(lesson.train.rows, lesson.train.target, max_bin=256),
        num_boost_round=TREES,
        verbose_eval=False,
    )


def xgboost_defaults() -> Any:
    from countersign.learning.trainers.boosting import DEFAULTS

    return DEFAULTS
