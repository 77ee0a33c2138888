"""Rows scored in the final serving form: model, rules and their weighted sum, by the serving code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from countersign.declare import Hybrid, Rule
from countersign.errors import ContractError, FieldError
from countersign.learning.dataset import Rows
from countersign.learning.native import Floats
from countersign.serving.hybrid import combine
from countersign.serving.preprocess import matrix
from countersign.serving.rules import score_rules

if TYPE_CHECKING:
    from countersign.serving.session import ModelSession


@dataclass(frozen=True, slots=True)
class Scores:
    """Three scores of each row, each of shape (n_rows,) and in [0, 1]. `final` is what is decided on."""

    model: Floats
    rules: Floats
    final: Floats


def score_with(session: ModelSession, rows: Rows) -> Scores:
    """The scores that `session` would serve for the rows."""
    model = session.score_many(matrix(session.features, session.fills, rows.columns))
    return add_rules(model, rows, rules=session.rules, hybrid=session.hybrid)


def add_rules(model: Floats, rows: Rows, *, rules: Sequence[Rule], hybrid: Hybrid) -> Scores:
    """The hybrid of model scores and declared rules. Raises ContractError when a rule's feature is absent."""
    names = sorted({rule.when[0] for rule in rules})
    absent = [name for name in names if name not in rows.columns]
    if absent:
        raise ContractError(
            f"The dataset lacks {', '.join(absent)}, which a rule reads; freeze it with these features",
            errors=[FieldError(name, "a column of the dataset") for name in absent],
        )
    columns = [rows.columns[name].tolist() for name in names]
    points = [
        score_rules(rules, dict(zip(names, values, strict=True)))[0]
        for values in (zip(*columns, strict=True) if columns else [()] * len(rows))
    ]
    final = [
        combine(hybrid, model_score=score, rule_score=rule)
        for score, rule in zip(model.tolist(), points, strict=True)
    ]
    return Scores(model, np.array(points, dtype=np.float64), np.array(final, dtype=np.float64))
