"""The figure that a search goes by: any that is measured of a model, and which way is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from countersign.declare import CostMatrix, UseCase
from countersign.learning import class_metrics, threshold
from countersign.learning.dataset import Rows
from countersign.learning.native import Floats
from countersign.learning.scoring import add_rules
from countersign.statistics import classification
from countersign.workbench.document import Value

# Figure → whether more is better.
BINARY: Mapping[str, bool] = {
    "auc": True, "average_precision": True, "precision": True, "recall": True, "f1": True,
    "false_positive_rate": False, "brier": False, "selection_rate": False, "cost": False,
}  # fmt: skip
CLASSES: Mapping[str, bool] = {
    "accuracy": True, "auc_macro": True, "macro_f1": True, "log_loss": False, "brier": False,
}  # fmt: skip


def check_scoring(given: Value, scoring: str, classes: Sequence[str]) -> None:
    """Raise RequestError, with the line, unless `scoring` is measured of such a model."""
    known = known_scorings(classes)
    if scoring not in known:
        at = (given.entries or {}).get("scoring", given)
        raise at.refuse(f"must be one of {', '.join(known)}")


def known_scorings(classes: Sequence[str]) -> dict[str, bool]:
    """Every figure that a search can go by, and whether more of it is better."""
    if classes:
        return {**CLASSES, **{f"recall_{name}": True for name in classes}}
    return dict(BINARY)


def judge(
    use_case: UseCase, scoring: str, *, stop: tuple[Rows, Floats], judged: tuple[Rows, Floats]
) -> float:
    """The figure of the judged rows, scored as they would be served; NaN where it is undefined.

    Where it needs a threshold, that is the cheapest one of the rows that stopped the training.
    """
    rows, scored = judged
    if use_case.label.classes:
        return _of_classes(scoring, use_case.label.classes, rows, scored)
    final = _final(use_case, rows, scored)
    plain: dict[str, Callable[..., float]] = {
        "auc": classification.auc,
        "average_precision": classification.average_precision,
        "brier": classification.brier,
    }
    if scoring in plain:
        return float(plain[scoring](rows.label, final))
    before = _final(use_case, *stop)
    at = threshold.choose(stop[0].label, before, use_case.costs).value
    return _decided(scoring, rows, np.asarray(final >= at), use_case.costs)


def _final(use_case: UseCase, rows: Rows, scored: Floats) -> Floats:
    return add_rules(scored, rows, rules=use_case.rules, hybrid=use_case.hybrid).final


def _decided(scoring: str, rows: Rows, selected: NDArray[np.bool_], costs: CostMatrix) -> float:
    counts = classification.confusion(rows.label, selected)
    if scoring == "cost":
        return float(
            counts.fn * costs.false_negative_minor
            + counts.fp * costs.false_positive_minor
            + counts.tp * costs.true_positive_minor
        ) / len(rows)
    if scoring == "selection_rate":
        return (counts.tp + counts.fp) / len(rows)
    found = classification.rates(counts)[scoring].value
    # Nothing selected: no row of its choice was right.
    return (0.0 if scoring == "precision" else float("nan")) if found is None else found


def _of_classes(scoring: str, classes: Sequence[str], rows: Rows, scored: Floats) -> float:
    chosen = scored.argmax(axis=1)
    if scoring == "accuracy":
        return float((chosen == rows.target).mean())
    if scoring == "macro_f1":
        return class_metrics.macro_f1(rows.target, chosen, len(classes))
    if scoring == "log_loss":
        return class_metrics.log_loss(rows.target, scored)
    if scoring == "brier":
        return class_metrics.brier(rows.target, scored)
    if scoring == "auc_macro":
        each = [
            classification.auc(rows.target == n, scored[:, n])
            for n in range(len(classes))
            if 0 < (rows.target == n).sum() < len(rows)
        ]
        return float(np.mean(each)) if each else float("nan")
    own = rows.target == list(classes).index(scoring.removeprefix("recall_"))
    return float((chosen[own] == rows.target[own]).mean()) if own.any() else float("nan")
