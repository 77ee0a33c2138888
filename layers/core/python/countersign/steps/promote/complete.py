"""Production: the candidate becomes champion, the old one is recorded and archived, in one write."""

from __future__ import annotations

from typing import Any

from countersign.aws.stores import Stores
from countersign.errors import GateError
from countersign.steps.promote.asked import ACTOR, Request, candidate, planned


def run(stores: Stores, asked: Request) -> dict[str, Any]:
    """Complete a rollout whose every step held. Gates and signatures are checked once more."""
    plan = planned(stores, asked)
    held = {
        g["step"] for g in stores.registry.guards(asked.use_case, asked.rollout_id)
        if g["verdict"] == "advance"
    }  # fmt: skip
    missing = set(range(1, len(plan["steps"]) + 1)) - held
    if missing:
        raise GateError(f"Steps {sorted(missing)} of rollout {asked.rollout_id} were not judged")
    pointer = stores.registry.promote(
        asked.use_case,
        candidate(plan),
        rollout_id=asked.rollout_id,
        approval_id=plan["approval_id"],
        champion=plan["champion"],
        actor=plan["requested_by"] or ACTOR,
    )
    facts = {
        "version": plan["version"],
        "digest": plan["digest"],
        "previous_version": plan["champion"],
        "epoch": pointer["epoch"],
        "rollout_id": asked.rollout_id,
        "approval_id": plan["approval_id"],
    }
    stores.audit.append(
        asked.use_case, "promoted", ACTOR, facts, once=f"promoted#{asked.rollout_id}"
    )
    return {**facts, "steps": len(plan["steps"])}
