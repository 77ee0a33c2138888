"""The words of a use case. A declaration is one file in `use_cases/` made of these, and nothing else.

Everything here is a frozen value. What a declaration means is worked out by the rooms that read it:
`features` computes the views, `learning` trains and judges, `serving` scores, `governance` decides
who must sign, `monitoring` watches, and `infra` derives routes and schedules.
"""

from countersign.declare.features import (
    Aggregation,
    Column,
    ColumnType,
    DeliveryPolicy,
    Entity,
    Feature,
    FeatureView,
    NullPolicy,
    Refresh,
    RequestFeature,
    Source,
    ViewKind,
    Window,
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
from countersign.declare.use_case import Autonomy, RequestField, UseCase

__all__ = [
    "Aggregation",
    "Autonomy",
    "Column",
    "ColumnType",
    "CostMatrix",
    "DeliveryPolicy",
    "DriftPolicy",
    "Entity",
    "FairnessGroup",
    "Feature",
    "FeatureView",
    "Gate",
    "Hybrid",
    "Label",
    "ModelSpec",
    "NullPolicy",
    "Refresh",
    "RequestFeature",
    "RequestField",
    "Rollout",
    "Rule",
    "Source",
    "Split",
    "Strategy",
    "UseCase",
    "ViewKind",
    "Window",
]
