"""The registry's record of a version as requirement D1 lays it out: one document, nothing left out."""

from __future__ import annotations

from typing import Any

from countersign.governance.versions import Version


def registry_record(version: Version, *, models_bucket: str) -> dict[str, Any]:
    """The whole record. What is not known is null; `unknown` has the reason, field by field.

    `model_id` is `<use case>/<version>`, as its files are named. `recall`, `false_positive` (a rate) and
    the current ones are shares from 0 to 1; moments are ISO-8601 in UTC.
    """
    record = version.record
    return {
        "model_id": f"{record.use_case}/{record.version}",
        "model_type": record.model_type,
        "use_case": record.use_case,
        "version": record.version,
        "numbered": {"after": record.after or None, "why": record.why},
        "owner": record.owner,
        "training_date": record.training_date,
        "training_data": _training_data(version),
        "feature_list": list(record.feature_list),
        "hyperparameters": record.hyperparameters,
        "evaluation": _evaluation(version, models_bucket),
        "deployment": {
            "stage": version.stage,
            "deployed_date": version.deployed_at or None,
            "deployed_by": version.deployed_by or None,
            "serving_endpoint": record.serving_endpoint,
            "rollback_version": version.rollback_version or None,
        },
        "monitoring": {
            "last_monitored": version.last_monitored or None,
            "current_recall": version.current_recall,
            "current_fp_rate": version.current_false_positive_rate,
            "current_accuracy": version.current_accuracy,
            "drift_detected": version.drift_detected if version.last_monitored else None,
            "next_retrain": version.next_retrain or None,
        },
        "unknown": _reasons(version),
    }


def _reasons(version: Version) -> dict[str, str]:
    """Why what is null is not known."""
    reasons = dict(version.record.unknown)
    if not version.deployed_at:
        reasons |= dict.fromkeys(("deployed_date", "deployed_by"), "never deployed")
    if not version.rollback_version:
        reasons["rollback_version"] = "no predecessor was recorded"
    if not version.last_monitored:
        reasons |= dict.fromkeys(("last_monitored", "drift_detected"), "not monitored yet")
    figures = {
        "current_recall": version.current_recall,
        "current_fp_rate": version.current_false_positive_rate,
        "current_accuracy": version.current_accuracy,
    }
    reasons |= {
        name: "no outcomes were judged yet" for name, value in figures.items() if value is None
    }
    if not version.next_retrain:
        reasons["next_retrain"] = "no date was set yet"
    return reasons


def _training_data(version: Version) -> dict[str, Any]:
    record = version.record
    return {
        "dataset_id": record.dataset_id,
        "digest": record.dataset_digest,
        "as_of": record.as_of or None,
        "synthetic": record.synthetic,
        "windows": record.windows,
    }


def _evaluation(version: Version, models_bucket: str) -> dict[str, Any]:
    record = version.record
    return {
        "test_set": record.windows.get("test") or record.validation_window,
        "recall": record.recall,
        "false_positive": record.false_positive,
        "cost_optimal_threshold": record.cost_optimal_threshold,
        "fairness_audit": record.fairness_audit,
        "eval_report_url": f"s3://{models_bucket}/{record.eval_report_key}",
        "metrics": record.metrics,
        "intervals": record.intervals,
    }
