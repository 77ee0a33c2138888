"""The model card as the JSON that Amazon SageMaker's CreateModelCard takes as `Content`.

Source of the shape: "Model card JSON schema" in the Amazon SageMaker AI Developer Guide, Model Cards,
version 0.1.0. Texts longer than it allows are cut; what does not exist is left out, never invented.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from countersign.declare import UseCase

_LONG, _TEXT, _NAME, _SHORT = 2048, 1024, 255, 63
_POINTS = 100  # of a curve: the whole card may have 100 000 characters
_CLASSES = 20
RISK = {"advisory": "Medium", "override": "High", "autonomous": "High"}


def sagemaker_card(
    use_case: UseCase, record: Mapping[str, Any], evaluation: Mapping[str, Any]
) -> dict[str, Any]:
    """The card of a registered version.

    `record` is `governance.registry_record`'s document, `evaluation` is evaluation.json.
    """
    return {
        "model_overview": {
            "model_description": _cut(f"{use_case.title}: {use_case.description}", _TEXT),
            "model_creator": _cut(record["owner"], _TEXT),
            "model_artifact": [f"{record['model_id']}/model.onnx"],
        },
        "intended_uses": _uses(use_case),
        "business_details": {
            "business_problem": _cut(use_case.description, _LONG),
            "business_stakeholders": _cut(record["owner"], _LONG),
            "line_of_business": _cut(use_case.approval_class, _LONG),
        },
        "training_details": _training(record),
        "evaluation_details": [_evaluation(record, evaluation)],
        "additional_information": _additional(use_case, record, evaluation),
    }


def _uses(use_case: UseCase) -> dict[str, Any]:
    autonomy = f"Autonomy {use_case.autonomy}, approval class {use_case.approval_class}"
    factors = ", ".join(group.column for group in use_case.fairness)
    return {
        "purpose_of_model": _cut(use_case.description, _LONG),
        "intended_uses": _cut(f"Served at {use_case.api_path}. {autonomy}.", _LONG),
        "factors_affecting_model_efficiency": _cut(f"Judged by group of: {factors}", _LONG),
        "risk_rating": RISK[use_case.autonomy],
        "explanations_for_risk_rating": _cut(
            f"{autonomy}: derived from the autonomy class.", _LONG
        ),
    }


def _training(record: Mapping[str, Any]) -> dict[str, Any]:
    data = record["training_data"]
    chosen = sorted(record["hyperparameters"].items())
    told = f"Trained {record['training_date']} as known at {data['as_of']}; {record['numbered']['why']}"
    return {
        "training_observations": _cut(told, _TEXT),
        "training_job_details": {
            "training_datasets": [f"{data['dataset_id']} sha256:{data['digest']}"],
            "user_provided_hyper_parameters": [
                {"name": _line(name, _NAME), "value": _line(_plain(value), _NAME)}
                for name, value in chosen[:100]
            ],
        },
    }


def _evaluation(record: Mapping[str, Any], evaluation: Mapping[str, Any]) -> dict[str, Any]:
    passed = "every gate held" if evaluation["passed"] else "rejected"
    fairness = evaluation["fairness"]["verdict"]
    groups = [{"name": "metrics", "metric_data": _metrics(record)}]
    rates = ("false-positive rate", "true-positive rate")
    drawn = (
        _curve("ROC", evaluation.get("roc"), rates),
        _curve("precision and recall", evaluation.get("pr"), ("recall", "precision")),
        _confusion(evaluation),
    )
    if curves := [found for found in drawn if found]:
        groups.append({"name": "curves", "metric_data": curves})
    return {
        "name": _line(f"test rows of {record['model_id']}", _SHORT),
        "evaluation_observation": f"{passed}; fairness {fairness}",
        "datasets": [record["training_data"]["dataset_id"]],
        "metadata": {"report": _cut(record["evaluation"]["eval_report_url"], _TEXT)},
        "metric_groups": groups,
    }


def _metrics(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every figure with its interval; one that is undefined is told as text, not as a number."""
    found = []
    for name, value in sorted(record["evaluation"]["metrics"].items()):
        low, high = (record["evaluation"]["intervals"].get(name) or [None, None])[:2]
        metric: dict[str, Any] = {"name": _line(name, _NAME)}
        if value is None:
            metric |= {"type": "string", "value": "undefined"}
        else:
            metric |= {"type": "number", "value": value}
        if low is not None and high is not None:
            metric["notes"] = f"95 % interval {low:.4g} to {high:.4g}"
        found.append(metric)
    return found


def _curve(name: str, points: Any, axes: tuple[str, str]) -> dict[str, Any] | None:
    """A curve of at most 100 points, its last one among them."""
    if not points:
        return None
    step = -(-len(points) // _POINTS)
    kept = [*points[: -1 : step + 1], points[-1]] if len(points) > _POINTS else list(points)
    shown = {"x_axis_name": axes[0], "y_axis_name": axes[1]}
    return {"name": name, "type": "linear_graph", "value": kept, **shown}


def _confusion(evaluation: Mapping[str, Any]) -> dict[str, Any] | None:
    """The confusion matrix: rows are what happened, columns what was said."""
    classes = [str(name) for name in evaluation.get("classes") or ()]
    counts: Any = evaluation.get("confusion_matrix")
    found = evaluation.get("confusion")
    if isinstance(found, Mapping) and not counts:
        counts = [[found["tn"], found["fp"]], [found["fn"], found["tp"]]]
        classes = ["pass", "review"]
    if not counts or len(classes) > _CLASSES:
        return None
    axis = [_cut(name, _SHORT) for name in classes]
    matrix = {"name": "confusion", "type": "matrix", "value": counts}
    return {**matrix, "x_axis_name": axis, "y_axis_name": axis}


def _additional(
    use_case: UseCase, record: Mapping[str, Any], evaluation: Mapping[str, Any]
) -> dict[str, Any]:
    fairness = evaluation["fairness"]
    groups = ", ".join(f"{n} {f['verdict']}" for n, f in fairness["groups"].items())
    deployment = record["deployment"]
    details = {
        "model_id": record["model_id"],
        "version": record["version"],
        "why_this_version": record["numbered"]["why"],
        "stage": deployment["stage"],
        "deployed_date": deployment["deployed_date"] or "never deployed",
        "rollback_version": deployment["rollback_version"] or "none recorded",
        "features": ", ".join(record["feature_list"]),
        "retraining": use_case.retrain,
        **{f"unknown_{name}": reason for name, reason in record["unknown"].items()},
    }
    return {
        "ethical_considerations": _cut(f"Fairness {fairness['verdict']}: {groups}", _LONG),
        "caveats_and_recommendations": _cut("; ".join(_caveats(record, fairness)), _LONG),
        "custom_details": {name: _cut(text, _TEXT) for name, text in details.items()},
    }


def _caveats(record: Mapping[str, Any], fairness: Mapping[str, Any]) -> Sequence[str]:
    made_up = ["trained on SYNTHETIC data"] if record["training_data"]["synthetic"] else []
    return [*made_up, *map(str, fairness["reasons"])] or ["none on record"]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _line(text: Any, most: int) -> str:
    """In one line, and never empty: what a name must be."""
    return _cut(" ".join(str(text).split()) or "(empty)", most)


def _cut(text: Any, most: int) -> str:
    whole = str(text)
    return whole if len(whole) <= most else f"{whole[: most - 1]}…"
