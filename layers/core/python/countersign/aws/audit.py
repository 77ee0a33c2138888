"""The audit log: one hash chain per scope, added to by conditional puts and never changed.

A scope is a use case or a part of the platform. Which scopes there are is itself a chain (`_scopes`),
so that a chain which vanished whole is missed. Heads are sealed into a bucket with Object Lock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from countersign.aws.lake import Lake
from countersign.clock import Clock, iso
from countersign.errors import StoreUnavailableError
from countersign.governance.audit_chain import (
    ChainReport,
    Entry,
    Head,
    link,
    verify_chain,
)

SCOPES = "_scopes"
_RACES = 25


class Audit:
    """Append, read and verify. The role of a function may put items here, and nothing else."""

    def __init__(self, dynamodb: Any, table: str, clock: Clock) -> None:
        self._db = dynamodb
        self._table = table
        self._clock = clock

    def append(
        self,
        scope: str,
        action: str,
        actor: str,
        facts: Mapping[str, Any] | None = None,
        *,
        once: str = "",
    ) -> Entry:
        """Add an entry to the chain of `scope`; writers that race line up.

        With `once`, a second append under the same key adds nothing and returns the first entry: what
        is done again after a lost acknowledgement is told once.
        """
        if scope != SCOPES and self._last(scope) is None:
            self.append(SCOPES, "scope-opened", "countersign", {"scope": scope}, once=scope)
        for _ in range(_RACES):
            if once and (done := self._once(scope, once)):
                return done
            entry = link(
                scope=scope,
                last=self._last(scope),
                at=iso(self._clock.now()),
                actor=actor,
                action=action,
                facts=facts or {},
            )
            if self._put(entry, once):
                return entry
        raise StoreUnavailableError(f"The audit chain of {scope} is busy; try again")

    def entries(self, scope: str, *, after: int = 0, limit: int | None = None) -> list[Entry]:
        """The chain in order, from the entry after `after`."""
        found: list[Entry] = []
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :scope AND seq > :after",
            "ExpressionAttributeValues": {":scope": {"S": scope}, ":after": {"N": str(after)}},
            "ConsistentRead": True,
        }
        while True:
            page = self._db.query(**arguments)
            found += [_entry(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page or (limit is not None and len(found) >= limit):
                return found[:limit]
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def scopes(self) -> list[str]:
        """Every scope that was ever opened, and the chain of scopes itself."""
        opened = [json.loads(e.facts)["scope"] for e in self.entries(SCOPES)]
        return [SCOPES, *sorted(set(opened))]

    def head(self, scope: str) -> Head:
        """The last link; seq 0 when nothing was ever written."""
        last = self._last(scope)
        return Head(seq=last.seq, hash=last.hash) if last else Head(seq=0, hash="")

    def verify(self, scope: str, sealed: Sequence[Head] = ()) -> ChainReport:
        """Recompute the chain and hold it against its sealed heads.

        Reports the first edit, drop, reorder or truncation, with the `seq` where it is.
        """
        return verify_chain(scope, self.entries(scope), sealed)

    def _last(self, scope: str) -> Entry | None:
        page = self._db.query(
            TableName=self._table,
            KeyConditionExpression="pk = :scope AND seq > :zero",
            ExpressionAttributeValues={":scope": {"S": scope}, ":zero": {"N": "0"}},
            ScanIndexForward=False,
            Limit=1,
            ConsistentRead=True,
        )
        return _entry(page["Items"][0]) if page["Items"] else None

    def _once(self, scope: str, key: str) -> Entry | None:
        marker = self._db.get_item(
            TableName=self._table, Key=_once_key(scope, key), ConsistentRead=True
        ).get("Item")
        if marker is None:
            return None
        seq = int(marker["entry_seq"]["N"])
        return self.entries(scope, after=seq - 1, limit=1)[0]

    def _put(self, entry: Entry, once: str) -> bool:
        """Put the entry, and the marker of `once`; False when another writer was first."""
        puts = [_put_new(self._table, _item(entry))]
        if once:
            marker = _once_key(entry.scope, once) | {"entry_seq": {"N": str(entry.seq)}}
            puts.append(_put_new(self._table, marker))
        try:
            self._db.transact_write_items(TransactItems=puts)
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            return False
        return True


class Seals:
    """Heads of the chains in the locked bucket: `heads/<date>/<moment>.json`, written and never changed."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._lake = Lake(s3, bucket)
        self._s3 = s3

    def write(self, heads: Mapping[str, Head], sealed_at: str) -> tuple[str, bool]:
        """Seal `heads`; returns the key, and whether the object is locked in compliance mode.

        The bucket's default retention locks every object for the environment's years.
        """
        key = f"heads/{sealed_at[:10]}/{sealed_at}.json"
        document = {scope: {"seq": h.seq, "hash": h.hash} for scope, h in heads.items()}
        self._lake.write_json(key, {"sealed_at": sealed_at, "heads": document})
        stored = self._s3.head_object(Bucket=self._lake.bucket, Key=key)
        return key, stored.get("ObjectLockMode") == "COMPLIANCE"

    def heads(self, scope: str) -> list[Head]:
        """Every sealed head of `scope`, oldest first."""
        found = []
        for key in self._lake.keys("heads/"):
            seal = self._lake.read_json(key)
            if scope in seal["heads"]:
                found.append(Head(**seal["heads"][scope], sealed_at=seal["sealed_at"]))
        return found


def _once_key(scope: str, key: str) -> dict[str, Any]:
    return {"pk": {"S": f"once#{scope}#{key}"}, "seq": {"N": "0"}}


def _put_new(table: str, item: dict[str, Any]) -> dict[str, Any]:
    return {
        "Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
    }


def _item(entry: Entry) -> dict[str, Any]:
    texts = ("prev_hash", "hash", "at", "actor", "action", "facts")
    return {
        "pk": {"S": entry.scope},
        "seq": {"N": str(entry.seq)},
        **{name: {"S": getattr(entry, name)} for name in texts},
    }


def _entry(item: Mapping[str, Any]) -> Entry:
    texts = ("prev_hash", "hash", "at", "actor", "action", "facts")
    return Entry(
        scope=item["pk"]["S"],
        seq=int(item["seq"]["N"]),
        **{name: item[name]["S"] for name in texts},
    )
