"""A decision that comes from a role's `decide` machine in the console."""

from __future__ import annotations

from typing import Any, cast

from countersign.aws import registry_decisions
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.errors import FieldError, RequestError, RoleError
from countersign.governance.approval_policy import Decision, Verdict


def run(
    stores: Stores, approval_id: str, *, role: str, verdict: str, reason: str, person: str, via: str
) -> dict[str, Any]:
    """Decide as `role`. Only that role's principal may start its machine, so the machine's name is the role.

    The console knows no person: it is recorded as `console:<role>` with the execution, which CloudTrail
    ties to a session. The evidence is the one that stands when the decision is made.
    """
    if verdict not in ("approve", "reject"):
        known = "approve or reject"
        raise RequestError(f"A decision is {known}", errors=[FieldError("decision", known)])
    if person != f"console:{role}":
        raise RoleError("A machine decides only for its own role")
    approval = stores.registry.approval(approval_id)
    decided = registry_decisions.decide(
        stores,
        approval_id,
        Decision(
            role=role,
            person=person,
            verdict=cast("Verdict", verdict),
            reason=reason,
            evidence_digest=approval.evidence_digest,
            at=iso(stores.clock.now()),
            via=via,
        ),
    )
    return {"approval_id": approval_id, "role": role, "status": decided.status}
