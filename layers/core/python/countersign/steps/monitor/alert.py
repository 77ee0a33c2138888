"""Tell people what drifted and what to do, and propose retraining: once per week and finding."""

from __future__ import annotations

import hashlib
from typing import Any

from countersign.aws.notices import Severity
from countersign.aws.raised import raise_once
from countersign.aws.stores import Stores
from countersign.steps.monitor.plan import report_key
from countersign.steps.monitor.psi import ACTOR

RUNBOOK = "docs/runbooks/drift.md"
MOST_LISTED = 8
TO_DO = (
    "Open the drift report and look at the features in its order: first whether the data are right "
    "(a source, a unit, a null), then whether the world changed. If it changed, approve the proposed "
    "retraining. Nothing is retrained until a data scientist approves."
)


def run(stores: Stores, use_case: str, week: str) -> dict[str, Any]:
    """Publish the week's recorded finding and propose retraining. Nothing for a week without an alert."""
    document = stores.lake.read_json(report_key(use_case, week))
    if document["status"] != "alert":
        return {"published": False, "status": document["status"], "trigger_id": None}
    severity: Severity = "high" if is_grave(document) else "medium"
    facts = numbers(document)
    trigger_id = stores.registry.propose_retraining(
        use_case,
        "drift",
        {name: facts[name] for name in ("week", "version", "n", "m", "drifted", "drift_share")},
        ACTOR,
        reason=f"Drift in {week}: {document['reason']}",
        key=f"{week}#{document['version']}",
    )
    published = raise_once(
        stores,
        use_case=use_case,
        kind="drift",
        key=f"{week}#{fingerprint(document)}",
        subject=f"Drift in {use_case} {document['version']}, {week}: {document['worst_feature']}",
        severity=severity,
        what=f"{use_case} {document['version']} in {week}: {document['reason']}.",
        facts={**facts, "report": f"reports/{use_case}/drift/{week}.html", "proposal": trigger_id},
        to_do=TO_DO,
        runbook=RUNBOOK,
    )
    return {
        "published": published,
        "status": "alert",
        "severity": severity,
        "trigger_id": trigger_id,
        "trigger_status": stores.registry.trigger(use_case, trigger_id)["status"],
    }


def is_grave(document: dict[str, Any]) -> bool:
    """Drift in many features at once, or scores more than three deviations away: four hours."""
    return bool(document["dataset_drift"] or document["score_shift_over_3_std"])


def fingerprint(document: dict[str, Any]) -> str:
    """What was found, not how often it was looked at: more of the same is not news."""
    found = [document["version"], document["score"]["verdict"], *sorted(document["drifted"])]
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:16]


def numbers(document: dict[str, Any]) -> dict[str, Any]:
    """The numbers an alert rests on: n, m and, per feature, B, PSI, its critical value and p."""
    alerting = [row for row in document["features"] if row["verdict"] == "alert"]
    if document["score"]["verdict"] == "alert":
        alerting.insert(0, document["score"])
    return {
        "week": document["week"],
        "version": document["version"],
        "n": document["n"],
        "m": document["m"],
        "drifted": document["drifted"],
        "drift_share": document["drift_share"],
        "found": {
            row["feature"]: {
                "PSI": row["psi"],
                "critical": row["critical"],
                "p": row["p"],
                "B": row["bins"],
                "n": row["n"],
                "m": row["m"],
            }
            for row in alerting[:MOST_LISTED]
        },
    }
