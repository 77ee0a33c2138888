"""Rollback across stores: is the predecessor loadable, then one write, then the chain and a notice."""

from __future__ import annotations

from typing import Any

from countersign.aws.stores import Stores
from countersign.errors import EpochConflictError
from countersign.governance.pointer import Pointer, rollback_target

SERVED = ("model.onnx", "serving.json")


def roll_back(
    stores: Stores,
    use_case: str,
    *,
    actor: str,
    reason: str,
    change_id: str,
    expected_epoch: int | None = None,
) -> dict[str, Any]:
    """Go to the recorded predecessor. The pointer moves only when its artifact loads and verifies.

    No control plane is called and nothing is deployed: workers re-read the pointer within a second.

    Raises
    ------
    ArtifactError, NotFoundError   the predecessor cannot be loaded; the champion is kept
    EpochConflictError             the pointer is not, or no longer, at the expected epoch
    ConflictError                  there is no predecessor
    """
    made = stores.registry.change_made(use_case, change_id)
    if made is None:
        standing = stores.registry.pointer(use_case)
        if expected_epoch not in (None, standing["epoch"]):
            raise EpochConflictError(
                f"The pointer of {use_case} is at epoch {standing['epoch']}; look again, then decide"
            )
        _, target = rollback_target(standing)
        if target is not None:
            stores.artifacts.load(
                f"{use_case}/{target['version']}", SERVED, digest=target["digest"]
            )
    pointer = made or stores.registry.roll_back(
        use_case, actor=actor, reason=reason, change_id=change_id, expected_epoch=expected_epoch
    )
    facts = facts_of(stores, use_case, pointer, reason)
    tell(stores, use_case, actor, facts, change_id)
    return facts


def facts_of(stores: Stores, use_case: str, pointer: Pointer, reason: str) -> dict[str, Any]:
    """What serves now, and what was put away."""
    row = next(r for r in stores.registry.ledger(use_case) if r["epoch"] == pointer["epoch"])
    champion = pointer["champion"]
    return {
        "use_case": use_case,
        "version": champion["version"] if champion else "",
        "digest": champion["digest"] if champion else "",
        "epoch": pointer["epoch"],
        "quarantined": pointer["quarantined"],
        "previous_version": row["previous_version"],
        "reason": reason,
        "at": row["timestamp"],
    }


def tell(stores: Stores, use_case: str, actor: str, facts: dict[str, Any], change_id: str) -> None:
    """Chain and notice, each once."""
    before = stores.audit.head(use_case).seq
    told = stores.audit.append(use_case, "rolled-back", actor, facts, once=f"rollback#{change_id}")
    if told.seq <= before:
        return  # told before
    stores.notices.publish(
        f"Rolled back: {use_case} serves {facts['version'] or 'no model'}",
        severity="high",
        what=f"{actor} rolled {use_case} back: {facts['reason']}",
        facts={n: facts[n] for n in ("version", "previous_version", "epoch", "quarantined")},
        to_do="Watch the serving monitor, find the cause, register a fixed version.",
        runbook="docs/operating.md",
        use_case=use_case,
        kind="rollback",
    )
