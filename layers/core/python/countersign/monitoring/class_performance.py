"""How good the recommendations were, from the classes that came and have had time to come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from countersign.monitoring.performance import FALL
from countersign.statistics.proportions import wilson

FEWEST_LABELLED = 30


def judge_class_performance(
    recommended: Sequence[str],
    outcomes: Sequence[str | None],
    classes: Sequence[str],
    *,
    mature: ArrayLike | None = None,
    expected: Mapping[str, float | None] | None = None,
    fall: float = FALL,
) -> dict[str, Any]:
    """Accuracy of the recommendations, and recall of each class, with intervals.

    Parameters
    ----------
    recommended : sequence of str, length n
        The strategy of each answer.
    outcomes : sequence of str or None, length n
        The class that came; None or empty where nothing is known yet.
    classes : sequence of str
        The label's classes. An outcome that is none of them (a class since withdrawn) is not judged.
    mature : array of bool, shape (n,), optional
        Whether the label had time to come in.
    expected : mapping, optional
        Metrics at evaluation; one falls when its whole interval lies below (1 − fall) of that value.
    fall : float
        The relative fall that alerts.

    Returns
    -------
    dict
        `{verdict: normal|alert|insufficient data, reason, rows, labelled, positives (None: there are
        classes), immature, missing, foreign,
        coverage, confusion: {class: {recommended: rows}}, metrics: {name: {value, low, high}}, fallen}`
    """
    ripe = np.ones(len(outcomes), bool) if mature is None else np.asarray(mature).astype(bool)
    given = np.array([bool(outcome) for outcome in outcomes], dtype=bool)
    foreign = np.array([bool(o) and o not in classes for o in outcomes], dtype=bool)
    known = np.flatnonzero(given & ~foreign & ripe).tolist()
    pairs = [(str(outcomes[at]), recommended[at]) for at in known]
    metrics = {"accuracy": asdict(wilson(sum(a == b for a, b in pairs), len(pairs)))}
    confusion: dict[str, dict[str, int]] = {}
    for name in classes:
        own = [said for came, said in pairs if came == name]
        confusion[name] = {said: own.count(said) for said in sorted(set(own))}
        metrics[f"recall_{name}"] = asdict(wilson(own.count(name), len(own)))
    fallen = [
        name
        for name, then in (expected or {}).items()
        if then is not None
        and metrics.get(name, {}).get("high") is not None
        and metrics[name]["high"] < then * (1 - fall)
    ]
    verdict = "alert" if fallen else "normal"
    if not fallen and len(pairs) < FEWEST_LABELLED:
        verdict = "insufficient data"
    return {
        "verdict": verdict,
        "reason": _reason(verdict, len(pairs), fallen),
        "rows": len(outcomes),
        "labelled": len(pairs),
        "positives": None,
        "immature": int((~ripe).sum()),
        "missing": int((ripe & ~given).sum()),
        "foreign": int(foreign.sum()),
        "coverage": asdict(wilson(len(pairs), int(ripe.sum()))),
        "confusion": confusion,
        "metrics": metrics,
        "fallen": fallen,
    }


def _reason(verdict: str, labelled: int, fallen: list[str]) -> str:
    if verdict == "alert":
        return f"{', '.join(fallen)} fell by more than the margin, interval and all"
    if verdict == "normal":
        return "no metric fell beyond its margin"
    return f"{labelled} known outcomes; {FEWEST_LABELLED} are needed"
