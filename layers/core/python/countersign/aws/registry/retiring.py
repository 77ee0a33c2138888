"""Versions that leave: archived when nobody wants them, deleted when nothing may need them any more.

A deleted version keeps its record, with who deleted it, when and why; its number is never given again.
"""

from __future__ import annotations

from typing import Any

from countersign.aws.registry.rollouts import Rollouts
from countersign.aws.registry.table import CancelledError, Item
from countersign.errors import ConflictError
from countersign.governance import retention
from countersign.governance.pointer import Pointer
from countersign.governance.versions import Version, sort_key


class Retiring(Rollouts):
    """pk `model#<use_case>`, sk `version#<sortable version>`."""

    def references(self, use_case: str, pointer: Pointer) -> dict[str, list[str]]:
        """By version, everything that still names it, of what stands now."""
        pending = [
            (approval.approval_id, approval.subject["version"])
            for approval in self.approvals("PENDING")
            if approval.use_case == use_case and "version" in approval.subject
        ]
        return retention.references(
            pointer,
            pending,
            self.items(f"model#{use_case}", "experiment#"),
            now=self._clock.now(),
            time_scale=self._settings.time_scale,
        )

    def archive_version(self, use_case: str, version: str, *, actor: str, reason: str) -> Version:
        """Staging → Archived: withdrawn. Doing it again changes nothing.

        Raises GateError for a record that is not whole, ConflictError when something still names it.
        """
        record = self.refuse_incomplete(use_case, version, "archive")
        found = self.version(use_case, version)
        if found.stage == "Archived":
            return found
        if found.stage != "Staging":
            raise ConflictError(
                f"{version} is in {found.stage}; only a staged version is withdrawn"
            )
        pointer = self.pointer(use_case)
        if reasons := self.references(use_case, pointer).get(version):
            raise ConflictError(f"{version} stays in Staging: {'; '.join(reasons)}")
        now = self.now()
        changes: Item = {"stage": "Archived", "archived_at": now, "archived_by": actor}
        changes |= {"archive_reason": reason, "gsi_pk": "version#Archived", "gsi_sk": now}
        condition = "#stage = :staging AND #record_digest = :record"
        values = {"staging": "Staging", "record": record}
        self._retire(use_case, version, changes, (condition, values), pointer)
        return self.version(use_case, version)

    def delete_version(self, use_case: str, version: str, *, actor: str, reason: str) -> Version:
        """Mark an archived version as deleted: from then on it can never serve. Again changes nothing.

        The caller deletes its bytes afterwards. Raises ConflictError with the reason when it must stay.
        """
        found = self.version(use_case, version)
        if found.deleted_at:
            return found
        scale = self._settings.time_scale
        pointer = self.pointer(use_case)
        self.refuse_deletion(use_case, version, self.references(use_case, pointer))
        retention.refuse_retained(found, now=self._clock.now(), time_scale=scale)
        changes: Item = {"deleted_at": self.now(), "deleted_by": actor, "deletion_reason": reason}
        condition = "#stage = :archived AND attribute_not_exists(#deleted_at)"
        self._retire(use_case, version, changes, (condition, {"archived": "Archived"}), pointer)
        return self.version(use_case, version)

    def _retire(
        self,
        use_case: str,
        version: str,
        changes: Item,
        condition: tuple[str, dict[str, Any]],
        pointer: Pointer,
    ) -> None:
        """In one transaction with the pointer that was read: what it names cannot have changed."""
        pk = f"model#{use_case}"
        operations = [
            self.update_operation(pk, f"version#{sort_key(version)}", changes, *condition),
            self.pointer_unmoved(use_case, pointer["epoch"]),
        ]
        try:
            self.transact(operations, token=f"retire#{use_case}#{version}#{self.now()}#{changes}")
        except CancelledError as error:
            found = self.version(use_case, version)
            if found.deleted_at if "deleted_at" in changes else found.stage == "Archived":
                return  # somebody else did it meanwhile
            raise ConflictError(f"{version} of {use_case} changed meanwhile; look again") from error
