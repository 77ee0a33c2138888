"""Approvals in the registry. A decision is one transaction, or it did not happen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

from countersign.aws.registry.pointers import Pointers
from countersign.aws.registry.table import CancelledError, Item
from countersign.aws.registry.triggers import Triggers
from countersign.aws.registry.versions import Versions
from countersign.errors import ConflictError, NotFoundError, RequestError, StoreUnavailableError
from countersign.governance.approval_policy import (
    Approval,
    Decision,
    EvidenceChangedError,
    Status,
    weigh,
)
from countersign.governance.evidence import (
    evidence_digest,
    promotion_evidence,
    retraining_evidence,
)
from countersign.governance.versions import canonical, sort_key

_RACES = 5


class Approvals(Pointers, Versions, Triggers):
    """pk `approval#<id>`; sk `request`, `decision#<role>#<n>`."""

    def open_approval(self, approval: Approval) -> Approval:
        """Store a request for signatures. The same id again returns what was stored first."""
        self.put_once(f"approval#{approval.approval_id}", "request", _request_item(approval))
        if approval.kind == "retraining":
            self._bind_trigger(approval)
        return self.approval(approval.approval_id)

    def approval(self, approval_id: str) -> Approval:
        """One approval with its decisions. Raises NotFoundError."""
        items = self.items(f"approval#{approval_id}")
        request = next((i for i in items if i["sk"] == "request"), None)
        if request is None:
            raise NotFoundError(f"No approval {approval_id}")
        made = [i for i in items if str(i["sk"]).startswith("decision#")]
        return _approval(request, made)

    def approvals(self, status: str = "PENDING") -> list[Approval]:
        """Approvals by status, newest first."""
        found = self.with_status(f"approval#{status}")
        return [self.approval(str(item["approval_id"])) for item in found]

    def current_evidence(self, approval: Approval) -> dict[str, Any]:
        """The evidence as it would be built now; what the machine measured stays as it was told."""
        if approval.kind == "retraining":
            trigger = self.trigger(approval.use_case, approval.subject["trigger_id"])
            return retraining_evidence(trigger)
        return self.evidence(approval.use_case, approval.subject["version"], approval.evidence)

    def evidence(self, use_case: str, version: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """What is signed when `version` is to replace the champion."""
        champion = self.pointer(use_case)["champion"]
        known = self.version(use_case, champion["version"]).record if champion else None
        return promotion_evidence(self.version(use_case, version).record, known, facts)

    def decide(self, approval_id: str, decision: Decision) -> Approval:
        """Record a role's decision: pending, in time, not an author, role held, evidence unchanged.

        All of it holds in the one transaction that stores it. Evidence that changed voids the approval.
        Raises what `governance.approval_policy.weigh` raises.
        """
        for _ in range(_RACES):
            approval = self.approval(approval_id)
            epoch = self.pointer(approval.use_case)["epoch"]  # read before the evidence it guards
            current = evidence_digest(self.current_evidence(approval))
            try:
                status = weigh(approval, decision, current)
            except EvidenceChangedError:
                self.end_approval(approval, "VOID")
                raise
            operations = [
                self._request_operation(approval, status),
                self.put_operation(
                    f"approval#{approval_id}", f"decision#{decision.role}#1", asdict(decision)
                ),
                *self._unchanged(approval, epoch),
            ]
            if status != "PENDING" and approval.kind == "retraining":
                operations.append(self._trigger_follows(approval, status))
            token = f"{approval_id}#{decision.role}#{approval.revision}#{self.now()}"
            try:
                self.transact(operations, token=token)
            except CancelledError:
                continue  # another decision came first: weigh this one again
            return self.approval(approval_id)
        raise StoreUnavailableError(f"{approval_id} is being decided by others; try again")

    def end_approval(self, approval: Approval, status: Status) -> Approval:
        """End a pending approval without a decision: EXPIRED or VOID. Ending it again changes nothing."""
        operations = [self._request_operation(approval, status)]
        if approval.kind == "retraining":
            operations.append(self._trigger_follows(approval, status))
        with suppress(CancelledError):  # it ended otherwise meanwhile, which the caller sees below
            self.transact(operations, token=f"{approval.approval_id}#{status}#{self.now()}")
        return self.approval(approval.approval_id)

    def signed(self, approval_id: str, use_case: str, version: str) -> dict[str, Any]:
        """The transaction's condition that `version` was approved on the evidence that holds now.

        Raises ConflictError when it was not: not approved, for another version, or evidence changed.
        """
        approval = self.approval(approval_id)
        if (approval.use_case, approval.subject.get("version")) != (use_case, version):
            raise ConflictError(f"{approval_id} is not about {version} of {use_case}")
        if approval.status != "APPROVED" or approval.missing():
            raise ConflictError(f"{approval_id} is {approval.status}; {version} may not serve")
        if evidence_digest(self.current_evidence(approval)) != approval.evidence_digest:
            raise EvidenceChangedError(f"The evidence of {approval_id} changed; request anew")
        return self.check_operation(
            f"approval#{approval_id}",
            "request",
            "#status = :approved AND #evidence_digest = :digest",
            {"approved": "APPROVED", "digest": approval.evidence_digest},
        )

    def _unchanged(self, approval: Approval, epoch: int) -> list[dict[str, Any]]:
        """Conditions that candidate and champion are still those of the evidence."""
        if approval.kind == "retraining":
            return []
        pk = f"model#{approval.use_case}"
        candidate = approval.evidence["candidate"]
        version = self.check_operation(
            pk,
            f"version#{sort_key(candidate['version'])}",
            "#record_digest = :record AND #quarantined = :no AND attribute_not_exists(#deleted_at)",
            {"record": candidate["record_digest"], "no": False},
        )
        return [version, self.pointer_unmoved(approval.use_case, epoch)]

    def _request_operation(self, approval: Approval, status: Status) -> dict[str, Any]:
        changes: Item = {"revision": approval.revision + 1, "status": status}
        if status != "PENDING":
            changes |= {"gsi_pk": f"approval#{status}", "gsi_sk": self.now()}
        return self.update_operation(
            f"approval#{approval.approval_id}",
            "request",
            changes,
            "#status = :pending AND #revision = :seen AND #evidence_digest = :digest",
            {"pending": "PENDING", "seen": approval.revision, "digest": approval.evidence_digest},
        )

    def _trigger_follows(self, approval: Approval, status: Status) -> dict[str, Any]:
        trigger_id = approval.subject["trigger_id"]
        return self.trigger_operation(
            approval.use_case, trigger_id, {"status": status}, was="PROPOSED"
        )

    def _bind_trigger(self, approval: Approval) -> None:
        """Name the approval in its trigger; a trigger is put to approval once."""
        bind = self.update_operation(
            f"model#{approval.use_case}",
            f"trigger#{approval.subject['trigger_id']}",
            {"approval_id": approval.approval_id},
            "#status = :proposed AND (#approval_id = :none OR #approval_id = :mine)",
            {"proposed": "PROPOSED", "none": "", "mine": approval.approval_id},
        )
        try:
            self.transact([bind], token=f"{approval.approval_id}#bind#{self.now()}")
        except CancelledError as error:
            stored = self.trigger(approval.use_case, approval.subject["trigger_id"])
            if stored["approval_id"] != approval.approval_id:
                raise ConflictError("This trigger was put to approval before") from error


def _request_item(approval: Approval) -> Item:
    if evidence_digest(approval.evidence) != approval.evidence_digest:
        raise RequestError("The evidence digest is not that of the evidence")
    fields = {k: v for k, v in approval.as_dict().items() if k not in ("decisions", "evidence")}
    return {
        **fields,
        "evidence": canonical(approval.evidence),
        "gsi_pk": f"approval#{approval.status}",
        "gsi_sk": approval.opened_at,
    }


def _approval(request: Item, made: list[Item]) -> Approval:
    names = ("role", "person", "verdict", "reason", "evidence_digest", "at", "via")
    decisions = tuple(Decision(**{n: item[n] for n in names}) for item in made)
    fields = {n: request[n] for n in Approval.__dataclass_fields__ if n in request}
    fields |= {
        "authors": tuple(request["authors"]),
        "required_roles": tuple(request["required_roles"]),
        "evidence": json.loads(request["evidence"]),
    }
    bare = Approval(**fields)
    return replace(bare, decisions=tuple(sorted(decisions, key=lambda d: d.at)))
