"""What an approver signs, as one document and its SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from countersign.governance.versions import VersionRecord, canonical

_MOST = 30


def evidence_digest(evidence: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical document."""
    return hashlib.sha256(canonical(evidence).encode()).hexdigest()


def promotion_evidence(
    record: VersionRecord, champion: VersionRecord | None, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything about putting `record` in the champion's place.

    `facts` are what the machine measured on the way: validation checks, the backtest. Candidate and
    champion are named with the digests of record and manifest: an edit of either is other evidence.
    """
    return {
        "schema": 1,
        "kind": "promotion",
        "use_case": record.use_case,
        "candidate": _identity(record),
        "champion": _identity(champion) if champion else None,
        "changes": changes(record, champion),
        "metrics": {
            name: {"candidate": value, "champion": champion.metrics.get(name) if champion else None}
            for name, value in sorted(record.metrics.items())
        },
        "gates_passed": record.gates_passed,
        "gates": [dict(gate) for gate in record.gates],
        "fairness_audit": record.fairness_audit,
        "validation": dict(facts.get("validation") or {}),
        "backtest": dict(facts.get("backtest") or {}),
        "lineage": {
            "run_id": record.run_id,
            "trigger_id": record.trigger_id,
            "dataset_id": record.dataset_id,
            "dataset_digest": record.dataset_digest,
            "feature_code_digest": record.feature_code_digest,
            "environment": record.environment,
            "synthetic": record.synthetic,
        },
        "authors": [dict(author) for author in record.authors],
        **({"data": dict(facts["data"])} if facts.get("data") else {}),
    }


def data_evidence(found: Mapping[str, Any]) -> dict[str, Any]:
    """What a signer is told of the training data, of what `freeze_dataset` found: small, and no value.

    The distributions that moved since the champion's training set, duplicates by key, suspicions, and the
    audit when somebody asked for one.
    """
    comparison, audit = found.get("comparison") or {}, found.get("audit") or {}
    moved = [row for row in comparison.get("features", []) if row["verdict"] in {"alert", "watch"}]
    names = ("feature", "verdict", "psi", "critical", "p", "n", "m", "mean_shift_std")
    shares = ("null_share_reference", "null_share")
    return {
        "dataset_id": found["dataset_id"],
        "compared_with": (found.get("champion") or {}).get("version"),
        "status": comparison.get("status"),
        "moved": [{name: row.get(name) for name in (*names, *shares)} for row in moved[:_MOST]],
        "new_features": comparison.get("new_features", []),
        "duplicates": found["duplicates"],
        "suspicious": found["suspicious"],
        "audit": {name: audit[name] for name in ("passed", "leaks", "suspicious", "unknown")}
        if audit
        else None,
        "page": f"reports/{found['use_case']}/dataset/{found['dataset_id']}.html",
    }


def retraining_evidence(trigger: Mapping[str, Any]) -> dict[str, Any]:
    """Everything about a proposal to retrain: who, why, on what facts, as of when."""
    names = ("trigger_id", "use_case", "trigger_type", "reason", "facts", "as_of", "proposed_by")
    return {"schema": 1, "kind": "retraining", **{name: trigger[name] for name in names}}


def changes(record: VersionRecord, champion: VersionRecord | None) -> dict[str, Any]:
    """What differs from the champion: features, data, algorithm, hyperparameters, threshold."""
    if champion is None:
        return {"first_version": True}
    new, old = asdict(record), asdict(champion)
    names = (
        "model_type",
        "hyperparameters",
        "dataset_digest",
        "feature_code_digest",
        "input_schema_digest",
        "output_schema_digest",
        "cost_optimal_threshold",
    )
    return {
        "features_added": sorted(set(record.feature_list) - set(champion.feature_list)),
        "features_removed": sorted(set(champion.feature_list) - set(record.feature_list)),
        **{n: {"from": old[n], "to": new[n]} for n in names if old[n] != new[n]},
    }


def _identity(record: VersionRecord) -> dict[str, str]:
    return {
        "version": record.version,
        "digest": record.digest,
        "record_digest": record.record_digest(),
        "evaluation_digest": record.evaluation_digest,
    }
