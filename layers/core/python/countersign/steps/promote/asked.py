"""What every action of a promotion is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from countersign.aws.stores import Stores
from countersign.governance.pointer import Deployed

ACTOR = "promotion"


@dataclass(frozen=True, slots=True)
class Request:
    """`action`: plan, start_shadow, check_shadow, advance, check_guard, complete, rollback or verify.

    `rollout_id` is the promotion's execution: what one execution did, it finds again.
    """

    action: str
    use_case: str
    version: str = ""
    rollout_id: str = ""
    approval_id: str = ""
    requested_by: str = ""
    reason: str = ""


def planned(stores: Stores, asked: Request) -> dict[str, Any]:
    """The rollout's plan. Raises NotFoundError when nothing was planned."""
    return stores.registry.rollout(asked.use_case, asked.rollout_id)


def candidate(plan: dict[str, Any]) -> Deployed:
    """The version that rolls out, pinned as it was planned."""
    return Deployed(version=plan["version"], digest=plan["digest"])
