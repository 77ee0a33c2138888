"""The feature registry: one item per feature, pk `feature#<view>`, sk its name, in the registry table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from countersign.aws.attributes import marshal_item, plain_item
from countersign.aws.session import client
from countersign.aws.stores import Stores
from countersign.clock import Clock, iso


class Catalogue:
    """What is known of every declared feature: for people, and for the operations API."""

    def __init__(self, dynamodb: Any, table: str, clock: Clock) -> None:
        self._db, self._table, self._clock = dynamodb, table, clock

    @classmethod
    def of(cls, stores: Stores) -> Catalogue:
        """The catalogue of this worker's environment."""
        return cls(client("dynamodb"), stores.settings.require("registry_table"), stores.clock)

    def register(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Write the rows that differ from those on record; returns how many."""
        wanted: dict[str, dict[str, dict[str, Any]]] = {}
        for row in rows:
            mine = wanted.setdefault(str(row["view"]), {})
            held = mine.setdefault(str(row["feature_name"]), {**row, "models": []})
            held["models"] = sorted({*held["models"], *row["models"]})
        changed = 0
        for view, features in wanted.items():
            held = {str(row["feature_name"]): row for row in self.features(view)}
            for name, row in features.items():
                if _text(held.get(name, {})) != _text(row):
                    self._put(view, name, row)
                    changed += 1
        return changed

    def features(self, view: str) -> list[dict[str, Any]]:
        """The rows of one view, by name."""
        found: list[dict[str, Any]] = []
        pages = self._db.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"feature#{view}"}},
        )
        for page in pages:
            found += [plain_item(item) for item in page["Items"]]
        return found

    def _put(self, view: str, name: str, row: Mapping[str, Any]) -> None:
        keys = {"pk": f"feature#{view}", "sk": name, "registered_at": iso(self._clock.now())}
        self._db.put_item(TableName=self._table, Item=marshal_item({**row, **keys}))


def _text(row: Mapping[str, Any]) -> str:
    kept = {k: v for k, v in row.items() if k not in {"pk", "sk", "registered_at"}}
    return json.dumps(kept, sort_keys=True)
