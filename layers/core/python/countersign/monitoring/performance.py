"""How good the decisions were, from outcomes that have had time to come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from countersign.statistics.auc_compare import auc_interval
from countersign.statistics.classification import confusion, rates
from countersign.statistics.proportions import wilson

FALL = 0.10
FEWEST_POSITIVES = 10


def judge_performance(
    decisions: ArrayLike,
    scores: ArrayLike,
    outcomes: ArrayLike,
    *,
    mature: ArrayLike | None = None,
    expected: Mapping[str, float | None] | None = None,
    fall: float = FALL,
) -> dict[str, Any]:
    """Recall, precision, F1, false positive rate and AUC of the rows whose outcome is known, with intervals.

    Parameters
    ----------
    decisions : array of bool, shape (n,)
        Whether the row was selected for review.
    scores : array of float, shape (n,)
        The score that decided.
    outcomes : array of float, shape (n,)
        1, 0, or NaN where nothing is known yet.
    mature : array of bool, shape (n,), optional
        Whether the label had time to come in; a mature row without an outcome is counted as missing, not as negative.
    expected : mapping, optional
        Metrics at evaluation; a metric falls when its whole interval lies below (1 − fall) of that value.
    fall : float
        The relative fall that alerts.

    Returns
    -------
    dict
        `{verdict: normal|alert|insufficient data, reason, rows, labelled, immature, missing, positives,
        confusion, metrics: {name: {value, low, high}}, fallen: [names], coverage}`
    """
    d, s = np.asarray(decisions).astype(bool), np.asarray(scores, dtype=np.float64)
    y = np.asarray(outcomes, dtype=np.float64)
    ripe = np.ones(d.shape, bool) if mature is None else np.asarray(mature).astype(bool)
    known = np.isfinite(y) & np.isfinite(s) & ripe
    labels = y[known] > 0
    counts = confusion(labels, d[known])
    metrics = {name: asdict(value) for name, value in rates(counts).items()}
    metrics["auc"] = asdict(auc_interval(labels, s[known]))
    fallen = [name for name in (expected or {}) if _fell(name, metrics, expected or {}, fall)]
    positives = int(labels.sum())
    verdict = _verdict(positives, fallen)
    return {
        "verdict": verdict,
        "reason": _reason(verdict, positives, fallen),
        "rows": int(d.size),
        "labelled": int(known.sum()),
        "immature": int((~ripe).sum()),
        "missing": int((ripe & ~np.isfinite(y)).sum()),
        "coverage": asdict(wilson(int(known.sum()), int(ripe.sum()))),
        "positives": positives,
        "confusion": asdict(counts),
        "metrics": metrics,
        "fallen": fallen,
    }


def _fell(
    name: str, metrics: Mapping[str, Any], expected: Mapping[str, float | None], fall: float
) -> bool:
    then = expected[name]
    found = metrics.get(name)
    if then is None or found is None or found["value"] is None:
        return False
    if name == "false_positive_rate":
        return bool(found["low"] > then * (1 + fall))
    return bool(found["high"] < then * (1 - fall))


def _verdict(positives: int, fallen: list[str]) -> str:
    if fallen:
        return "alert"
    return "normal" if positives >= FEWEST_POSITIVES else "insufficient data"


def _reason(verdict: str, positives: int, fallen: list[str]) -> str:
    if verdict == "alert":
        return f"{', '.join(fallen)} fell by more than the margin, interval and all"
    if verdict == "normal":
        return "no metric fell beyond its margin"
    return f"{positives} confirmed positives; {FEWEST_POSITIVES} are needed"
