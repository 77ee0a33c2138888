"""Pointers in the registry. Every change is one transaction, conditional on the epoch it was made from.

In the same transaction: the stages of the versions that came or went, the ledger row, and a marker of
the change's id, by which a repeat after a lost acknowledgement finds its own result.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from countersign.aws.registry.change import Change, ledger_row
from countersign.aws.registry.records import Records
from countersign.aws.registry.table import CancelledError, Item, unanswered
from countersign.errors import ConflictError, EpochConflictError
from countersign.governance import pointer as moves
from countersign.governance.pointer import Deployed, Pointer
from countersign.governance.versions import sort_key

_FIELDS = tuple(moves.empty())


class Pointers(Records):
    """pk `model#<use_case>`; sk `pointer`, `ledger#<moment>#<epoch>`, `seen#<change>`."""

    def pointer(self, use_case: str) -> Pointer:
        """The pointer as it stands; an empty one, epoch 0, before the first change."""
        return pointer_of(self.get(f"model#{use_case}", "pointer"))

    def ledger(self, use_case: str) -> list[Item]:
        """Every deployment record, oldest first."""
        rows = self.items(f"model#{use_case}", "ledger#")
        return sorted(rows, key=lambda row: int(row["epoch"]))

    def champion_history(self, use_case: str, at: str) -> Deployed | None:
        """Which version was in production at the moment `at` (ISO-8601, as stored)."""
        rows = [row for row in self.ledger(use_case) if str(row["timestamp"]) <= at]
        return cast("Deployed | None", rows[-1]["champion"]) if rows else None

    def start_shadow(
        self, use_case: str, candidate: Deployed, *, actor: str, change_id: str
    ) -> Pointer:
        """The candidate scores along, unseen."""
        return self._move(
            Change(
                use_case=use_case,
                change_id=change_id,
                action="shadow-started",
                actor=actor,
                version=candidate["version"],
                transition=lambda p: moves.add_shadow(p, candidate),
                requires=[self._loadable(use_case, candidate, "shadow")],
            )
        )

    def stop_shadow(self, use_case: str, version: str, *, actor: str, change_id: str) -> Pointer:
        """The version no longer scores along."""
        return self._move(
            Change(
                use_case=use_case,
                change_id=change_id,
                action="shadow-stopped",
                actor=actor,
                version=version,
                transition=lambda p: moves.remove_shadow(p, version),
            )
        )

    def kill_switch(
        self, use_case: str, *, rules_only: bool, actor: str, reason: str, change_id: str
    ) -> Pointer:
        """Rules only, or the models again."""
        return self._move(
            Change(
                use_case=use_case,
                change_id=change_id,
                action="kill-switch-on" if rules_only else "kill-switch-off",
                actor=actor,
                facts={"reason": reason},
                transition=lambda p: moves.switch(p, rules_only=rules_only),
            )
        )

    def roll_back(
        self,
        use_case: str,
        *,
        actor: str,
        reason: str,
        change_id: str,
        expected_epoch: int | None = None,
    ) -> Pointer:
        """To the recorded predecessor; the bad version is quarantined, rollout and shadows end.

        Papers never hold up a rollback: what the predecessor's record lacks is told in the ledger row.
        """
        facts: Item = {"reason": reason}
        if lacking := self._lacking(use_case):
            facts["record_not_whole"] = lacking
        return self._move(
            Change(
                use_case=use_case,
                change_id=change_id,
                action="rollback",
                actor=actor,
                facts=facts,
                transition=moves.roll_back,
                expected_epoch=expected_epoch,
            )
        )

    def _lacking(self, use_case: str) -> list[str]:
        """What is missing or ill typed in the record of the version that a rollback would bring back."""
        with suppress(ConflictError):
            _, target = moves.rollback_target(self.pointer(use_case))
            return self.record_problems(use_case, target["version"]) if target else []
        return []

    def change_made(self, use_case: str, change_id: str) -> Pointer | None:
        """The pointer that a change left behind, or None when it was never made."""
        seen = self.get(f"model#{use_case}", f"seen#{change_id}")
        return cast("Pointer", seen["pointer"]) if seen else None

    def _move(self, change: Change) -> Pointer:
        """Make a change once.

        Raises EpochConflictError when the pointer moved meanwhile, ConflictError when a version's stage
        or an approval did.
        """
        if made := self.change_made(change.use_case, change.change_id):
            return made
        before = self.pointer(change.use_case)
        if change.expected_epoch not in (None, before["epoch"]):
            raise EpochConflictError(
                f"The pointer of {change.use_case} is at epoch {before['epoch']}, "
                f"not {change.expected_epoch}; read it again"
            )
        after = change.transition(before)
        after["updated_at"] = self.now()
        token = f"{change.use_case}#{change.change_id}#{before['epoch']}#{after['updated_at']}"
        try:
            self.transact(self._operations(change, before, after), token=token)
        except CancelledError as error:
            if made := self.change_made(change.use_case, change.change_id):
                return made
            if error.conditions and error.conditions[0]:
                raise EpochConflictError(
                    f"The pointer of {change.use_case} moved; read it again"
                ) from error
            raise ConflictError(
                f"{change.action}: a version's stage or its approval no longer allows it"
            ) from error
        except (ClientError, BotoCoreError) as error:
            made = self.change_made(change.use_case, change.change_id)
            if not unanswered(error) or made is None:
                raise
            return made
        return after

    def _operations(self, change: Change, before: Pointer, after: Pointer) -> list[dict[str, Any]]:
        pk = f"model#{change.use_case}"
        if before["epoch"] == 0:
            move = self.put_operation(pk, "pointer", after)
        else:
            move = self.update_operation(
                pk, "pointer", after, "#epoch = :seen", {"seen": before["epoch"]}
            )
        row = ledger_row(change, before, after)
        return [
            move,
            self.put_operation(pk, f"ledger#{after['updated_at']}#{after['epoch']:08d}", row),
            self.put_operation(pk, f"seen#{change.change_id}", {"pointer": dict(after)}),
            *self._stage_operations(change, before, after),
            *change.requires,
        ]

    def _stage_operations(
        self, change: Change, before: Pointer, after: Pointer
    ) -> list[dict[str, Any]]:
        """The stages follow from the pointer: the champion, and no other, is in Production."""
        old, new = before["champion"], after["champion"]
        put_away = set(after["quarantined"]) - set(before["quarantined"])
        moved = []
        if new and new != old:
            life = {
                "deployed_at": after["updated_at"],
                "deployed_by": change.actor,
                "rollback_version": after["previous"][0]["version"] if after["previous"] else "",
            }
            moved.append(self._to_production(change, new, life))
        if old and old != new:
            put_away.add(old["version"])
        for version in sorted(put_away):
            state = {"quarantined": version in after["quarantined"]}
            moved.append(self._to_archive(change.use_case, version, after["updated_at"], state))
        return moved

    def _to_production(self, change: Change, new: Deployed, life: Item) -> dict[str, Any]:
        condition = (
            "#digest = :digest AND #quarantined = :no AND (#stage = :staging OR #stage = :archived)"
            " AND attribute_not_exists(#deleted_at)"
        )
        values: Item = {
            "digest": new["digest"],
            "no": False,
            "staging": "Staging",
            "archived": "Archived",
        }
        if change.record:
            condition += " AND #gates_passed = :yes AND #record_digest = :record"
            values |= {"yes": True, "record": change.record}
        return self.update_operation(
            f"model#{change.use_case}",
            f"version#{sort_key(new['version'])}",
            {
                "stage": "Production",
                "gsi_pk": "version#Production",
                "gsi_sk": life["deployed_at"],
                **life,
            },
            condition,
            values,
        )

    def _to_archive(self, use_case: str, version: str, at: str, state: Item) -> dict[str, Any]:
        return self.update_operation(
            f"model#{use_case}",
            f"version#{sort_key(version)}",
            {
                "stage": "Archived",
                "archived_at": at,
                "gsi_pk": "version#Archived",
                "gsi_sk": at,
                **state,
            },
            "attribute_exists(pk)",
            {},
        )

    def _loadable(self, use_case: str, candidate: Deployed, transition: str) -> dict[str, Any]:
        """The condition that the candidate may serve, by the record that was read whole just now."""
        record = self.refuse_incomplete(use_case, candidate["version"], transition)
        return self.check_operation(
            f"model#{use_case}",
            f"version#{sort_key(candidate['version'])}",
            "#digest = :digest AND #stage <> :none AND #quarantined = :no "
            "AND #record_digest = :record AND attribute_not_exists(#deleted_at)",
            {"digest": candidate["digest"], "none": "None", "no": False, "record": record},
        )

    def pointer_unmoved(self, use_case: str, epoch: int) -> dict[str, Any]:
        """The transaction's condition that the pointer still stands at `epoch`; 0: there is none."""
        condition, values = "#epoch = :epoch", {"epoch": epoch}
        if epoch == 0:
            condition, values = "attribute_not_exists(pk)", {}
        return self.check_operation(f"model#{use_case}", "pointer", condition, values)


def pointer_of(item: Mapping[str, Any] | None) -> Pointer:
    """The pointer in a registry item that was read elsewhere, keys left out."""
    if item is None:
        return moves.empty()
    return cast("Pointer", {name: item[name] for name in _FIELDS})
