"""Which inputs the model leans on: how far average precision falls when one input is shuffled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from countersign.learning.dataset import Rows
from countersign.serving.preprocess import matrix
from countersign.statistics.classification import average_precision

if TYPE_CHECKING:
    from countersign.serving.session import ModelSession

KIND = "permutation of one input in the test rows, mean drop in the model's average precision"
REPEATS = 3
MOST_ROWS = 4_000


def permutation(session: ModelSession, rows: Rows, *, seed: int = 0) -> list[dict[str, Any]]:
    """[{feature, value}], largest first; the model alone, without rules. Needs a positive among the rows.

    Above 4 000 rows every positive is kept and as many others as fit, drawn with the seed.

    Source
    ------
    L. Breiman, Random Forests (2001), section 10; the measure is average precision instead of accuracy.
    """
    random = np.random.default_rng(seed)
    kept = rows.take(_sample(rows, random))
    inputs = matrix(session.features, session.fills, kept.columns)
    whole = average_precision(kept.label, session.score_many(inputs))
    found = []
    for column, name in enumerate(session.features):
        drops = []
        for _ in range(REPEATS):
            shuffled = inputs.copy()
            shuffled[:, column] = random.permutation(shuffled[:, column])
            drops.append(whole - average_precision(kept.label, session.score_many(shuffled)))
        found.append({"feature": name, "value": float(np.mean(drops))})
    return sorted(found, key=lambda item: (-float(str(item["value"])), str(item["feature"])))


def _sample(rows: Rows, random: np.random.Generator) -> Any:
    if len(rows) <= MOST_ROWS:
        return np.arange(len(rows))
    positives, others = np.flatnonzero(rows.label), np.flatnonzero(~rows.label)
    room = max(0, MOST_ROWS - len(positives))
    return np.sort(np.concatenate([positives, random.choice(others, size=room, replace=False)]))
