"""The words of learning and judging: labels, splits, gates, costs, rules, rollouts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from countersign.declare.features import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What happened in the end: a row of `source` that names the spine row's `join` key.

    A spine row is labelled once `matures` has passed since its event time. `within`: only what happens
    after the spine row and so long after it at most counts ("cancels within 60 days"); it cannot be
    longer than `matures`. Without it whatever names the key counts, whenever it happened.

    `classes` (empty: binary, a row or none) are the classes of a multi-class label, in the order of
    the model's probabilities; `outcome` is the column of `source` that names the class. There a spine
    row without a row of `source` has no label: it is left out, never guessed.
    """

    name: str
    source: Source
    join: str
    matures: timedelta
    within: timedelta | None = None
    classes: tuple[str, ...] = ()
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """How to learn. `trainer` is a name in `learning/trainers`; `members` are the parts of an ensemble."""

    trainer: str
    hyperparameters: Mapping[str, float | int | str | bool] = field(default_factory=dict)
    seed: int = 7
    members: tuple[ModelSpec, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Shares of the rows by time order: the oldest train, then validate, then test."""

    train: float = 0.6
    validate: float = 0.2
    order: Literal["time", "stratified"] = "time"
    min_rows: int = 500
    min_positives: int = 10


@dataclass(frozen=True, slots=True)
class Gate:
    """A bound that a metric must keep."""

    metric: str
    at_least: float = -math.inf
    at_most: float = math.inf

    def holds(self, metrics: Mapping[str, float]) -> bool:
        """A missing or NaN metric never passes."""
        return self.at_least <= metrics.get(self.metric, math.nan) <= self.at_most


@dataclass(frozen=True, slots=True, kw_only=True)
class CostMatrix:
    """What an outcome costs, in minor units of the reporting currency."""

    false_negative_minor: int
    false_positive_minor: int
    true_positive_minor: int = 0
    currency: str = "EUR"


@dataclass(frozen=True, slots=True, kw_only=True)
class FairnessGroup:
    """A column of the spine whose groups must be treated alike."""

    column: str
    minimum_rows: int = 200
    minimum_ratio: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A condition over features that raises the rule score by `points` (0 to 1) and gives a reason.

    `when` is (feature, operator, bound): a rule over a null feature does not fire.
    """

    code: str
    text: str
    owner: str
    when: tuple[str, Literal[">", ">=", "<", "<=", "=="], float]
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """An action that an answer may recommend instead of review or pass.

    Where the label has classes, `name` is one of them, and the likeliest class whose probability is
    `at_least` is recommended. Where it is binary, it is the strategy with the greatest `at_least` that
    the score reaches. A fired rule whose code is in `rules` decides for it before any model does.
    The first declared strategy stands when nothing decides, so it is the one that does least harm.
    `wait`: how long after the scored moment it acts.
    """

    name: str
    text: str
    at_least: float = 0.0
    wait: timedelta = timedelta(0)
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hybrid:
    """Weights of the model's and the rules' scores; they sum to 1."""

    model_weight: float
    rules_weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Cohorts in the order of their risk, and the share of them served at each step."""

    cohort_column: str
    cohorts: tuple[str, ...]
    steps: tuple[float, ...] = (0.1, 0.3, 0.6, 1.0)
    wait: timedelta = timedelta(days=7)
    soak: timedelta = timedelta(days=7)
    guards: tuple[Gate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftPolicy:
    """When drift is worth a look and when it is an alert (PSI), and at which error rate."""

    watch: float = 0.1
    alert: float = 0.2
    alpha: float = 0.001
    dataset_share: float = 0.2
