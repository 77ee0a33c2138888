"""A verified candidate of several classes judged on the test rows: its part of `evaluation.json`."""

from __future__ import annotations

from collections.abc import Sequence
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
from countersign.learning.dataset import Rows
from countersign.learning.native import Floats
from countersign.serving.preprocess import matrix
from countersign.serving.rules import score_rules
from countersign.serving.strategies import decide
from countersign.statistics.classification import calibration_bins, roc_points
from countersign.statistics.paired import mcnemar
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
    """Per class: the report, ROC and calibration against the rest; and the confusion of all of them."""
    classes = use_case.label.classes
    counts = confusion_matrix(test.target, scores.argmax(axis=1), len(classes))
    return {
        "classes": list(classes),
        "class_report": class_report(counts, classes),
        "confusion_matrix": counts.tolist(),
        "by_class": {
            name: {
                "roc": roc_points(test.target == n, scores[:, n]),
                "calibration": calibration_bins(test.target == n, scores[:, n]),
            }
            for n, name in enumerate(classes)
        },
    }


def class_report(counts: NDArray[np.int64], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of each class; null where there is nothing to divide by."""
    rows = []
    for n, name in enumerate(classes):
        hits, chosen, there = int(counts[n, n]), int(counts[:, n].sum()), int(counts[n].sum())
        rows.append(
            {
                "class": name,
                "precision": hits / chosen if chosen else None,
                "recall": hits / there if there else None,
                "f1": 2 * hits / (chosen + there) if chosen + there else None,
                "support": there,
            }
        )
    return rows


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
    model_only = int((right["model"] & ~right["rules"]).sum())
    rules_only = int((right["rules"] & ~right["model"]).sum())
    return {
        **{name: {"accuracy": float(hits.mean())} for name, hits in right.items()},
        "discordant": {"model_only": model_only, "rules_only": rules_only},
        "p": mcnemar(model_only, rules_only).p,
    }


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
