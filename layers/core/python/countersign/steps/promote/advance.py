"""Let the candidate serve the next cohorts."""

from __future__ import annotations

from typing import Any

from countersign.aws.stores import Stores
from countersign.errors import EpochConflictError
from countersign.steps.promote.asked import ACTOR, Request, candidate, planned


def run(stores: Stores, asked: Request) -> dict[str, Any]:
    """The step after the last one whose guard held: gates, signatures and champion checked again.

    A repeat finds its own step done. Which step is next follows from the guards on record, so a worker
    that was delayed past a later step cannot take it twice.
    """
    plan = planned(stores, asked)
    step = 1 + sum(
        1 for g in stores.registry.guards(asked.use_case, asked.rollout_id)
        if g["verdict"] == "advance"
    )  # fmt: skip
    if step > len(plan["steps"]):
        raise EpochConflictError(f"Rollout {asked.rollout_id} has no step after its last")
    cohorts = plan["steps"][step - 1]
    pointer = stores.registry.serve_cohorts(
        asked.use_case,
        candidate(plan),
        rollout_id=asked.rollout_id,
        cohorts=cohorts,
        step=step,
        approval_id=plan["approval_id"],
        champion=plan["champion"],
        actor=ACTOR,
    )
    facts = {
        "rollout_id": asked.rollout_id,
        "version": plan["version"],
        "step": step,
        "cohorts": cohorts,
        "epoch": pointer["epoch"],
    }
    stores.audit.append(
        asked.use_case,
        "rollout-advanced",
        ACTOR,
        facts,
        once=f"rollout-advanced#{asked.rollout_id}#{step}",
    )
    return {**facts, "since": pointer["updated_at"], "verdict": "advanced"}
