"""The shape that Amazon SageMaker asks of a model card's `Content`, written down in our own words.

Source: Amazon SageMaker AI Developer Guide, "Amazon SageMaker Model Cards", section "Model card JSON schema"
(SageMakerModelCardSchema 0.1.0, draft-07), read on 2026-11-21.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def text(most: int) -> Schema:
    return {"type": "string", "maxLength": most}


def closed(properties: Schema, *required: str) -> Schema:
    shape: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return shape | ({"required": list(required)} if required else {})


def array(items: Schema, **bounds: int) -> Schema:
    return {"type": "array", "items": items, **bounds}


def named(most: int) -> Schema:
    return {"type": "string", "pattern": f".{{1,{most}}}", "maxLength": most}


NUMBER: Schema = {"type": "number"}
AXIS, AXES = text(63), array(text(63))


def metric(kind: list[str], value: Schema, x: Schema, y: Schema) -> Schema:
    return closed(
        {
            "name": named(255), "notes": text(1024), "type": {"enum": kind}, "value": value,
            "x_axis_name": x, "y_axis_name": y,
        },
        "name", "type", "value",
    )  # fmt: skip


METRICS = [
    metric(["number", "string", "boolean"], {"anyOf": [NUMBER, text(63), {"type": "boolean"}]}, AXIS, AXIS),
    metric(["linear_graph"], array(array(NUMBER, minItems=2, maxItems=2), minItems=1), AXIS, AXIS),
    metric(["bar_chart"], array(NUMBER, minItems=1), AXES, AXIS),
    metric(["matrix"], array(array(NUMBER, minItems=1, maxItems=20), minItems=1, maxItems=20), AXES, AXES),
]  # fmt: skip
TRAINING_METRIC = closed(
    {"name": named(255), "notes": text(1024), "value": NUMBER}, "name", "value"
)
HYPERPARAMETER = closed({"name": named(255), "value": named(255)}, "name", "value")
GROUP: Schema = {
    "type": "object",
    "required": ["name", "metric_data"],
    "properties": {"name": named(63), "metric_data": array({"anyOf": METRICS})},
}
EVALUATION = closed(
    {
        "name": named(63),
        "evaluation_observation": text(2096),
        "evaluation_job_arn": text(256),
        "datasets": array(text(1024), maxItems=10),
        "metadata": {"type": "object", "additionalProperties": text(1024)},
        "metric_groups": array(GROUP),
    },
    "name",
)
JOB = closed(
    {
        "training_arn": text(1024),
        "training_datasets": array(text(1024), maxItems=15),
        "training_environment": closed({"container_image": array(text(1024), maxItems=15)}),
        "training_metrics": array(TRAINING_METRIC, maxItems=50),
        "user_provided_training_metrics": array(TRAINING_METRIC, maxItems=50),
        "hyper_parameters": array(HYPERPARAMETER, maxItems=100),
        "user_provided_hyper_parameters": array(HYPERPARAMETER, maxItems=100),
    }
)
SCHEMA: Schema = closed(
    {
        "model_overview": closed(
            {
                "model_description": text(1024),
                "model_creator": text(1024),
                "model_artifact": array(text(1024), maxItems=15),
            }
        ),
        "intended_uses": closed(
            {
                "purpose_of_model": text(2048),
                "intended_uses": text(2048),
                "factors_affecting_model_efficiency": text(2048),
                "risk_rating": {"enum": ["High", "Medium", "Low", "Unknown"]},
                "explanations_for_risk_rating": text(2048),
            }
        ),
        "business_details": closed(
            {
                "business_problem": text(2048),
                "business_stakeholders": text(2048),
                "line_of_business": text(2048),
            }
        ),
        "training_details": closed(
            {
                "objective_function": {"type": "object"},
                "training_observations": text(1024),
                "training_job_details": JOB,
            }
        ),
        "evaluation_details": array(EVALUATION),
        "additional_information": closed(
            {
                "ethical_considerations": text(2048),
                "caveats_and_recommendations": text(2048),
                "custom_details": {"type": "object", "additionalProperties": text(1024)},
            }
        ),
    }
) | {"$schema": "http://json-schema.org/draft-07/schema#"}
