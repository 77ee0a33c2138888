"""What waits for a signature, and signing it. Who signs is who signed the request, never its body."""

from __future__ import annotations

from typing import Any, cast

from countersign.aws import registry_decisions
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.errors import FieldError, RequestError
from countersign.governance.approval_policy import Approval, Decision, Verdict
from countersign.http import HttpRequest, HttpResponse
from countersign.steps.operate.body import fields

STATUSES = ("PENDING", "APPROVED", "REJECTED", "EXPIRED", "VOID")


def listing(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/approvals?status=PENDING, newest first."""
    status = request.query.get("status", "PENDING").upper()
    if status not in STATUSES:
        known = ", ".join(STATUSES)
        raise RequestError(f"A status is {known}", errors=[FieldError("status", known)])
    found = [without_evidence(a) for a in stores.registry.approvals(status)]
    return HttpResponse(200, {"approvals": found})


def one(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/approvals/{id}: with the evidence that is signed."""
    approval = stores.registry.approval(request.path_params["id"])
    return HttpResponse(200, {**without_evidence(approval), "evidence": approval.evidence})


def decide(request: HttpRequest, stores: Stores) -> HttpResponse:
    """POST /v1/approvals/{id}/decision {decision: approve | reject, reason, evidence_digest?}.

    403 for an author or a role that is not asked, 409 when decided or the evidence changed, 410 late.
    """
    asked = fields(request, {"decision": str, "reason": str}, {"evidence_digest": str})
    if asked["decision"] not in ("approve", "reject"):
        known = "approve or reject"
        raise RequestError(f"A decision is {known}", errors=[FieldError("decision", known)])
    approval_id = request.path_params["id"]
    standing = stores.registry.approval(approval_id)
    decided = registry_decisions.decide(
        stores,
        approval_id,
        Decision(
            role=request.caller.role,
            person=request.caller.person,
            verdict=cast("Verdict", asked["decision"]),
            reason=asked["reason"],
            evidence_digest=asked.get("evidence_digest", standing.evidence_digest),
            at=iso(stores.clock.now()),
        ),
    )
    return HttpResponse(200, without_evidence(decided))


def without_evidence(approval: Approval) -> dict[str, Any]:
    """An approval for a list: who asks, who must sign, who has."""
    document = {k: v for k, v in approval.as_dict().items() if k != "evidence"}
    return {**document, "missing": list(approval.missing())}
