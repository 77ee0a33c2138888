"""A verified candidate of several classes judged on the test rows: its part of `evaluation.json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from countersign.declare import UseCase
from countersign.learning.class_metrics import (
    Targets,
    confusion_matrix,
    log_loss,
    measure_classes,
)
from countersign.learning.contest import discord
from countersign.learning.dataset import Rows
from countersign.learning.native import Floats
from countersign.serving.preprocess import matrix
from countersign.serving.rules import score_rules
from countersign.serving.strategies import decide
from countersign.statistics.auc_compare import auc_interval
from countersign.statistics.classification import (
    Confusion,
    calibration_bins,
    pr_points,
    rates,
    roc_points,
    score_histogram,
)
from countersign.statistics.proportions import Interval, wilson

if TYPE_CHECKING:
    from countersign.serving.session import ModelSession

IMPORTANCE = "permutation of one input in the test rows, mean rise of the model's log loss"
REPEATS = 3
MOST_ROWS = 4_000


def probabilities(session: ModelSession, rows: Rows) -> Floats:
    """Of each row and class, as they would be served; shape (n_rows, n_classes)."""
    return session.score_many(matrix(session.features, session.fills, rows.columns))


def figures(use_case: UseCase, test: Rows, scores: Floats) -> dict[str, Interval]:
    """The metrics of the test rows; `strategy_accuracy` is of what would be recommended, rules first."""
    found = measure_classes(test.target, scores, use_case.label.classes)
    right = recommended(use_case, test, scores) == test.target
    return {**found, "strategy_accuracy": wilson(int(right.sum()), len(right))}


def pictures(use_case: UseCase, test: Rows, scores: Floats) -> dict[str, Any]:
    """Per class: the report, curves and calibration against the rest; and the confusion of all of them.

    `confidence` is of the likeliest class: its probability where it is right (positives) and where not.
    """
    classes = use_case.label.classes
    likeliest = scores.argmax(axis=1)
    counts = confusion_matrix(test.target, likeliest, len(classes))
    return {
        "classes": list(classes),
        "class_report": class_report(counts, classes),
        "class_averages": class_averages(counts),
        "confusion_matrix": counts.tolist(),
        "by_class": {
            name: {
                "roc": roc_points(test.target == n, scores[:, n]),
                "pr": pr_points(test.target == n, scores[:, n]),
                "auc": asdict(auc_interval(test.target == n, scores[:, n])),
                "calibration": calibration_bins(test.target == n, scores[:, n]),
            }
            for n, name in enumerate(classes)
        },
        "confidence": score_histogram(likeliest == test.target, scores.max(axis=1)),
    }


def class_report(counts: NDArray[np.int64], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of each class, null where there is nothing to divide by.

    `intervals` has [low, high] of each: Wilson's, and for F1 through Jaccard's index.
    """
    rows = []
    for n, name in enumerate(classes):
        hits, chosen, there = int(counts[n, n]), int(counts[:, n].sum()), int(counts[n].sum())
        rest = int(counts.sum()) - chosen - there + hits
        found = rates(Confusion(hits, chosen - hits, there - hits, rest))
        kept = {name: found[name] for name in ("precision", "recall", "f1")}
        rows.append(
            {
                "class": name,
                **{figure: interval.value for figure, interval in kept.items()},
                "support": there,
                "intervals": {f: [i.low, i.high] for f, i in kept.items() if i.low is not None},
            }
        )
    return rows


def class_averages(counts: NDArray[np.int64]) -> dict[str, Any]:
    """`accuracy`, and the `macro` and by support `weighted` means of precision, recall and F1.

    A class with nothing to divide by counts as zero, as in other tools' classification reports.
    """
    rows = class_report(counts, [str(n) for n in range(len(counts))])
    there = np.array([row["support"] for row in rows], dtype=np.float64)
    every = there.sum()
    figures = {
        name: np.array([row[name] or 0.0 for row in rows]) for name in ("precision", "recall", "f1")
    }
    return {
        "accuracy": float(np.trace(counts) / every) if every else None,
        "macro": {name: float(each.mean()) for name, each in figures.items()},
        "weighted": {
            name: float(each @ there / every) if every else None for name, each in figures.items()
        },
    }


def recommended(use_case: UseCase, rows: Rows, scores: Floats | None) -> Targets:
    """The class of what would be recommended for each row, by rules alone when there are no scores."""
    classes = use_case.label.classes
    place = {name: n for n, name in enumerate(classes)}
    names = sorted({rule.when[0] for rule in use_case.rules})
    found = []
    for at in range(len(rows)):
        values = {name: float(rows.columns[name][at]) for name in names}
        _, fired = score_rules(use_case.rules, values)
        shares = None if scores is None else dict(zip(classes, scores[at].tolist(), strict=True))
        chosen = decide(
            use_case.strategies, fired=[rule.code for rule in fired], probabilities=shares
        )
        found.append(place[chosen.name])
    return np.array(found, dtype=np.int64)


def against_rules(use_case: UseCase, test: Rows, scores: Floats) -> dict[str, Any]:
    """Accuracy of the rules alone, of the model alone, and of both as they are served; `p` is McNemar's."""
    right = {
        "rules": recommended(use_case, test, None) == test.target,
        "model": scores.argmax(axis=1) == test.target,
        "hybrid": recommended(use_case, test, scores) == test.target,
    }
    figures = {name: wilson(int(hits.sum()), len(hits)) for name, hits in right.items()}
    return {
        **{
            name: {"accuracy": found.value, "intervals": {"accuracy": [found.low, found.high]}}
            for name, found in figures.items()
        },
        **discord(right),
        "rows": len(test),
    }


def shares_by_group(
    use_case: UseCase, test: Rows, chosen: Targets
) -> dict[str, list[dict[str, Any]]]:
    """By declared column [{value, n, shares: {class: share of the group's rows}}]: who is recommended what."""
    found = {}
    for group in use_case.fairness:
        values = test.texts[group.column].astype(str)
        found[group.column] = [
            {
                "value": value,
                "n": int((values == value).sum()),
                "shares": {
                    name: float((chosen[values == value] == n).mean())
                    for n, name in enumerate(use_case.label.classes)
                },
            }
            for value in np.unique(values).tolist()
        ]
    return found


def permutation(session: ModelSession, rows: Rows, *, seed: int = 0) -> list[dict[str, Any]]:
    """[{feature, value}], largest first: how much worse the log loss is without the input."""
    random = np.random.default_rng(seed)
    kept = random.choice(len(rows), size=min(MOST_ROWS, len(rows)), replace=False)
    part = rows.take(np.sort(kept))
    inputs = matrix(session.features, session.fills, part.columns)
    whole = log_loss(part.target, session.score_many(inputs))
    found = []
    for column, name in enumerate(session.features):
        rises = []
        for _ in range(REPEATS):
            shuffled = inputs.copy()
            shuffled[:, column] = random.permutation(shuffled[:, column])
            rises.append(log_loss(part.target, session.score_many(shuffled)) - whole)
        found.append({"feature": name, "value": float(np.mean(rises))})
    return sorted(found, key=lambda item: (-float(str(item["value"])), str(item["feature"])))
