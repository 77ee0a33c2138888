"""The registry's side of training: authorise a run, register what it made, or put down why not.

Every action may be repeated: a trigger trains once, a run becomes one version, a reason is told once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from countersign.aws.stores import Stores
from countersign.errors import FieldError, RequestError
from countersign.steps.register import authorise, enrol, reject


@dataclass(frozen=True, slots=True)
class Request:
    """`action`: authorise (with trigger_id, execution), register (run_id, dataset_id), reject (run_id, error)."""

    action: str
    use_case: str
    trigger_id: str = ""
    execution: str = ""
    run_id: str = ""
    dataset_id: str = ""
    error: dict[str, Any] = field(default_factory=dict)


def run(request: Request, stores: Stores) -> dict[str, Any]:
    """Do one action."""
    match request.action:
        case "authorise":
            return authorise.run(stores, request.use_case, request.trigger_id, request.execution)
        case "register":
            return enrol.run(stores, request.use_case, request.run_id, request.dataset_id)
        case "reject":
            return reject.run(stores, request.use_case, request.run_id, request.error)
    known = "authorise, register or reject"
    raise RequestError(f"An action is {known}", errors=[FieldError("action", known)])
