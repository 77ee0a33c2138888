"""Retraining triggers: proposed by a person or by monitoring, approved by a person, started once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from countersign.aws.registry.table import CancelledError, Item, RegistryTable
from countersign.errors import ConflictError, ForbiddenError, NotFoundError, RequestError
from countersign.governance.versions import canonical

TRIGGER_TYPES = ("scheduled", "drift", "performance", "incident")


class Triggers(RegistryTable):
    """pk `model#<use_case>`, sk `trigger#<id>`: PROPOSED → APPROVED → STARTED → DONE, or refused."""

    def propose_retraining(
        self,
        use_case: str,
        trigger_type: str,
        facts: Mapping[str, Any],
        actor: str,
        *,
        reason: str = "",
        as_of: str = "",
        role: str = "system",
        key: str = "",
    ) -> str:
        """Propose; returns the trigger's id. Nothing trains until it is approved.

        With `key` (a week, an incident) the same proposal is made once, however often it is asked for.
        """
        if trigger_type not in TRIGGER_TYPES:
            raise RequestError(f"A trigger is one of {', '.join(TRIGGER_TYPES)}")
        now = self.now()
        identity = key or canonical([now, actor, dict(facts)])
        digest = hashlib.sha256(f"{use_case}#{trigger_type}#{identity}".encode()).hexdigest()
        trigger_id = f"{use_case}-{trigger_type}-{digest[:12]}".replace("_", "-")
        self.put_once(
            f"model#{use_case}",
            f"trigger#{trigger_id}",
            {
                "trigger_id": trigger_id,
                "model_id": self._model_on_duty(use_case),
                "use_case": use_case,
                "trigger_type": trigger_type,
                "trigger_date": now,
                "reason": reason,
                "facts": dict(facts),
                "as_of": as_of or now,
                "proposed_by": actor,
                "proposer_role": role,
                "status": "PROPOSED",
                "approval_id": "",
                "execution": "",
                "retrained_version": None,
                "performance_delta": None,
                "gsi_pk": "trigger#PROPOSED",
                "gsi_sk": now,
            },
        )
        return trigger_id

    def _model_on_duty(self, use_case: str) -> str:
        """`<use case>/<version>` of the champion that would be followed; the use case alone before the first."""
        champion = (self.get(f"model#{use_case}", "pointer") or {}).get("champion")
        return f"{use_case}/{champion['version']}" if champion else use_case

    def trigger(self, use_case: str, trigger_id: str) -> Item:
        """One trigger. Raises NotFoundError."""
        found = self.get(f"model#{use_case}", f"trigger#{trigger_id}")
        if found is None:
            raise NotFoundError(f"No trigger {trigger_id} of {use_case}")
        return found

    def triggers(self, use_case: str) -> list[Item]:
        """The trigger log, oldest first."""
        rows = self.items(f"model#{use_case}", "trigger#")
        return sorted(rows, key=lambda row: str(row["trigger_date"]))

    def start_trigger(self, use_case: str, trigger_id: str, execution: str) -> Item:
        """Claim an approved trigger for one execution; that execution may ask again.

        Raises ForbiddenError unless the trigger was approved, ConflictError when another execution has it.
        """
        found = self.trigger(use_case, trigger_id)
        if found["status"] == "STARTED" and found["execution"] == execution:
            return found
        if found["status"] in ("PROPOSED", "REJECTED", "EXPIRED", "VOID"):
            raise ForbiddenError(
                f"Trigger {trigger_id} is {found['status']}; only approved ones train"
            )
        claim = self.trigger_operation(
            use_case, trigger_id, {"status": "STARTED", "execution": execution}, was="APPROVED"
        )
        approved = self.check_operation(
            f"approval#{found['approval_id']}",
            "request",
            "#status = :approved",
            {"approved": "APPROVED"},
        )
        try:
            self.transact([claim, approved], token=f"{trigger_id}#{execution}#{self.now()}")
        except CancelledError as error:
            found = self.trigger(use_case, trigger_id)
            if found["status"] != "STARTED" or found["execution"] != execution:
                raise ConflictError(f"Trigger {trigger_id} is {found['status']} already") from error
        return self.trigger(use_case, trigger_id)

    def finish_trigger(
        self, use_case: str, trigger_id: str, *, status: str, facts: Mapping[str, Any]
    ) -> None:
        """STARTED → DONE or FAILED, with what came of it. Doing it again changes nothing."""
        names = ("retrained_version", "performance_delta", "compared", "error")
        changes = {"status": status, **{n: facts[n] for n in names if n in facts}}
        operation = self.trigger_operation(use_case, trigger_id, changes, was="STARTED")
        try:
            self.transact([operation], token=f"{trigger_id}#{status}#{self.now()}")
        except CancelledError as error:
            now = self.trigger(use_case, trigger_id)["status"]
            if now != status:
                raise ConflictError(f"Trigger {trigger_id} is {now}, not STARTED") from error

    def trigger_operation(
        self, use_case: str, trigger_id: str, changes: Mapping[str, Any], *, was: str
    ) -> dict[str, Any]:
        """A change of status within a transaction."""
        return self.update_operation(
            f"model#{use_case}",
            f"trigger#{trigger_id}",
            {**changes, "gsi_pk": f"trigger#{changes['status']}", "gsi_sk": self.now()},
            "#status = :was",
            {"was": was},
        )
