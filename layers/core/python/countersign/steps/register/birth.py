"""The birth certificate of a version: everything the registry records of it, from what was signed and judged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from countersign import use_cases
from countersign.aws.artifacts import Verified
from countersign.declare import UseCase
from countersign.features.definition import definition_digest
from countersign.features.usage import features_used
from countersign.governance.versions import VersionRecord, canonical

NO_THRESHOLD = "a model of classes recommends by probability; it has no threshold"
NO_RATE = "a model of classes; recall of each class is in metrics"
NO_ROUTE = "trained only: nothing serves it"
UNDEFINED = "undefined on the test rows"


def record_of(
    use_case: UseCase,
    artifact: Verified,
    evaluation: Mapping[str, Any],
    trigger: Mapping[str, Any],
) -> VersionRecord:
    """The record of a candidate; its number is earned in the registry."""
    manifest = artifact.manifest
    split = manifest["split"]
    return VersionRecord(
        use_case=use_case.name,
        version="",
        digest=artifact.digest,
        run_id=manifest["run_id"],
        model_type=manifest["model_type"],
        owner=use_case.owner,
        training_date=manifest["created_at"],
        dataset_id=manifest["dataset_id"],
        dataset_digest=manifest["dataset_digest"],
        feature_list=tuple(manifest["features"]),
        feature_code_digest=manifest["feature_code_digest"],
        input_schema_digest=input_schema_digest(use_case),
        output_schema_digest=output_schema_digest(use_case),
        hyperparameters=dict(manifest["hyperparameters"]),
        environment=dict(manifest["environment"]),
        authors=({"person": trigger["proposed_by"], "role": trigger["proposer_role"]},),
        synthetic=bool(manifest["synthetic"]),
        trigger_id=trigger["trigger_id"],
        validation_window=dict(split.get("test") or {}),
        as_of=manifest.get("as_of") or "",
        windows={n: dict(split[n]) for n in ("train", "valid", "test") if split.get(n)},
        features_used=features_used(use_case),
        definitions={view.name: definition_digest(view) for view in use_case.views},
        seed=int(manifest.get("seed") or 0),
        scoring=scoring(artifact.files["serving.json"]),
        interface=interface(use_case),
        **judged(use_case, manifest, evaluation),
    )


def judged(
    use_case: UseCase, manifest: Mapping[str, Any], evaluation: Mapping[str, Any]
) -> dict[str, Any]:
    """The evaluation's part. What this kind of model cannot have is None, and the reason is told."""
    metrics = {name: found["value"] for name, found in evaluation["metrics"].items()}
    classes = bool(use_case.label.classes)
    part: dict[str, Any] = {
        "recall": metrics.get("recall"),
        "false_positive": metrics.get("false_positive_rate"),
        "cost_optimal_threshold": None if classes else float(manifest["threshold"]),
        "serving_endpoint": use_case.api_path if served(use_case) else None,
    }
    reasons = {
        "recall": NO_RATE if classes else UNDEFINED,
        "false_positive": NO_RATE if classes else UNDEFINED,
        "cost_optimal_threshold": NO_THRESHOLD,
        "serving_endpoint": NO_ROUTE,
    }
    return {
        **part,
        "unknown": {name: reasons[name] for name, value in part.items() if value is None},
        "metrics": metrics,
        "intervals": {n: [f.get("low"), f.get("high")] for n, f in evaluation["metrics"].items()},
        "gates_passed": bool(evaluation["passed"]),
        "gates": tuple(evaluation["gates"]),
        "fairness_audit": evaluation["fairness"]["verdict"],
        "evaluation_digest": hashlib.sha256(canonical(evaluation).encode()).hexdigest(),
        "eval_report_key": f"{use_case.name}/runs/{manifest['run_id']}/report.html",
    }


def served(use_case: UseCase) -> bool:
    """Whether it has a route."""
    return use_case.name in use_cases.all_use_cases()


def scoring(serving: bytes) -> dict[str, Any]:
    """How a score becomes a decision, as it was signed: rules, weights, strategies."""
    document = json.loads(serving)
    return {
        "rules_version": document.get("rules_version"),
        "hybrid": document.get("hybrid"),
        "strategies": document.get("strategies"),
    }


def interface(use_case: UseCase) -> dict[str, list[str]]:
    """What a caller sends and gets, by name: so that a new major version can say what changed."""
    return {
        "request": [field.path for field in use_case.request_fields],
        "classes": list(use_case.label.classes),
        "strategies": [strategy.name for strategy in use_case.strategies],
    }


def input_schema_digest(use_case: UseCase) -> str:
    """SHA-256 of what a caller must send: a change is a MAJOR one."""
    fields = [[f.path, f.type, f.required, f.minimum, f.maximum] for f in use_case.request_fields]
    return hashlib.sha256(canonical([use_case.api_path, sorted(fields)]).encode()).hexdigest()


def output_schema_digest(use_case: UseCase) -> str:
    """SHA-256 of what a caller gets back: a change is a MAJOR one."""
    answer = ["prediction_id", "score", "decision", "threshold", "reason_codes", "model"]
    shape: list[Any] = [use_case.autonomy, answer]
    recommended = [strategy.name for strategy in use_case.strategies]
    if recommended or use_case.label.classes:
        shape.append({"classes": list(use_case.label.classes), "strategies": sorted(recommended)})
    return hashlib.sha256(canonical(shape).encode()).hexdigest()
