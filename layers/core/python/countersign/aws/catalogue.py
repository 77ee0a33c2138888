"""The feature registry: one item per feature and one per view, in the registry table.

A feature is pk `feature#<view>`, sk its name; a view is pk `features`, sk its name. Nothing is deleted:
what is declared no more is retired.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from countersign.aws.attributes import marshal_item, plain_item
from countersign.aws.session import client
from countersign.aws.stores import Stores
from countersign.clock import Clock, iso
from countersign.features.record import writes

_VIEWS = "features"
_FEATURE = ("view", "feature_name")
_VIEW = ("view",)


class Catalogue:
    """What is known of every declared feature: for people, and for the operations API."""

    def __init__(self, dynamodb: Any, table: str, clock: Clock) -> None:
        self._db, self._table, self._clock = dynamodb, table, clock

    @classmethod
    def of(cls, stores: Stores) -> Catalogue:
        """The catalogue of this worker's environment."""
        return cls(client("dynamodb"), stores.settings.require("registry_table"), stores.clock)

    def register(
        self, rows: Iterable[Mapping[str, Any]], views: Iterable[Mapping[str, Any]]
    ) -> int:
        """Write the rows that differ from those on record, retire what is not among them.

        `rows` and `views` are of `features.definition.catalogue_rows` and `view_rows`, whole: a view
        that is missing is retired with all its features. Returns how many features were written.
        """
        features, now = list(rows), iso(self._clock.now())
        declared = {str(row["view"]): row for row in views}
        on_record = {str(row["view"]): row for row in self.views()}
        # The views first: a run that is killed in between leaves no feature that is not found again.
        for row in writes(on_record.values(), declared.values(), key=_VIEW, now=now):
            self._put(_VIEWS, str(row["view"]), row)
        held = [row for view in sorted({*declared, *on_record}) for row in self.features(view)]
        changed = writes(held, features, key=_FEATURE, now=now)
        for row in changed:
            self._put(f"feature#{row['view']}", str(row["feature_name"]), row)
        return len(changed)

    def views(self) -> list[dict[str, Any]]:
        """The row of every view that ever was declared, by name."""
        return self._items(_VIEWS)

    def features(self, view: str) -> list[dict[str, Any]]:
        """The rows of one view, by name, retired ones among them."""
        return self._items(f"feature#{view}")

    def everything(self) -> list[dict[str, Any]]:
        """The rows of every view."""
        return [row for view in self.views() for row in self.features(str(view["view"]))]

    def _items(self, partition: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        pages = self._db.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
            ConsistentRead=True,
        )
        for page in pages:
            found += [plain_item(item) for item in page["Items"]]
        return [{k: v for k, v in row.items() if k not in {"pk", "sk"}} for row in found]

    def _put(self, partition: str, name: str, row: Mapping[str, Any]) -> None:
        item = marshal_item({**row, "pk": partition, "sk": name})
        self._db.put_item(TableName=self._table, Item=item)
