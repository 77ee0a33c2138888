"""What a row weighs while a model learns, when some classes are rare."""

from __future__ import annotations

from typing import Any

import numpy as np

from countersign.errors import DataError
from countersign.learning.native import Floats
from countersign.learning.trainers.lesson import Lesson


def row_weights(target: Any, lesson: Lesson, method: Any) -> Floats | None:
    """A weight per row, shape (n,): with "weight" each class of the training rows weighs as much as the
    most frequent, which for yes and no is `scale_pos_weight` = negatives / positives; with "none" there is
    no weight.

    Raises
    ------
    DataError       another method
    """
    if method == "none":
        return None
    if method != "weight":
        raise DataError("imbalance is one of weight, none")
    counts = np.bincount(lesson.train.target, minlength=max(2, len(lesson.classes)))
    present = np.where(counts > 0, counts, 1)
    return np.asarray((counts.max() / present)[target], dtype=np.float64)
