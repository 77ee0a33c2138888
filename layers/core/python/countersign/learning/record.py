"""What is written down of a run: `training.json` by training, and the manifest that the exporter signs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

RECORD = "training.json"  # in the run's folder: what training knows, for the exporter


def manifest(
    record: Mapping[str, Any],
    files: Mapping[str, bytes],
    parity: Mapping[str, Any],
    made: Mapping[str, str],
) -> dict[str, Any]:
    """What is signed: origin, contents and digests. Made of the record alone, so a repeat is equal."""
    kept = (
        "use_case", "run_id", "dataset_id", "dataset_digest", "synthetic", "as_of", "created_at",
        "hyperparameters", "found", "seed", "feature_code_digest", "split",
    )  # fmt: skip
    return {
        **{name: record[name] for name in kept},
        "schema": 1,
        "record_sha256": record_digest(record),
        "created_by": "export_model",
        "model_type": record["trainer"],
        "features": record["serving"]["features"],
        "threshold": record["serving"]["threshold"],
        "environment": {"training": record["environment"], "export": made},
        "parity": parity,
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in files.items()
        },
    }


def record_digest(record: Mapping[str, Any]) -> str:
    """SHA-256 of a run's record as canonical JSON: signed with the manifest, so that a re-run can trust it."""
    text = json.dumps(record, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
