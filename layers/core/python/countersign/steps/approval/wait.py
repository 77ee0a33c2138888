"""Keep the token of a branch that waits for a role's decision."""

from __future__ import annotations

from typing import Any

from countersign.aws import registry_decisions
from countersign.aws.stores import Stores
from countersign.aws.tokens import Tokens


def run(stores: Stores, approval_id: str, role: str, task_token: str) -> dict[str, Any]:
    """Keep it, then look: a decision that came before the token is told to the branch at once."""
    Tokens(stores.registry).keep(approval_id, role, task_token)
    approval = stores.registry.approval(approval_id)
    woken = registry_decisions.wake(stores, approval)
    return {"approval_id": approval_id, "role": role, "resumed": role in woken}
