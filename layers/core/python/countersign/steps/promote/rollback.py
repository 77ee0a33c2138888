"""Back to what served before."""

from __future__ import annotations

from typing import Any

from countersign.aws import registry_rollback
from countersign.aws.stores import Stores
from countersign.governance.pointer import Pointer
from countersign.steps.promote.asked import ACTOR, Request


def run(stores: Stores, asked: Request) -> dict[str, Any]:
    """Undo a rollout (with `version`), or the champion (without: the rollback machine).

    A rollout that never served is only withdrawn: its shadow ends, and it is not quarantined.
    """
    actor = asked.requested_by or ACTOR
    pointer = stores.registry.pointer(asked.use_case)
    if asked.version and not serves(stores, asked, pointer):
        return withdraw(stores, asked, pointer, actor)
    return registry_rollback.roll_back(
        stores,
        asked.use_case,
        actor=actor,
        reason=asked.reason,
        change_id=f"rollback#{asked.rollout_id}",
        expected_epoch=pointer["epoch"],
    )


def serves(stores: Stores, asked: Request, pointer: Pointer) -> bool:
    """Whether this rollout has the pointer: some cohorts, or all as champion; or had, before this undo."""
    if stores.registry.change_made(asked.use_case, f"rollback#{asked.rollout_id}"):
        return True
    rollout, champion = pointer["rollout"], pointer["champion"]
    if rollout is not None:
        return rollout["rollout_id"] == asked.rollout_id
    promoted = stores.registry.change_made(asked.use_case, f"promote#{asked.rollout_id}")
    return bool(promoted and champion and champion["version"] == asked.version)


def withdraw(stores: Stores, asked: Request, pointer: Pointer, actor: str) -> dict[str, Any]:
    """End the shadow of a rollout that serves nobody."""
    change_id = f"withdraw#{asked.rollout_id}"
    if any(s["version"] == asked.version for s in pointer["shadows"]):
        pointer = stores.registry.stop_shadow(
            asked.use_case, asked.version, actor=actor, change_id=change_id
        )
    champion = pointer["champion"]
    facts = {
        "use_case": asked.use_case,
        "version": champion["version"] if champion else "",
        "withdrawn": asked.version,
        "epoch": pointer["epoch"],
        "quarantined": pointer["quarantined"],
        "reason": asked.reason,
    }
    stores.audit.append(asked.use_case, "rollout-withdrawn", actor, facts, once=change_id)
    return facts
