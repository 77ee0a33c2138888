"""Open, await, decide, expire and conclude approvals. Each action may be repeated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from countersign.aws import registry_decisions
from countersign.aws.stores import Stores
from countersign.errors import FieldError, RequestError
from countersign.steps.approval import decide, ending, request, wait


@dataclass(frozen=True, slots=True)
class Request:
    """`action` and what it needs.

    open: use_case, kind, subject, requested_by, requester_role, facts, key · wait: approval_id, role,
    task_token · decide: approval_id, role, decision, reason, person, via · expire, conclude:
    approval_id · reconcile: nothing.
    """

    action: str
    approval_id: str = ""
    use_case: str = ""
    kind: str = ""
    subject: dict[str, str] = field(default_factory=dict)
    requested_by: str = ""
    requester_role: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    role: str = ""
    task_token: str = ""
    decision: str = ""
    reason: str = ""
    person: str = ""
    via: str = ""


def run(asked: Request, stores: Stores) -> dict[str, Any]:
    """Do one action."""
    match asked.action:
        case "open":
            return request.run(
                stores,
                use_case=asked.use_case,
                kind=asked.kind,
                subject=asked.subject,
                requester={"person": asked.requested_by, "role": asked.requester_role},
                facts=asked.facts,
                key=asked.key,
            )
        case "wait":
            return wait.run(stores, asked.approval_id, asked.role, asked.task_token)
        case "decide":
            return decide.run(
                stores,
                asked.approval_id,
                role=asked.role,
                verdict=asked.decision,
                reason=asked.reason,
                person=asked.person,
                via=asked.via,
            )
        case "expire":
            return ending.expire(stores, asked.approval_id)
        case "conclude":
            return ending.conclude(stores, asked.approval_id)
        case "reconcile":
            return dict(registry_decisions.reconcile(stores))
    known = "open, wait, decide, expire, conclude or reconcile"
    raise RequestError(f"An action is {known}", errors=[FieldError("action", known)])
