"""A candidate held against the champion on the same rows with outcomes, with an honest "inconclusive"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from countersign.learning.native import Floats
from countersign.statistics.auc_compare import Comparison, delong, paired_bootstrap
from countersign.statistics.classification import confusion
from countersign.statistics.errors import ShapeError

Verdict = Literal["better", "not_worse", "worse", "inconclusive", "no_champion"]

# How much less than the champion is still allowed (requirement E2); the false positive rate may rise.
MARGINS: Mapping[str, float] = {
    "auc": 0.0,
    "precision": 0.02,
    "recall": 0.02,
    "f1": 0.0,
    "false_positive_rate": 0.01,
}
RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Contestant:
    """Final scores of the rows, shape (n,), and the threshold that goes with them."""

    scores: Floats
    threshold: float

    def excess(self) -> Floats:
        """How far each score is above its threshold; selected at 0 and above."""
        return self.scores - self.threshold


def compare(
    labels: Any, candidate: Contestant, champion: Contestant, *, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """One check per metric: both values, difference, 95 % interval, margin, `holds` and `proven`.

    `holds`: the difference itself keeps the margin. `proven`: true when the whole interval keeps it, false
    when none of it does, null when the rows cannot say. AUC by DeLong, the rest by a paired bootstrap.
    """
    found = {"auc": _check("auc", _delong(labels, candidate, champion))}
    for name in ("precision", "recall", "f1", "false_positive_rate"):
        try:
            compared = paired_bootstrap(
                labels,
                candidate.excess(),
                champion.excess(),
                _METRICS[name],
                resamples=RESAMPLES,
                seed=seed,
            )
        except ShapeError:
            compared = None
        found[name] = _check(name, compared)
    return found


def judge(checks: Mapping[str, Mapping[str, Any]]) -> Verdict:
    """The verdict of the checks.

    worse: some check is proven to break its margin. better: all hold and AUC or F1 is proven higher.
    not_worse: all are proven to keep their margins. Otherwise the rows are too few to say: inconclusive.
    """
    if any(check["proven"] is False for check in checks.values()):
        return "worse"
    holds = all(check["holds"] for check in checks.values())
    gains = [checks[name]["low"] for name in ("auc", "f1")]
    if holds and any(low is not None and low > 0 for low in gains):
        return "better"
    return "not_worse" if all(c["proven"] for c in checks.values()) else "inconclusive"


def _delong(labels: Any, candidate: Contestant, champion: Contestant) -> Comparison | None:
    try:
        return delong(labels, candidate.scores, champion.scores)
    except ShapeError:
        return None


def _check(name: str, compared: Comparison | None) -> dict[str, Any]:
    margin, lower_is_better = MARGINS[name], name == "false_positive_rate"
    sign = -1.0 if lower_is_better else 1.0
    if compared is None or not math.isfinite(compared.difference):
        empty = dict.fromkeys(("candidate", "champion", "difference", "low", "high", "proven"))
        return {**empty, "margin": margin, "holds": False}
    low, high = sorted((sign * compared.low, sign * compared.high))
    return {
        "candidate": sign * compared.candidate,
        "champion": sign * compared.champion,
        "difference": sign * compared.difference,
        "low": low,
        "high": high,
        "margin": margin,
        "holds": compared.difference >= -margin,
        "proven": compared.not_worse_by(margin),
    }


def _precision(labels: Any, excess: Any) -> float:
    counts = confusion(labels, excess >= 0)
    return _share(counts.tp, counts.tp + counts.fp)


def _recall(labels: Any, excess: Any) -> float:
    counts = confusion(labels, excess >= 0)
    return _share(counts.tp, counts.tp + counts.fn)


def _f1(labels: Any, excess: Any) -> float:
    counts = confusion(labels, excess >= 0)
    return _share(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def _spared(labels: Any, excess: Any) -> float:
    """Minus the false positive rate, so that more is better as in the other metrics."""
    counts = confusion(labels, excess >= 0)
    return -_share(counts.fp, counts.fp + counts.tn)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


_METRICS = {
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
    "false_positive_rate": _spared,
}


def last_days(as_of: Any, days: int) -> Any:
    """A mask of the rows within `days` of the newest; `as_of` in microseconds, shape (n,)."""
    moments = np.asarray(as_of, dtype=np.int64)
    return moments > moments.max() - days * 86_400_000_000
