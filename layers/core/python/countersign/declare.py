"""The words of a use case. A declaration is one file in `use_cases/` made of these, and nothing else.

Everything here is a frozen value. What a declaration means is worked out by the rooms that read it:
`features` computes the views, `learning` trains and judges, `serving` scores, `governance` decides
who must sign, `monitoring` watches, and `infra` derives routes and schedules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

ColumnType = Literal["string", "integer", "number", "boolean", "timestamp"]
NullPolicy = Literal["refuse", "keep", "zero"]
ViewKind = Literal["batch", "windowed"]
Aggregation = Literal[
    "mean", "std", "sum", "count", "min", "max", "rate", "distinct", "trend", "last",
    "days_since", "percent_change",
]  # fmt: skip
Autonomy = Literal["advisory", "override", "autonomous"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a source. `unit` says what a number is ("minor", "days", "share")."""

    name: str
    type: ColumnType
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()
    unit: str = ""
    personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A thing that features describe. `key` is its column in every source that mentions it."""

    name: str
    key: str
    buckets: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A typed contract for deliveries. `event_time` and `known_at` name the columns of the two clocks.

    Rows with the same `key` are versions of one fact: the one known last, as of any moment, stands.
    `delivers` is the expected rows of one delivery (low, high), for the volume check.
    """

    name: str
    description: str
    owner: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    event_time: str
    known_at: str = "known_at"
    delivers: tuple[int, int] = (0, 10_000_000)

    def column(self, name: str) -> Column:
        """The column `name`. Raises KeyError."""
        return {c.name: c for c in self.columns}[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of event time that ends at the as-of moment.

    Calendar `months` count whole months back from the as-of day; a `duration` counts exactly.
    `include_current`: whether an event at the as-of moment itself counts.
    `delay`: facts younger than this do not count yet (late-known labels).
    """

    months: int = 0
    duration: timedelta = timedelta(0)
    include_current: bool = False
    delay: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature of a view: `aggregation` of `column` over `window`, of the rows where `where` holds.

    `expression` and `where` are SQL over the source's columns. `denominator` serves `rate`:
    the share of the window's rows for which `expression` holds when it is empty.
    """

    name: str
    description: str
    aggregation: Aggregation
    expression: str = "1"
    where: str = ""
    denominator: str = ""
    window: Window | None = None
    sla: timedelta = timedelta(days=35)
    critical: bool = False
    nulls: NullPolicy = "keep"
    valid: tuple[float, float] = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureView:
    """Features of one entity from one source.

    `ttl`: a value older than this, by event time, is not served and joins as null.
    """

    name: str
    entity: Entity
    source: Source
    description: str
    owner: str
    features: tuple[Feature, ...]
    kind: ViewKind = "windowed"
    ttl: timedelta = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFeature:
    """A feature made at request time by `compute(request row, view features) -> float | None`.

    Training calls the same function, row by row, on the frozen spine.
    """

    name: str
    description: str
    owner: str
    compute: Callable[[Mapping[str, Any], Mapping[str, float | None]], float | None]
    critical: bool = False
    nulls: NullPolicy = "keep"
    valid: tuple[float, float] = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What happened in the end: a row of `source` that names the spine row's `join` key.

    A spine row is labelled once `matures` has passed since its event time.
    """

    name: str
    source: Source
    join: str
    matures: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """How to learn. `trainer` is a name in `learning/trainers`."""

    trainer: str
    hyperparameters: Mapping[str, float | int | str | bool] = field(default_factory=dict)
    seed: int = 7


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestField:
    """One field of the scoring body, by dotted path. Validated at the edge and in the function."""

    path: str
    type: ColumnType
    required: bool = True
    minimum: float | None = None
    maximum: float | None = None
    max_length: int = 64
    pattern: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCase:
    """Everything that the house needs to know of one model's purpose.

    `spine`: the source whose rows are scored. `entities`: for each entity of the views, the path in
    the scoring body or the online row of the first entity that names its id. `inputs`: the features
    of views and requests in the order the model sees them.
    """

    name: str
    title: str
    owner: str
    description: str
    api_path: str
    spine: Source
    entities: tuple[Entity, ...]
    views: tuple[FeatureView, ...]
    request_features: tuple[RequestFeature, ...]
    request_fields: tuple[RequestField, ...]
    inputs: tuple[str, ...]
    label: Label
    model: ModelSpec
    split: Split
    gates: tuple[Gate, ...]
    fairness: tuple[FairnessGroup, ...]
    costs: CostMatrix
    rules: tuple[Rule, ...]
    hybrid: Hybrid
    rollout: Rollout
    autonomy: Autonomy
    approval_class: str
    drift: DriftPolicy = DriftPolicy()
    retrain: Literal["monthly", "quarterly"] = "quarterly"
    latency_p95_ms: float = 200.0
    deadline_ms: float = 100.0
    rules_only_fallback: bool = True

    def feature(self, name: str) -> Feature | RequestFeature:
        """The declared feature `name`. Raises KeyError."""
        every: dict[str, Feature | RequestFeature] = {
            f.name: f for view in self.views for f in view.features
        }
        every |= {f.name: f for f in self.request_features}
        return every[name]

    def sources(self) -> tuple[Source, ...]:
        """Every source it needs, each once, the spine first."""
        needed = (self.spine, self.label.source, *(view.source for view in self.views))
        return tuple({source.name: source for source in needed}.values())
