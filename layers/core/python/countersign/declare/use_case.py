"""The declaration itself: everything the house needs to know of one model's purpose."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from countersign.declare.features import (
    ColumnType,
    Entity,
    Feature,
    FeatureView,
    RequestFeature,
    Source,
)
from countersign.declare.models import (
    CostMatrix,
    DriftPolicy,
    FairnessGroup,
    Gate,
    Hybrid,
    Label,
    ModelSpec,
    Rollout,
    Rule,
    Split,
    Strategy,
)

Autonomy = Literal["advisory", "override", "autonomous"]


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
    of views and requests in the order the model sees them. `upstream`: use cases whose score is an
    input here: the score of `<name>` is the request field and the spine column `<name>_score`, 0 to 1,
    null where there was none. `strategies`: what an answer recommends; empty: review or pass.
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
    drift: DriftPolicy = field(default_factory=DriftPolicy)
    retrain: Literal["monthly", "quarterly"] = "quarterly"
    latency_p95_ms: float = 200.0
    deadline_ms: float = 100.0
    rules_only_fallback: bool = True
    upstream: tuple[str, ...] = ()
    strategies: tuple[Strategy, ...] = ()

    def feature(self, name: str) -> Feature | RequestFeature:
        """The declared feature `name`. Raises KeyError."""
        every: dict[str, Feature | RequestFeature] = {
            f.name: f for view in self.views for f in view.features
        }
        every |= {f.name: f for f in self.request_features}
        return every[name]

    def sources(self) -> tuple[Source, ...]:
        """Every source it needs, each once, the spine first."""
        streams = (source for view in self.views for source in view.sources())
        needed = (self.spine, self.label.source, *streams)
        return tuple({source.name: source for source in needed}.values())
