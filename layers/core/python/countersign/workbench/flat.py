"""A use case declared on the spot, for a flat file that no use case knows: one row, one fact, one label.

What the file's columns are is written down as plain facts (`declaration.json` of the dataset), and the use
case is made of those facts alone: so a frozen dataset of such a file can be trained again without the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from countersign.declare import (
    Column,
    CostMatrix,
    Entity,
    FairnessGroup,
    Gate,
    Hybrid,
    Label,
    ModelSpec,
    RequestFeature,
    RequestField,
    Rollout,
    Source,
    Split,
    Strategy,
    UseCase,
)

DECLARATION = "declaration.json"
KEY, AT, KNOWN, OUTCOME = "row_id", "event_at", "known_at", "outcome"
_OWNER = "workbench"
_BINARY, _CLASSES = "xgboost_binary", "xgboost_multiclass"
# A miss costs as much as ten false alarms, unless the configuration says otherwise.
COSTS = CostMatrix(false_negative_minor=1_000, false_positive_minor=100)


def use_case_of(facts: Mapping[str, Any]) -> UseCase:
    """The use case of a flat file.

    `facts`: `{name, label, classes: [text], by_time: bool, entity: bool, groups: [name],
    features: [{name, column, categories: [text]}]}`.
    """
    spine, _ = _sources(facts)
    classes = bool(facts["classes"])
    features = tuple(_feature(found) for found in facts["features"])
    return UseCase(
        name=facts["name"],
        title=facts["name"].replace("_", " "),
        owner=_OWNER,
        description="A flat file, declared by its configuration; trained at a desk and never served",
        api_path=f"/v1/{facts['name']}/score",
        spine=spine,
        entities=(_entity(facts),),
        views=(),
        request_features=features,
        request_fields=tuple(
            RequestField(path=_stated(f["name"]), type=_kind(f), required=False)
            for f in facts["features"]
        ),
        inputs=tuple(feature.name for feature in features),
        label=_label(facts),
        model=ModelSpec(trainer=_CLASSES if classes else _BINARY),
        split=_split(facts),
        gates=(Gate("auc_macro" if classes else "auc", at_least=0.5),),
        fairness=tuple(FairnessGroup(column=name) for name in facts["groups"]),
        costs=COSTS,
        rules=(),
        hybrid=Hybrid(model_weight=1.0, rules_weight=0.0),
        rollout=Rollout(cohort_column=KEY, cohorts=()),
        autonomy="advisory",
        approval_class="standard",
        strategies=tuple(
            Strategy(name=name, text=f"{facts['label']} is {name}") for name in facts["classes"]
        ),
    )


def _entity(facts: Mapping[str, Any]) -> Entity:
    return (
        Entity(name="entity", key="entity_id") if facts["entity"] else Entity(name="row", key=KEY)
    )


def _split(facts: Mapping[str, Any]) -> Split:
    return Split(order="time" if facts["by_time"] else "stratified", min_rows=200, min_positives=10)


def _label(facts: Mapping[str, Any]) -> Label:
    _, outcomes = _sources(facts)
    return Label(
        name=facts["label"],
        source=outcomes,
        join=KEY,
        matures=timedelta(0),
        classes=tuple(facts["classes"]),
        outcome=OUTCOME if facts["classes"] else "",
    )


def _sources(facts: Mapping[str, Any]) -> tuple[Source, Source]:
    stated = [
        Column(name=_stated(found["name"]), type=_kind(found), nullable=True)
        for found in facts["features"]
    ]
    ids = [Column(name="entity_id", type="string")] if facts["entity"] else []
    groups = [Column(name=name, type="string", nullable=True) for name in facts["groups"]]
    # So that rows that differ in their time or outcome alone are different facts.
    told = [Column(name=name, type="string") for name in ("told_at", "told_outcome")]
    clocks = [Column(name=name, type="timestamp") for name in (AT, KNOWN)]
    key = Column(name=KEY, type="string")
    spine = Source(
        name=f"{facts['name']}_rows",
        description="The rows of the file",
        owner=_OWNER,
        columns=(key, *ids, *stated, *groups, *told, *clocks),
        key=(KEY,),
        event_time=AT,
        delivers=(0, 10**9),
    )
    outcome = [Column(name=OUTCOME, type="string")] if facts["classes"] else []
    outcomes = Source(
        name=f"{facts['name']}_outcomes",
        description="How the rows ended",
        owner=_OWNER,
        columns=(key, *outcome, *clocks),
        key=(KEY,),
        event_time=AT,
        delivers=(0, 10**9),
    )
    return spine, outcomes


def _stated(name: str) -> str:
    """The spine's column of a feature: apart from the feature, which is a column of the dataset."""
    return f"in_{name}"


def _kind(found: Mapping[str, Any]) -> Any:
    return "string" if found["categories"] else "number"


def _feature(found: Mapping[str, Any]) -> RequestFeature:
    categories = tuple(found["categories"])
    place = {text: float(n) for n, text in enumerate(categories)}
    column = _stated(found["name"])
    compute: Callable[..., float | None] = (
        (lambda row, usual: _place(row[column], place))
        if categories
        else (lambda row, usual: None if row[column] is None else float(row[column]))
    )
    return RequestFeature(
        name=found["name"],
        description=f"The column {found['column']} of the file",
        owner=_OWNER,
        compute=compute,
        categories=categories,
    )


def _place(text: str | None, place: Mapping[str, float]) -> float | None:
    return None if text is None else place.get(text, float(len(place)))
