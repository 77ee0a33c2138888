"""Ask for signatures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from countersign import use_cases
from countersign.aws import registry_decisions
from countersign.aws.stores import Stores
from countersign.governance.evidence import data_evidence


def run(
    stores: Stores,
    *,
    use_case: str,
    kind: str,
    subject: dict[str, str],
    requester: Mapping[str, str],
    facts: Mapping[str, Any],
    key: str,
) -> dict[str, Any]:
    """Open an approval, tell the approvers, return what the approval machine takes."""
    opened = registry_decisions.request_signatures(
        stores,
        kind=kind,
        use_case=use_case,
        approval_class=use_cases.get(use_case).approval_class,
        subject=subject,
        requester=requester,
        facts={**facts, **(_data(stores, use_case, subject) if kind == "promotion" else {})},
        key=key,
    )
    what = ", ".join(subject.values())
    stores.notices.publish(
        f"Signature wanted: {kind} of {use_case}, {what}",
        severity="medium",
        what=f"{opened.requested_by} asks for the {kind} of {use_case}: {what}.",
        facts={
            "approval": opened.approval_id,
            "roles": list(opened.required_roles),
            "evidence": opened.evidence_digest,
            "until": opened.deadline_at,
        },
        to_do="Read the evidence under GET /v1/approvals/{id}, then decide by API, CLI or console.",
        runbook="docs/approving.md",
        use_case=use_case,
        kind="approval",
    )
    return registry_decisions.machine_input(opened)


def _data(stores: Stores, use_case: str, subject: Mapping[str, str]) -> dict[str, Any]:
    """What was found of the version's training data when it was frozen; nothing where nothing was."""
    dataset_id = stores.registry.version(use_case, subject["version"]).record.dataset_id
    key = f"reports/{use_case}/dataset/{dataset_id}.json"
    if not stores.lake.exists(key):
        return {}
    return {"data": data_evidence(stores.lake.read_json(key))}
