"""How an approval ends, and what follows."""

from __future__ import annotations

from typing import Any

from countersign.aws import registry_decisions
from countersign.aws.stores import Stores


def expire(stores: Stores, approval_id: str) -> dict[str, Any]:
    """End a pending approval whose deadline has passed; leave any other as it is."""
    approval = stores.registry.approval(approval_id)
    if approval.status == "PENDING" and registry_decisions.overdue(stores, approval):
        approval = registry_decisions.end(stores, approval, "EXPIRED")
    return {"approval_id": approval_id, "status": approval.status}


def conclude(stores: Stores, approval_id: str) -> dict[str, Any]:
    """What became of it. The machine has stopped waiting, so what is still pending expires."""
    approval = stores.registry.approval(approval_id)
    if approval.status == "PENDING":
        approval = registry_decisions.end(stores, approval, "EXPIRED")
    return {
        "approval_id": approval_id,
        "use_case": approval.use_case,
        "kind": approval.kind,
        "subject": approval.subject,
        "status": approval.status,
        "evidence_digest": approval.evidence_digest,
        "signed_by": [d.role for d in approval.decisions if d.verdict == "approve"],
    }
