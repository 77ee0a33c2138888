"""A candidate of classes held against the champion on the same rows, with an honest "inconclusive"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from countersign.errors import ContractError, FieldError
from countersign.learning.backtest import RESAMPLES, Verdict
from countersign.learning.class_evaluation import probabilities
from countersign.learning.dataset import Rows
from countersign.learning.native import Floats
from countersign.serving.rules import score_rules
from countersign.serving.strategies import decide
from countersign.statistics.auc_compare import Comparison, paired_bootstrap
from countersign.statistics.errors import ShapeError

if TYPE_CHECKING:
    from countersign.serving.session import ModelSession

# How much worse than the champion is still allowed: share of right recommendations, and nats.
MARGINS: Mapping[str, float] = {"accuracy": 0.02, "log_loss": 0.02}
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class ClassContestant:
    """What a version would have answered: `right` (n,) whether its recommendation was the class that came,
    `surprise` (n,) minus the log of the probability it gave to that class, in nats.
    """

    right: Floats
    surprise: Floats


def contestant_of(session: ModelSession, rows: Rows, classes: Sequence[str]) -> ClassContestant:
    """What `session` would have answered for the rows: its own rules and strategies before its own model.

    Raises
    ------
    ContractError   its classes are not those of the label, or the rows lack what a rule reads
    DataError       the rows do not hold its features
    """
    if session.classes != tuple(classes):
        raise ContractError(
            "The version's classes are not those of the label; train it again",
            errors=[FieldError("classes", ", ".join(classes))],
        )
    names = sorted({rule.when[0] for rule in session.rules})
    absent = [
        FieldError(name, "a column of the dataset") for name in names if name not in rows.columns
    ]
    if absent:
        raise ContractError("The dataset lacks what a rule reads", errors=absent)
    shares = probabilities(session, rows)
    right = np.zeros(len(rows))
    for at in range(len(rows)):
        _, fired = score_rules(session.rules, {n: float(rows.columns[n][at]) for n in names})
        chosen = decide(
            session.strategies,
            fired=[rule.code for rule in fired],
            probabilities=dict(zip(session.classes, shares[at].tolist(), strict=True)),
        )
        right[at] = chosen.name == session.classes[rows.target[at]]
    chance = shares[np.arange(len(rows)), rows.target]
    return ClassContestant(right, -np.log(np.maximum(chance, _LEAST)))


def compare_classes(
    candidate: ClassContestant, champion: ClassContestant, *, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """One check per metric of MARGINS, as `learning.backtest.compare` gives them, by a paired bootstrap.

    `gained`: whether the whole interval lies on the better side. In `log_loss` less is better.
    """
    return {
        "accuracy": _check("accuracy", 1.0, candidate.right, champion.right, seed),
        "log_loss": _check("log_loss", -1.0, -candidate.surprise, -champion.surprise, seed),
    }


def judge_classes(checks: Mapping[str, Mapping[str, Any]]) -> Verdict:
    """worse: a check is proven to break its margin. better: all hold and one is proven better.
    not_worse: all are proven to keep their margins. Otherwise inconclusive.
    """
    if any(check["proven"] is False for check in checks.values()):
        return "worse"
    if all(c["holds"] for c in checks.values()) and any(c["gained"] for c in checks.values()):
        return "better"
    return "not_worse" if checks and all(c["proven"] for c in checks.values()) else "inconclusive"


def _check(name: str, sign: float, mine: Floats, other: Floats, seed: int) -> dict[str, Any]:
    """`mine` and `other` by row, more is better; `sign` turns them back into the metric."""
    margin = MARGINS[name]
    compared = _compared(mine, other, seed)
    if compared is None:
        empty = dict.fromkeys(("candidate", "champion", "difference", "low", "high", "proven"))
        return {**empty, "margin": margin, "holds": False, "gained": False}
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
        "gained": compared.low > 0,
    }


def _compared(mine: Floats, other: Floats, seed: int) -> Comparison | None:
    if not len(mine):
        return None
    try:
        return paired_bootstrap(
            np.ones(len(mine), dtype=np.bool_),
            mine,
            other,
            lambda _, values: float(values.mean()),
            resamples=RESAMPLES,
            seed=seed,
        )
    except ShapeError:
        return None
