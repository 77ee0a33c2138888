"""How often a day's requests were refused for stale features: what the daily compliance counts as not fresh.

One registry item per use case and day, pk `refused#<use_case>`, sk the date: `requests`, and `f#<feature>` for
each feature that was not fresh. The scorer may write items of this kind in the registry, and no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from countersign.aws.attributes import marshal_item, plain_item
from countersign.aws.session import client
from countersign.aws.stores import Stores
from countersign.aws.telemetry import logger
from countersign.clock import Clock, iso

_FEATURE = "f#"


@dataclass(frozen=True, slots=True)
class Refused:
    """Requests of a day that were refused, and by which of their features."""

    requests: int = 0
    features: Mapping[str, int] = field(default_factory=dict)


class Refusals:
    """Count and read."""

    def __init__(self, dynamodb: Any, table: str, clock: Clock) -> None:
        self._db, self._table, self._clock = dynamodb, table, clock

    @classmethod
    def of(cls, stores: Stores) -> Refusals:
        """The refusals of this worker's environment."""
        return cls(client("dynamodb"), stores.settings.require("registry_table"), stores.clock)

    def count(self, use_case: str, refused: Refused) -> bool:
        """Add to today's counts. A count that cannot be kept is logged and never raised: False."""
        counts = {f"{_FEATURE}{name}": n for name, n in refused.features.items()}
        counts["requests"] = refused.requests
        added = ", ".join(f"#n{i} :n{i}" for i in range(len(counts)))
        try:
            self._db.update_item(
                TableName=self._table,
                Key=_key(use_case, iso(self._clock.now())[:10]),
                UpdateExpression=f"ADD {added}",
                ExpressionAttributeNames={f"#n{i}": name for i, name in enumerate(counts)},
                ExpressionAttributeValues=marshal_item(
                    {f":n{i}": number for i, number in enumerate(counts.values())}
                ),
            )
        except (ClientError, BotoCoreError) as error:
            logger.warning("a refusal was not counted", error=type(error).__name__)
            return False
        return True

    def of_day(self, use_case: str, day: str) -> Refused:
        """The counts of a day, `2026-11-21`."""
        answer = self._db.get_item(
            TableName=self._table, Key=_key(use_case, day), ConsistentRead=True
        )
        item = plain_item(answer.get("Item", {}))
        features = {
            name.removeprefix(_FEATURE): int(n)
            for name, n in item.items()
            if name.startswith(_FEATURE)
        }
        return Refused(int(item.get("requests", 0)), features)


def _key(use_case: str, day: str) -> dict[str, Any]:
    return marshal_item({"pk": f"refused#{use_case}", "sk": day})
