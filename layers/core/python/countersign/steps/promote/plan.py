"""Write down what a rollout will do, before anything moves."""

from __future__ import annotations

from typing import Any

from countersign import use_cases
from countersign.aws import registry_files
from countersign.aws.stores import Stores
from countersign.errors import EpochConflictError
from countersign.governance.documentation import refuse_undocumented
from countersign.governance.pointer import refuse_unfit
from countersign.governance.rollout import cohort_steps, seconds
from countersign.steps.promote.asked import ACTOR, Request


def run(stores: Stores, asked: Request) -> dict[str, Any]:
    """Cohorts by risk, waits in this environment's time, and the champion that stands now.

    Raises EpochConflictError when another rollout is under way, ConflictError for a version that is
    quarantined or champion already, GateError for one that is not documented whole.
    """
    declared = use_cases.get(asked.use_case).rollout
    version = stores.registry.version(asked.use_case, asked.version)
    pointer = stores.registry.pointer(asked.use_case)
    if stores.registry.find_rollout(asked.use_case, asked.rollout_id) is None:
        refuse_unfit(pointer, asked.version)
        refuse_undocumented(version.record, registry_files.names(stores, version.record))
        if pointer["rollout"]:
            raise EpochConflictError(
                f"Rollout {pointer['rollout']['rollout_id']} is under way; it must end first"
            )
    champion = pointer["champion"]
    scale = stores.settings.time_scale
    plan = stores.registry.plan_rollout(
        asked.use_case,
        asked.rollout_id,
        {
            "rollout_id": asked.rollout_id,
            "version": version.version,
            "digest": version.digest,
            "approval_id": asked.approval_id,
            "requested_by": asked.requested_by,
            "champion": champion["version"] if champion else "",
            "epoch": pointer["epoch"],
            "steps": cohort_steps(declared),
            "soak_seconds": seconds(declared.soak.total_seconds(), scale),
            "wait_seconds": seconds(declared.wait.total_seconds(), scale),
        },
    )
    facts = {n: plan[n] for n in ("rollout_id", "version", "champion", "approval_id", "steps")}
    stores.audit.append(
        asked.use_case,
        "rollout-planned",
        asked.requested_by or ACTOR,
        facts,
        once=f"rollout-planned#{asked.rollout_id}",
    )
    names = ("rollout_id", "version", "champion", "epoch", "soak_seconds", "wait_seconds")
    return {**{n: plan[n] for n in names}, "steps": len(plan["steps"])}
