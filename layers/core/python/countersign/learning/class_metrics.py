"""What is measured of a model of classes, each figure with its 95 % interval where it has one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.learning.native import Floats
from countersign.statistics.auc_macro import macro_auc_interval
from countersign.statistics.proportions import Interval, wilson

RESAMPLES = 500
_LEAST = 1e-12
Targets = NDArray[np.int64]


def measure_classes(
    target: Targets, probabilities: Floats, classes: Sequence[str], *, seed: int = 0
) -> dict[str, Interval]:
    """The metrics of probabilities (n, n_classes) against the rows' classes (n,).

    `accuracy` by Wilson; `macro_f1` (the mean over classes), `log_loss` and `brier` by a seeded bootstrap;
    `auc_macro` is the mean of each class against the rest, by DeLong's components added up by row, and
    undefined as soon as a class has no row; `recall_<class>` by Wilson.
    """
    chosen = probabilities.argmax(axis=1)
    found = {
        "accuracy": wilson(int((chosen == target).sum()), len(target)),
        "auc_macro": macro_auc_interval(target, probabilities),
        "macro_f1": _resampled(
            lambda rows: macro_f1(target[rows], chosen[rows], len(classes)), len(target), seed
        ),
        "log_loss": _resampled(
            lambda rows: log_loss(target[rows], probabilities[rows]), len(target), seed
        ),
        "brier": _resampled(
            lambda rows: brier(target[rows], probabilities[rows]), len(target), seed
        ),
    }
    for number, name in enumerate(classes):
        own = target == number
        found[f"recall_{name}"] = wilson(int((chosen[own] == number).sum()), int(own.sum()))
    return found


def confusion_matrix(target: Targets, chosen: NDArray[Any], n_classes: int) -> NDArray[np.int64]:
    """Counts of shape (n_classes, n_classes): row the truth, column the choice."""
    flat = np.bincount(target * n_classes + chosen, minlength=n_classes**2)
    return flat.reshape(n_classes, n_classes)


def macro_f1(target: Targets, chosen: NDArray[Any], n_classes: int) -> float:
    """The mean over the classes of the rows of their F1; NaN without rows."""
    counts = confusion_matrix(target, chosen, n_classes)
    hits = np.diag(counts)
    either = counts.sum(axis=0) + counts.sum(axis=1)
    there = either > 0
    return float(np.mean(2 * hits[there] / either[there])) if there.any() else float("nan")


def log_loss(target: Targets, probabilities: Floats) -> float:
    """Mean negative log likelihood, in nats."""
    chance = probabilities[np.arange(len(target)), target]
    return float(-np.mean(np.log(np.maximum(chance, _LEAST))))


def brier(target: Targets, probabilities: Floats) -> float:
    """Mean squared distance between the probabilities and the truth, summed over the classes: 0 to 2."""
    truth = np.zeros_like(probabilities)
    truth[np.arange(len(target)), target] = 1.0
    return float(np.mean(((probabilities - truth) ** 2).sum(axis=1)))


def _resampled(measure: Callable[[NDArray[Any]], float], rows: int, seed: int) -> Interval:
    """The figure over all rows, with the percentile interval of a bootstrap."""
    if not rows:
        return Interval(None, None, None)
    random = np.random.default_rng(seed)
    drawn = [measure(random.integers(rows, size=rows)) for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(measure(np.arange(rows)), float(low), float(high))
