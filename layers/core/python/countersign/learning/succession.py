"""A candidate held against the model on duty, on the same rows: what a retraining has brought."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from countersign.errors import CountersignError
from countersign.learning.class_evaluation import probabilities
from countersign.learning.dataset import Rows
from countersign.learning.scoring import score_with
from countersign.statistics.auc_compare import delong
from countersign.statistics.classification import auc

if TYPE_CHECKING:
    from countersign.serving.session import ModelSession


def compare_on(test: Rows, candidate: ModelSession, champion: ModelSession) -> dict[str, Any]:
    """Candidate less champion in AUC on the candidate's test rows; of classes, in their mean AUC.

    Returns {metric, rows, candidate, champion, delta, low, high, reason}: the 95 % interval is of the paired
    difference (DeLong), null for classes. `delta` is null, and `reason` says why, where the champion cannot
    score these rows.
    """
    metric = "auc_macro" if candidate.classes else "auc"
    empty = dict.fromkeys(("candidate", "champion", "delta", "low", "high"))
    told = {"metric": metric, "rows": len(test), "reason": "", **empty}
    if candidate.classes != champion.classes:
        return {**told, "reason": "the champion answers with other classes"}
    absent = [name for name in champion.features if name not in test.columns]
    if absent:
        return {**told, "reason": f"the dataset lacks the champion's {', '.join(absent)}"}
    try:
        found = (_of_classes if candidate.classes else _of_two)(test, candidate, champion)
    except (CountersignError, ValueError) as error:
        return {**told, "reason": str(error)}
    if not all(math.isfinite(value) for value in found.values()):
        return {**told, "reason": "a class is absent from the test rows"}
    return {**told, **found}


def _of_two(test: Rows, candidate: ModelSession, champion: ModelSession) -> dict[str, Any]:
    found = delong(test.label, score_with(candidate, test).final, score_with(champion, test).final)
    return {
        "candidate": found.candidate,
        "champion": found.champion,
        "delta": found.difference,
        "low": found.low,
        "high": found.high,
    }


def _of_classes(test: Rows, candidate: ModelSession, champion: ModelSession) -> dict[str, Any]:
    now, then = (_mean_auc(test, probabilities(model, test)) for model in (candidate, champion))
    return {"candidate": now, "champion": then, "delta": now - then}


def _mean_auc(test: Rows, scores: Any) -> float:
    return float(np.mean([auc(test.target == n, scores[:, n]) for n in range(scores.shape[1])]))
