"""Is a version documented whole? Promotion is refused below 100 % (requirement D5)."""

from __future__ import annotations

from collections.abc import Collection

from countersign.errors import GateError
from countersign.governance.versions import VersionRecord

CARD, REPORT, EVALUATION = "card.md", "report.html", "evaluation.json"


def missing(record: VersionRecord, files: Collection[str]) -> list[str]:
    """What is not documented. `files` are the names of what lies beside the version and its run."""
    wanted = {
        "training data": bool(record.dataset_id and record.dataset_digest),
        "features": bool(record.feature_list and record.feature_code_digest),
        "hyperparameters and environment": bool(record.hyperparameters and record.environment),
        "evaluation": bool(record.metrics and record.gates) and EVALUATION in files,
        "evaluation report": REPORT in files,
        "model card": CARD in files,
        "owner": bool(record.owner),
    }
    return [name for name, there in wanted.items() if not there]


def refuse_undocumented(record: VersionRecord, files: Collection[str]) -> None:
    """Raise GateError naming what is missing."""
    if gaps := missing(record, files):
        raise GateError(
            f"{record.version} is not documented whole: {', '.join(gaps)}; it cannot be promoted"
        )
