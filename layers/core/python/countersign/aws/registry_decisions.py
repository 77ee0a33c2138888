"""The life of an approval across stores: its record first, then the audit chain, then the wake-up.

Each part may be repeated. What is lost between them (a worker dies after the decision was saved) is
made up for by `reconcile`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from countersign.aws.stores import Stores
from countersign.aws.tokens import Tokens
from countersign.clock import iso, parse_iso
from countersign.governance.approval_policy import (
    Approval,
    Decision,
    EvidenceChangedError,
    Status,
    deadline,
    required_roles,
)
from countersign.governance.evidence import evidence_digest, retraining_evidence
from countersign.governance.pointer import refuse_unfit

_RECENT = 50
ENDED: tuple[Status, ...] = ("APPROVED", "REJECTED", "EXPIRED", "VOID")


def request_signatures(
    stores: Stores,
    *,
    kind: str,
    use_case: str,
    approval_class: str,
    subject: dict[str, str],
    requester: Mapping[str, str],
    facts: Mapping[str, Any],
    key: str,
) -> Approval:
    """Build the evidence and ask the matrix's roles to sign it. The same `key` asks once.

    `requester` is {person, role}; everyone who proposed, requested or trained counts as an author.
    """
    registry = stores.registry
    if kind == "retraining":
        trigger = registry.trigger(use_case, subject["trigger_id"])
        evidence = retraining_evidence(trigger)
        authors = [{"person": trigger["proposed_by"], "role": trigger["proposer_role"]}]
    else:
        version = registry.version(use_case, subject["version"])
        refuse_unfit(registry.pointer(use_case), version.version)
        evidence = registry.evidence(use_case, version.version, facts)
        authors = [dict(author) for author in version.record.authors]
    now = stores.clock.now()
    digest = hashlib.sha256(f"{use_case}#{key}".encode()).hexdigest()
    opened = registry.open_approval(
        Approval(
            approval_id=f"{kind}-{digest[:16]}",
            use_case=use_case,
            kind=kind,
            subject=subject,
            requested_by=requester["person"],
            authors=tuple(unique([*authors, dict(requester)])),
            required_roles=required_roles(kind, approval_class),
            evidence=evidence,
            evidence_digest=evidence_digest(evidence),
            opened_at=iso(now),
            deadline_at=iso(deadline(kind, now, stores.settings.time_scale)),
        )
    )
    facts = {"approval_id": opened.approval_id, "kind": kind, "subject": subject}
    facts |= {"evidence_digest": opened.evidence_digest, "roles": list(opened.required_roles)}
    tell(stores, opened, "approval-opened", requester["person"], facts, once="opened")
    return opened


def machine_input(approval: Approval) -> dict[str, Any]:
    """What the approval machine takes."""
    left = parse_iso(approval.deadline_at) - parse_iso(approval.opened_at)
    return {
        "approval_id": approval.approval_id,
        "use_case": approval.use_case,
        "kind": approval.kind,
        "subject": approval.subject,
        "required_roles": list(approval.required_roles),
        "evidence_digest": approval.evidence_digest,
        "deadline_seconds": int(left.total_seconds()),
    }


def unique(people: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Each once, in order."""
    found: list[dict[str, str]] = []
    for one in people:
        if one not in found:
            found.append(one)
    return found


def decide(stores: Stores, approval_id: str, decision: Decision) -> Approval:
    """Store a decision, put it on the chain, wake what waits for it.

    Raises what `governance.approval_policy.weigh` raises.
    """
    try:
        decided = stores.registry.decide(approval_id, decision)
    except EvidenceChangedError:
        end(stores, stores.registry.approval(approval_id), "VOID")
        raise
    facts = {
        "approval_id": approval_id,
        "role": decision.role,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "evidence_digest": decision.evidence_digest,
        "via": decision.via,
        "status": decided.status,
    }
    tell(stores, decided, "approval-decided", decision.person, facts, once=decision.role)
    wake(stores, decided)
    return decided


def end(stores: Stores, approval: Approval, status: Status) -> Approval:
    """End an approval without a decision, tell it and wake every branch."""
    ended = stores.registry.end_approval(approval, status)
    facts = {"approval_id": ended.approval_id, "status": ended.status}
    tell(stores, ended, "approval-ended", "countersign", facts, once="ended")
    wake(stores, ended)
    return ended


def wake(stores: Stores, approval: Approval) -> list[str]:
    """Resume every branch that has nothing left to wait for; returns the roles that were resumed."""
    tokens, verdicts = Tokens(stores.registry), {}
    for decision in approval.decisions:
        verdicts[decision.role] = decision.verdict
    woken = []
    for role, token in tokens.waiting(approval.approval_id).items():
        if approval.status == "PENDING" and role not in verdicts:
            continue
        verdict = verdicts.get(role, "none")
        if stores.machines.resume(token, {"role": role, "verdict": verdict}):
            woken.append(role)
        tokens.spend(approval.approval_id, role, token)
    return woken


def reconcile(stores: Stores) -> dict[str, int]:
    """Expire what is overdue and resume what was decided while nobody heard it."""
    expired = resumed = 0
    for approval in stores.registry.approvals("PENDING"):
        if overdue(stores, approval):
            end(stores, approval, "EXPIRED")
            expired += 1
        else:
            resumed += len(wake(stores, approval))
    for status in ENDED:
        for item in stores.registry.with_status(f"approval#{status}", limit=_RECENT):
            approval = stores.registry.approval(str(item["approval_id"]))
            resumed += len(wake(stores, approval))
    return {"expired": expired, "resumed": resumed}


def overdue(stores: Stores, approval: Approval) -> bool:
    """Whether its deadline has passed."""
    return stores.clock.now() >= parse_iso(approval.deadline_at)


def tell(
    stores: Stores,
    approval: Approval,
    action: str,
    actor: str,
    facts: Mapping[str, Any],
    *,
    once: str,
) -> None:
    """Put it on the use case's chain, once."""
    key = f"{action}#{approval.approval_id}#{once}"
    stores.audit.append(approval.use_case, action, actor, facts, once=key)
