"""The registry's table: items as plain mappings, conditional writes, and one kind of transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from countersign.aws.attributes import marshal_item, plain_item
from countersign.aws.faults import as_transient
from countersign.aws.settings import Settings
from countersign.clock import Clock, iso
from countersign.errors import StoreUnavailableError

Item = dict[str, Any]


class CancelledError(Exception):
    """A transaction did not happen. `conditions` says of each operation whether its condition failed."""

    def __init__(self, conditions: Sequence[bool]) -> None:
        super().__init__("transaction cancelled")
        self.conditions = tuple(conditions)


class RegistryTable:
    """What every part of the registry shares."""

    def __init__(self, dynamodb: Any, settings: Settings, clock: Clock) -> None:
        self._db = dynamodb
        self._table = settings.require("registry_table")
        self._clock = clock
        self._settings = settings

    def now(self) -> str:
        """The time, as it is stored."""
        return iso(self._clock.now())

    def get(self, pk: str, sk: str) -> Item | None:
        """The item at (pk, sk), as last written."""
        found = self._db.get_item(TableName=self._table, Key=_key(pk, sk), ConsistentRead=True)
        return plain_item(found["Item"]) if "Item" in found else None

    def put(self, pk: str, sk: str, attributes: Mapping[str, Any]) -> None:
        """Write an item that nobody else competes for."""
        item = marshal_item({**attributes, "pk": pk, "sk": sk})
        self._db.put_item(TableName=self._table, Item=item)

    def put_once(self, pk: str, sk: str, attributes: Mapping[str, Any]) -> bool:
        """Write an item unless one stands there; False when it does."""
        item = marshal_item({**attributes, "pk": pk, "sk": sk})
        try:
            self._db.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def items(
        self, pk: str, prefix: str = "", *, newest_first: bool = False, limit: int | None = None
    ) -> list[Item]:
        """The items of `pk` whose sort key begins with `prefix`, in its order."""
        condition, values = "pk = :pk", {":pk": {"S": pk}}
        if prefix:
            condition += " AND begins_with(sk, :prefix)"
            values[":prefix"] = {"S": prefix}
        return self._query(condition, values, newest_first=newest_first, limit=limit)

    def with_status(self, status: str, *, limit: int | None = None) -> list[Item]:
        """Items by `gsi_pk`, such as `approval#PENDING`, newest first. Eventually consistent."""
        return self._query(
            "gsi_pk = :status",
            {":status": {"S": status}},
            newest_first=True,
            limit=limit,
            index="by_status",
        )

    def transact(self, operations: Sequence[dict[str, Any]], *, token: str) -> None:
        """All of it or nothing. A repeat with the same token within ten minutes happens once.

        Raises
        ------
        CancelledError             a condition failed
        TransientError        another transaction was in the way, or AWS was not reached in time
        """
        digest = hashlib.sha256(token.encode()).hexdigest()[:36]
        try:
            self._db.transact_write_items(TransactItems=list(operations), ClientRequestToken=digest)
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            codes = [r.get("Code", "None") for r in error.response.get("CancellationReasons", [])]
            if not {"ConditionalCheckFailed", "ValidationError"} & set(codes):
                raise StoreUnavailableError(
                    "Another change of the same items is under way; try again"
                ) from error
            raise CancelledError([code == "ConditionalCheckFailed" for code in codes]) from error

    def put_operation(self, pk: str, sk: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Put a new item within a transaction."""
        return {
            "Put": {
                "TableName": self._table,
                "Item": marshal_item({**attributes, "pk": pk, "sk": sk}),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

    def update_operation(
        self,
        pk: str,
        sk: str,
        changes: Mapping[str, Any],
        condition: str,
        values: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Set attributes of an item within a transaction, on a condition. Names are used as they are."""
        sets = ", ".join(f"#{name} = :set_{name}" for name in changes)
        return {
            "Update": {
                "TableName": self._table,
                "Key": _key(pk, sk),
                "UpdateExpression": f"SET {sets}",
                "ConditionExpression": condition,
                **_names_and_values(
                    condition,
                    {**values, **{f"set_{name}": v for name, v in changes.items()}},
                    changes,
                ),
            }
        }

    def check_operation(
        self, pk: str, sk: str, condition: str, values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Only a condition, within a transaction."""
        return {
            "ConditionCheck": {
                "TableName": self._table,
                "Key": _key(pk, sk),
                "ConditionExpression": condition,
                **_names_and_values(condition, values, ()),
            }
        }

    def _query(
        self,
        condition: str,
        values: Mapping[str, Any],
        *,
        newest_first: bool,
        limit: int | None,
        index: str | None = None,
    ) -> list[Item]:
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ScanIndexForward": not newest_first,
            **({"IndexName": index} if index else {"ConsistentRead": True}),
            **({"Limit": limit} if limit else {}),
        }
        found: list[Item] = []
        while True:
            page = self._db.query(**arguments)
            found += [plain_item(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page or (limit is not None and len(found) >= limit):
                return found[:limit]
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def unanswered(error: Exception) -> bool:
    """Whether a write may have landed although its answer never came."""
    return as_transient(error) is not None


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _names_and_values(
    condition: str, values: Mapping[str, Any], names: Sequence[str] | Mapping[str, Any]
) -> dict[str, Any]:
    """Placeholders of a condition: every `#name` stands for the attribute of that name."""
    words = (
        condition.replace("(", " ").replace(")", " ").replace(",", " ").replace(".", " ").split()
    )
    named = {word for word in words if word.startswith("#")} | {f"#{name}" for name in names}
    found: dict[str, Any] = {}
    if named:
        found["ExpressionAttributeNames"] = {name: name[1:] for name in sorted(named)}
    if values:
        found["ExpressionAttributeValues"] = marshal_item(
            {f":{name}": value for name, value in values.items()}
        )
    return found
