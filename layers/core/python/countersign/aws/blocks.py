"""Where the blocks of data quality stand: one registry item per use case, and the only code that writes it.

The item is pk `block#<use_case>`, sk `state`; `OnlineStore.read` brings it with the pointer. Every change is
conditional on the revision that it was made from, so that raising twice is raising once, and an
acknowledgement never lifts a finding that came after it was written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

from countersign.aws.registry import Registry
from countersign.aws.registry.table import CancelledError
from countersign.aws.stores import Stores
from countersign.errors import ConflictError, NotFoundError, StoreUnavailableError
from countersign.governance.quality_block import Finding, acknowledged, after_log

SK = "state"
_RACES = 10
Change = Callable[[dict[str, Any] | None], dict[str, Any] | None]


class Blocks:
    """Find, raise, clear and lift. Who may do which is the route's and IAM's business."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    @classmethod
    def of(cls, stores: Stores) -> Blocks:
        """The blocks of this worker's environment."""
        return cls(stores.registry)

    def find(self, use_case: str) -> dict[str, Any] | None:
        """The block of a use case, raised or lifted; None when there never was one."""
        item = self._registry.get(f"block#{use_case}", SK)
        return None if item is None else {k: v for k, v in item.items() if k not in {"pk", "sk"}}

    def take_log(
        self, use_case: str, findings: Sequence[Finding], *, views: Collection[str], as_of: str
    ) -> dict[str, Any] | None:
        """Take note of a quality log: raise the block, or say what has been fixed. It lifts nothing.

        `views` are those of the use case that the log is about, `as_of` its moment in ISO-8601 UTC.
        """
        at = self._registry.now()
        return self._change(
            use_case, lambda block: after_log(block, findings, views=views, as_of=as_of, at=at)
        )

    def acknowledge(
        self, use_case: str, *, person: str, reason: str, revision: int | None = None
    ) -> dict[str, Any]:
        """Lift the block of `use_case`. The same acknowledgement again changes nothing.

        Raises
        ------
        NotFoundError      there never was a block
        ConflictError      it is not raised, or it is no more the `revision` that the person has seen
        """
        at = self._registry.now()

        def lift(block: dict[str, Any] | None) -> dict[str, Any]:
            if block is None:
                raise NotFoundError(f"No alert ever blocked {use_case}")
            if (block.get("acknowledged_by"), block.get("reason")) == (person, reason):
                return block
            if revision is not None and revision != block["revision"]:
                raise ConflictError("More was found since you looked; look at the block again")
            return acknowledged(block, person=person, reason=reason, at=at)

        lifted = self._change(use_case, lift)
        assert lifted is not None
        return lifted

    def _change(self, use_case: str, change: Change) -> dict[str, Any] | None:
        for _ in range(_RACES):
            before = self.find(use_case)
            after = change(before)
            if after == before or after is None or self._write(use_case, before, after):
                return after
        raise StoreUnavailableError(f"The block of {use_case} is being changed; try again")

    def _write(self, use_case: str, before: dict[str, Any] | None, after: dict[str, Any]) -> bool:
        """Put `after` where `before` stands; False when something else stands there by now."""
        pk = f"block#{use_case}"
        if before is None:
            return self._registry.put_once(pk, SK, after)
        seen = {"seen": before["revision"]}
        operation = self._registry.update_operation(pk, SK, after, "#revision = :seen", seen)
        digest = hashlib.sha256(json.dumps(after, sort_keys=True).encode()).hexdigest()
        try:
            self._registry.transact([operation], token=f"{pk}#{digest}")
        except CancelledError:
            return False
        return True
