"""What a training was told, apart from its rows: kept in its record, and read back to train the same again.

A declaration changes; the model that was made of it does not. So a re-run asks the record, never the
declaration of today.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from countersign.declare import (
    CostMatrix,
    Entity,
    FairnessGroup,
    Feature,
    FeatureView,
    Gate,
    Hybrid,
    Label,
    ModelSpec,
    RequestFeature,
    Rollout,
    Rule,
    Source,
    Split,
    UseCase,
)
from countersign.errors import ArtifactError
from countersign.serving import strategies
from countersign.serving.rules import rules_to_json


def spec_of(use_case: UseCase, used: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a declaration that decides what is learned and how it is judged, as plain JSON.

    `used`: every hyperparameter as the trainer used it, defaults included: those may change too.
    """
    asked = {feature.name for feature in use_case.request_features}
    return {
        "inputs": [
            {
                "name": name,
                "nulls": (declared := use_case.feature(name)).nulls,
                "fill": declared.fill,
                "at_request": name in asked,
            }
            for name in use_case.inputs
        ],
        "key": list(use_case.spine.key),
        "cluster": use_case.entities[0].key,
        "classes": list(use_case.label.classes),
        "model": _model_to_json(use_case.model, used),
        "split": asdict(use_case.split),
        "costs": asdict(use_case.costs),
        "hybrid": asdict(use_case.hybrid),
        "rules": rules_to_json(use_case.rules),
        "strategies": strategies.to_json(use_case.strategies),
        "gates": [_bounds(gate) for gate in use_case.gates],
        "fairness": [asdict(group) for group in use_case.fairness],
    }


def _model_to_json(spec: ModelSpec, used: Mapping[str, Any]) -> dict[str, Any]:
    members = dict(used.get("members", {}))
    parts = list(members.values()) or [part.hyperparameters for part in spec.members]
    return {
        "trainer": spec.trainer,
        "hyperparameters": {name: value for name, value in used.items() if name != "members"},
        "seed": spec.seed,
        "members": [
            _model_to_json(part, settings)
            for part, settings in zip(spec.members, parts, strict=True)
        ],
    }


def _bounds(gate: Gate) -> dict[str, Any]:
    """A gate as evaluation.json has it, without a verdict: infinity is no JSON."""
    bounds = {"at_least": gate.at_least, "at_most": gate.at_most}
    return {
        "metric": gate.metric,
        **{name: value if math.isfinite(value) else None for name, value in bounds.items()},
    }


def use_case_of(record: Mapping[str, Any]) -> UseCase:
    """The use case that a record tells of, as far as training and judging look at it.

    Raises ArtifactError for a record without its `declared` part, or with a broken one.
    """
    try:
        return _use_case(str(record["use_case"]), record["declared"])
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(
            "The record does not say what its training was told; it was made before that was kept"
        ) from error


def _use_case(name: str, told: Mapping[str, Any]) -> UseCase:
    source = Source(
        name="spine", description="", owner="", columns=(), key=tuple(told["key"]), event_time=""
    )
    entity = Entity(name="entity", key=told["cluster"])
    return UseCase(
        name=name,
        title=name,
        owner="",
        description="",
        api_path="",
        spine=source,
        entities=(entity,),
        **_features(told["inputs"], entity, source),
        request_fields=(),
        inputs=tuple(item["name"] for item in told["inputs"]),
        label=Label(
            name="label",
            source=source,
            join="",
            matures=timedelta(0),
            classes=tuple(told["classes"]),
        ),
        model=_model_from_json(told["model"]),
        split=Split(**told["split"]),
        gates=tuple(_gate(item) for item in told["gates"]),
        fairness=tuple(FairnessGroup(**item) for item in told["fairness"]),
        costs=CostMatrix(**told["costs"]),
        rules=tuple(_rule(item) for item in told["rules"]),
        hybrid=Hybrid(**told["hybrid"]),
        rollout=Rollout(cohort_column="", cohorts=()),
        autonomy="advisory",
        approval_class="",
        strategies=strategies.from_json(told["strategies"]),
    )


def _features(
    inputs: Sequence[Mapping[str, Any]], entity: Entity, source: Source
) -> dict[str, Any]:
    """Features by name and null policy: their values lie in the frozen dataset."""
    stored = tuple(
        Feature(
            name=item["name"],
            description="",
            aggregation="last",
            nulls=item["nulls"],
            fill=item["fill"],
        )
        for item in inputs
        if not item["at_request"]
    )
    view = FeatureView(
        name="recorded", entity=entity, source=source, description="", owner="", features=stored
    )
    return {
        "views": (view,),
        "request_features": tuple(
            RequestFeature(
                name=item["name"], description="", owner="", compute=_frozen,
                nulls=item["nulls"], fill=item["fill"],
            )
            for item in inputs
            if item["at_request"]
        ),
    }  # fmt: skip


def _frozen(_row: Mapping[str, Any], _features: Mapping[str, float | None]) -> float | None:
    raise ArtifactError("A use case from a record computes no feature; its dataset has the values")


def _model_from_json(told: Mapping[str, Any]) -> ModelSpec:
    return ModelSpec(
        trainer=told["trainer"],
        hyperparameters=dict(told["hyperparameters"]),
        seed=int(told["seed"]),
        members=tuple(_model_from_json(part) for part in told["members"]),
    )


def _gate(told: Mapping[str, Any]) -> Gate:
    bounds = {name: told[name] for name in ("at_least", "at_most") if told[name] is not None}
    return Gate(told["metric"], **bounds)


def _rule(told: Mapping[str, Any]) -> Rule:
    """As it was declared: a bound of 4 stays a whole number, which the rules' version counts."""
    feature, comparison, bound = told["when"]
    return Rule(**{**told, "when": (feature, comparison, bound)})
