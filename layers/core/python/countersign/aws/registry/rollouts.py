"""Rollouts in the registry: what was planned, and the two moves of a pointer that need signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from countersign.aws.registry.approvals import Approvals
from countersign.aws.registry.change import Change
from countersign.aws.registry.table import Item
from countersign.errors import EpochConflictError, GateError, NotFoundError
from countersign.governance import pointer as moves
from countersign.governance.pointer import Deployed, Pointer


class Rollouts(Approvals):
    """pk `model#<use_case>`, sk `rollout#<id>`; guard verdicts beside it as `rollout#<id>#…`."""

    def plan_rollout(self, use_case: str, rollout_id: str, plan: Mapping[str, Any]) -> Item:
        """Store a plan once; a repeat returns the first."""
        self.put_once(
            f"model#{use_case}", f"rollout#{rollout_id}", {**plan, "planned_at": self.now()}
        )
        return self.rollout(use_case, rollout_id)

    def rollout(self, use_case: str, rollout_id: str) -> Item:
        """A rollout's plan. Raises NotFoundError."""
        found = self.find_rollout(use_case, rollout_id)
        if found is None:
            raise NotFoundError(f"No rollout {rollout_id} of {use_case}")
        return found

    def find_rollout(self, use_case: str, rollout_id: str) -> Item | None:
        """A rollout's plan, or None."""
        return self.get(f"model#{use_case}", f"rollout#{rollout_id}")

    def record_guard(self, use_case: str, rollout_id: str, name: str, verdict: Item) -> None:
        """Keep what a guard found."""
        sk = f"rollout#{rollout_id}#guard#{name}"
        self.put_once(f"model#{use_case}", sk, {**verdict, "judged_at": self.now()})

    def guards(self, use_case: str, rollout_id: str) -> list[Item]:
        """Every guard verdict of a rollout, in order."""
        return self.items(f"model#{use_case}", f"rollout#{rollout_id}#guard#")

    def serve_cohorts(
        self,
        use_case: str,
        candidate: Deployed,
        *,
        rollout_id: str,
        cohorts: Sequence[str],
        step: int,
        approval_id: str,
        champion: str,
        actor: str,
    ) -> Pointer:
        """Let the candidate serve `cohorts`: gates passed, signatures valid, champion as planned."""
        change_id = f"rollout#{rollout_id}#{step}"
        if made := self.change_made(use_case, change_id):
            return made
        whole = self._loadable(use_case, candidate, "rollout")
        self._refuse_failed_gates(use_case, candidate)

        def transition(pointer: Pointer) -> Pointer:
            _refuse_other_champion(pointer, champion)
            return moves.serve_cohorts(
                pointer, candidate, rollout_id=rollout_id, cohorts=cohorts, step=step
            )

        return self._move(
            Change(
                use_case=use_case,
                change_id=change_id,
                action="rollout-advanced",
                actor=actor,
                version=candidate["version"],
                facts={"rollout_id": rollout_id, "step": step, "cohorts": list(cohorts)},
                transition=transition,
                requires=[whole, self.signed(approval_id, use_case, candidate["version"])],
            )
        )

    def promote(
        self,
        use_case: str,
        candidate: Deployed,
        *,
        rollout_id: str,
        approval_id: str,
        champion: str,
        actor: str,
    ) -> Pointer:
        """Make the candidate of a rollout the champion: gates passed, signatures valid."""
        change_id = f"promote#{rollout_id}"
        if made := self.change_made(use_case, change_id):
            return made
        record = self.refuse_incomplete(use_case, candidate["version"], "promote")
        self._refuse_failed_gates(use_case, candidate)

        def transition(pointer: Pointer) -> Pointer:
            _refuse_other_champion(pointer, champion)
            return moves.promote(pointer, candidate, rollout_id=rollout_id)

        return self._move(
            Change(
                use_case=use_case,
                change_id=change_id,
                action="promote",
                actor=actor,
                version=candidate["version"],
                facts={
                    "rollout_id": rollout_id,
                    "approval_id": approval_id,
                    "validation_result": self.validation_result(approval_id),
                },
                transition=transition,
                requires=[self.signed(approval_id, use_case, candidate["version"])],
                record=record,
            )
        )

    def validation_result(self, approval_id: str) -> bool | None:
        """Whether the checks in the signed evidence passed; None when none were made."""
        result: bool | None = self.approval(approval_id).evidence["validation"].get("passed")
        return result

    def _refuse_failed_gates(self, use_case: str, candidate: Deployed) -> None:
        record = self.version(use_case, candidate["version"]).record
        if not record.gates_passed or record.fairness_audit == "FAIL":
            raise GateError(f"{record.version} did not pass its gates; it may not serve")


def _refuse_other_champion(pointer: Pointer, champion: str) -> None:
    """`champion` is the version that stood when the rollout was planned; "" for none."""
    standing = pointer["champion"]["version"] if pointer["champion"] else ""
    if standing != champion:
        raise EpochConflictError(
            f"The champion is {standing or 'none'}, not {champion or 'none'} as planned; plan anew"
        )
