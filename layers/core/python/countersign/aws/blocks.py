"""Where the blocks of data quality stand: one registry item per use case, and the only code that writes it.

The item is pk `block#<use_case>`, sk `state`; `OnlineStore.read` brings it with the pointer. Every change is
conditional on the revision that it was made from, so that raising twice is raising once, and an
acknowledgement never lifts a finding that came after it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from botocore.exceptions import ClientError

from countersign.aws.attributes import marshal_item, plain_item
from countersign.aws.session import client
from countersign.aws.stores import Stores
from countersign.clock import Clock, iso
from countersign.errors import ConflictError, NotFoundError, StoreUnavailableError
from countersign.governance.quality_block import Finding, acknowledged, after_log

SK = "state"
_RACES = 10
Change = Callable[[dict[str, Any] | None], dict[str, Any] | None]


class Blocks:
    """Find, raise, clear and lift. Who may do which is the route's and IAM's business."""

    def __init__(self, dynamodb: Any, table: str, clock: Clock) -> None:
        self._db, self._table, self._clock = dynamodb, table, clock

    @classmethod
    def of(cls, stores: Stores) -> Blocks:
        """The blocks of this worker's environment."""
        return cls(client("dynamodb"), stores.settings.require("registry_table"), stores.clock)

    def find(self, use_case: str) -> dict[str, Any] | None:
        """The block of a use case, raised or lifted; None when there never was one."""
        answer = self._db.get_item(
            TableName=self._table, Key=marshal_item(_key(use_case)), ConsistentRead=True
        )
        if "Item" not in answer:
            return None
        return {k: v for k, v in plain_item(answer["Item"]).items() if k not in {"pk", "sk"}}

    def take_log(
        self, use_case: str, findings: Sequence[Finding], *, views: Collection[str], as_of: str
    ) -> dict[str, Any] | None:
        """Take note of a quality log: raise the block, or say what has been fixed. It lifts nothing.

        `views` are those of the use case that the log is about, `as_of` its moment in ISO-8601 UTC.
        """
        at = iso(self._clock.now())
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
        at = iso(self._clock.now())

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
        seen = "attribute_not_exists(pk)" if before is None else "revision = :seen"
        values = {} if before is None else {":seen": before["revision"]}
        try:
            self._db.put_item(
                TableName=self._table,
                Item=marshal_item({**after, **_key(use_case)}),
                ConditionExpression=seen,
                **({"ExpressionAttributeValues": marshal_item(values)} if values else {}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _key(use_case: str) -> dict[str, str]:
    return {"pk": f"block#{use_case}", "sk": SK}
