"""Is a version documented whole? Promotion is refused below 100 % (requirement D5)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from countersign.errors import GateError
from countersign.governance.versions import VersionRecord

CARD, REPORT, EVALUATION = "card.md", "report.html", "evaluation.json"


def sections(record: VersionRecord, files: Collection[str]) -> dict[str, dict[str, bool]]:
    """Of training data, features, evaluation and deployment: what must be there, and whether it is.

    `files` are the names of what lies beside the version and its run.
    """
    return {
        "training data": {
            "training data": bool(record.dataset_id and record.dataset_digest),
            "as-of time and windows of the data": bool(record.as_of and record.windows),
        },
        "features": {
            "features": bool(record.feature_list and record.feature_code_digest),
            "features by view": bool(record.features_used),
        },
        "evaluation": {
            "hyperparameters and environment": bool(record.hyperparameters and record.environment),
            "evaluation": bool(record.metrics and record.gates) and EVALUATION in files,
            "fairness audit": bool(record.fairness_audit),
            "evaluation report": REPORT in files,
        },
        "deployment": {
            "model card": CARD in files,
            "owner": bool(record.owner),
            "serving endpoint": bool(record.serving_endpoint),
            "why it has this version": bool(record.why),
        },
    }


def missing(record: VersionRecord, files: Collection[str]) -> list[str]:
    """What is not documented, by name."""
    found = sections(record, files)
    return [name for part in found.values() for name, there in part.items() if not there]


def completeness(record: VersionRecord, files: Collection[str]) -> dict[str, Any]:
    """{share: 0 to 1, sections: {name: share}, missing: [names]}."""
    found = sections(record, files)
    every = [there for part in found.values() for there in part.values()]
    return {
        "share": sum(every) / len(every),
        "sections": {name: sum(part.values()) / len(part) for name, part in found.items()},
        "missing": missing(record, files),
    }


def refuse_undocumented(record: VersionRecord, files: Collection[str]) -> None:
    """Raise GateError naming what is missing."""
    if gaps := missing(record, files):
        share = completeness(record, files)["share"]
        raise GateError(
            f"{record.version} is documented {share:.0%}, not whole: {', '.join(gaps)}; "
            "it cannot be promoted"
        )
