"""Nothing trains without an approved trigger, and a trigger trains once."""

from __future__ import annotations

from typing import Any

from countersign.aws.stores import Stores


def run(stores: Stores, use_case: str, trigger_id: str, execution: str) -> dict[str, Any]:
    """Claim the trigger for this execution; the run is named after it."""
    trigger = stores.registry.start_trigger(use_case, trigger_id, execution)
    run_id = run_of(trigger_id)
    stores.audit.append(
        use_case,
        "training-started",
        str(trigger["proposed_by"]),
        {"trigger_id": trigger_id, "run_id": run_id, "approval_id": trigger["approval_id"]},
        once=f"training-started#{trigger_id}",
    )
    return {
        "run_id": run_id,
        "as_of": trigger["as_of"],
        "requested_by": trigger["proposed_by"],
    }


def run_of(trigger_id: str) -> str:
    """The run that a trigger starts."""
    return f"run-{trigger_id}"


def trigger_of(run_id: str) -> str:
    """The trigger that started a run."""
    return run_id.removeprefix("run-")
