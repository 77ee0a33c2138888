"""What was delivered: one record per object and content, so that a file is ingested once.

Records are items of the registry table: pk `delivery#<key>`, sk the ETag; and pk
`delivery#<source>`, sk `content#<sha256>`, which names the object that brought this content first,
and sk `profile#<at>#<sha256>`, which says what it looked like as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from countersign.aws.attributes import marshal_item, plain_item
from countersign.aws.session import client
from countersign.aws.stores import Stores
from countersign.errors import NotFoundError

_BATCH = 100


class Deliveries:
    """Raw objects and their ingest records."""

    def __init__(self, dynamodb: Any, s3: Any, *, table: str, bucket: str) -> None:
        self._db, self._s3 = dynamodb, s3
        self._table, self._bucket = table, bucket

    @classmethod
    def of(cls, stores: Stores) -> Deliveries:
        """The deliveries of this worker's environment."""
        settings = stores.settings
        return cls(
            client("dynamodb"),
            client("s3"),
            table=settings.require("registry_table"),
            bucket=settings.require("raw_bucket"),
        )

    def etag(self, key: str) -> str:
        """The ETag of the raw object at `key`. Raises NotFoundError."""
        try:
            return _bare(self._s3.head_object(Bucket=self._bucket, Key=key)["ETag"])
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
                raise NotFoundError(f"No object at {key}") from error
            raise

    def waiting(self, prefixes: list[str]) -> list[str]:
        """Keys below `prefixes` without a record of their present content, in order."""
        found = [item for prefix in prefixes for item in self._objects(prefix)]
        waiting = []
        for start in range(0, len(found), _BATCH):
            batch = found[start : start + _BATCH]
            recorded = self._recorded(batch)
            waiting += [key for key, etag in batch if (f"delivery#{key}", etag) not in recorded]
        return waiting

    def record(self, key: str, etag: str) -> dict[str, Any] | None:
        """What became of this object, or None."""
        return self._get(f"delivery#{key}", etag)

    def first_with(self, source: str, sha256: str) -> str | None:
        """The key of the accepted object that brought this content, or None."""
        found = self._get(f"delivery#{source}", f"content#{sha256}")
        return None if found is None else str(found["key"])

    def profiles(self, source: str, *, most: int = 8) -> list[str]:
        """What the last accepted deliveries of `source` looked like as a whole, newest first."""
        found = self._db.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues=marshal_item(
                {":pk": f"delivery#{source}", ":sk": "profile#"}
            ),
            ScanIndexForward=False,
            Limit=most,
        )
        return [str(plain_item(item)["profile"]) for item in found["Items"]]

    def save(self, key: str, etag: str, record: Mapping[str, Any], profile: str = "") -> None:
        """Write the record of an object; for an accepted one, of its content and its profile first."""
        if record["status"] == "accepted" and profile:
            item = {
                "pk": f"delivery#{record['source']}",
                "sk": f"profile#{record['at']}#{record['sha256']}",
            }
            self._put({**item, "profile": profile})
        if record["status"] == "accepted":
            content = {"pk": f"delivery#{record['source']}", "sk": f"content#{record['sha256']}"}
            self._put({**content, "key": key, "at": record["at"]})
        self._put({**record, "pk": f"delivery#{key}", "sk": etag})

    def _objects(self, prefix: str) -> list[tuple[str, str]]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        return [
            (item["Key"], _bare(item["ETag"]))
            for page in pages
            for item in page.get("Contents", [])
        ]

    def _recorded(self, batch: list[tuple[str, str]]) -> set[tuple[str, str]]:
        keys = [marshal_item({"pk": f"delivery#{key}", "sk": etag}) for key, etag in batch]
        asked: dict[str, Any] = {self._table: {"Keys": keys, "ProjectionExpression": "pk, sk"}}
        found: set[tuple[str, str]] = set()
        while asked:
            answer = self._db.batch_get_item(RequestItems=asked)
            items = answer["Responses"].get(self._table, [])
            found |= {(item["pk"]["S"], item["sk"]["S"]) for item in items}
            asked = answer.get("UnprocessedKeys") or {}
        return found

    def _get(self, pk: str, sk: str) -> dict[str, Any] | None:
        key = marshal_item({"pk": pk, "sk": sk})
        found = self._db.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return plain_item(found["Item"]) if "Item" in found else None

    def _put(self, item: Mapping[str, Any]) -> None:
        self._db.put_item(TableName=self._table, Item=marshal_item(item))


def _bare(etag: str) -> str:
    return etag.strip('"')
