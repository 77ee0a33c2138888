"""One change of a pointer, and the row that it leaves in the deployment ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from countersign.aws.registry.table import Item
from countersign.governance.pointer import Pointer

_SERVED = ("champion", "rollout", "shadows", "kill_switch", "quarantined")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a pointer. The same `change_id` is made once, however often it is asked for.

    `requires` are further operations of the transaction: conditions that must hold at that moment.
    `record` is the digest of the record that a new champion was judged by; "" for one that served before.
    """

    use_case: str
    change_id: str
    action: str
    actor: str
    transition: Callable[[Pointer], Pointer]
    version: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    expected_epoch: int | None = None
    requires: Sequence[dict[str, Any]] = ()
    record: str = ""


def ledger_row(change: Change, before: Pointer, after: Pointer) -> Item:
    """The row of the deployment ledger: what was done, by whom, and everything that serves after it."""
    champion = before["champion"]
    return {
        "model_name": change.use_case,
        "model_version": change.version
        or (after["champion"]["version"] if after["champion"] else None),
        "previous_version": champion["version"] if champion else None,
        "action": change.action,
        "triggered_by": change.actor,
        "timestamp": after["updated_at"],
        "success": True,
        "validation_result": change.facts.get("validation_result"),
        "epoch": after["epoch"],
        **{n: after[n] for n in _SERVED},  # type: ignore[literal-required]
        "change_id": change.change_id,
        "facts": dict(change.facts),
    }
