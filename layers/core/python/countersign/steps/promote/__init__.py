"""Move the pointer, one step of a rollout at a time. Each step may be repeated; none is done twice."""

from __future__ import annotations

from typing import Any

from countersign.aws.stores import Stores
from countersign.errors import FieldError, RequestError
from countersign.steps.promote import advance, complete, guard, plan, rollback, shadow, verify
from countersign.steps.promote.asked import Request

__all__ = ["Request", "run"]


ACTIONS = {
    "plan": plan.run,
    "start_shadow": shadow.start,
    "check_shadow": shadow.check,
    "advance": advance.run,
    "check_guard": guard.run,
    "complete": complete.run,
    "rollback": rollback.run,
    "verify": verify.run,
}


def run(request: Request, stores: Stores) -> dict[str, Any]:
    """Do one action."""
    action = ACTIONS.get(request.action)
    if action is None:
        known = ", ".join(ACTIONS)
        raise RequestError(f"An action is one of {known}", errors=[FieldError("action", known)])
    return action(stores, request)
