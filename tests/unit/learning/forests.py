"""Small fitted forests and the rows to put through them."""

from __future__ import annotations

from typing import Any

import numpy as np
from countersign.learning.native import Inputs
from countersign.learning.trainers import isolation_forest
from countersign.learning.trainers.lesson import Examples, Fitted, Lesson


def payroll_like(n_rows: int, *, seed: int = 3, n_features: int = 6) -> Inputs:
    """Skewed, discrete and heavy-tailed columns, as pay data has them."""
    random = np.random.default_rng(seed)
    columns: list[Any] = [
        random.lognormal(8, 1, n_rows),
        random.normal(0, 1, n_rows),
        random.integers(0, 4, n_rows),
        random.standard_t(2, n_rows),
        random.uniform(0, 1, n_rows),
        (random.uniform(size=n_rows) < 0.1) * 1.0,
    ]
    return np.column_stack([columns[i % 6] for i in range(n_features)]).astype(np.float32)


def fitted(rows: Inputs | None = None, *, seed: int = 7, **hyperparameters: Any) -> Fitted:
    """A forest on `rows`."""
    rows = payroll_like(800) if rows is None else rows
    unlabelled = Examples(rows=rows, target=np.zeros(len(rows), dtype=np.int64))
    chosen = {"n_estimators": 20, **hyperparameters}
    return isolation_forest.fit(
        Lesson(train=unlabelled, valid=unlabelled, hyperparameters=chosen, seed=seed)
    )
