"""The online store: the latest value of each view and entity, in one packed attribute.

An item is pk `<entity>#<id>`, sk `<view>`. A write never replaces a newer (event_time, known_at). A
read answers whole or not at all, and drops expired items itself: DynamoDB deletes them days later.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from countersign.aws.attributes import marshal_item, plain, plain_item
from countersign.aws.dynamo import Dynamo, from_wire, to_wire
from countersign.aws.faults import as_transient
from countersign.aws.lanes import in_lanes
from countersign.aws.settings import Settings
from countersign.clock import Clock, iso, parse_iso
from countersign.errors import StoreUnavailableError


@dataclass(frozen=True, slots=True)
class Carried:
    """An id that the caller does not know: the one the first row that names `column` carries."""

    column: str


Key = tuple[str, str | Carried, str]  # (entity, id, view)

_MOST_KEYS = 100
_WRITERS = 12
_PAUSE_SECONDS = 0.005
# Newer by its clocks; or the same moment, computed again later from facts that arrived since; or at the
# very same time by two builds at once, of which readers of history take the greater digest.
_NEWER = (
    "attribute_not_exists(pk) OR event_time < :e OR (event_time = :e AND known_at < :k) "
    "OR (event_time = :e AND known_at = :k AND built_at < :b) "
    "OR (event_time = :e AND known_at = :k AND built_at = :b AND digest < :d)"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the registry says of a use case now: its pointer, and the block that an alert raised."""

    pointer: dict[str, Any] | None
    block: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class OnlineRow:
    """One view's row of one entity. `packed` is for `features.packing`; times are ISO-8601 UTC.

    `ids`: ids of other entities, by column. `expires`: epoch seconds.
    """

    packed: bytes
    event_at: str
    known: str
    built: str
    digest: str
    expires: int
    ids: Mapping[str, str] = field(default_factory=dict)
    written: str = ""

    @property
    def event_time(self) -> datetime:
        """The moment from which the value held."""
        return parse_iso(self.event_at)

    @property
    def known_at(self) -> datetime:
        """The moment at which it was known."""
        return parse_iso(self.known)


class OnlineStore:
    """Reads for scoring, conditional writes for materialization."""

    def __init__(self, dynamodb: Any, settings: Settings, clock: Clock) -> None:
        self._db = dynamodb
        self._dynamo = Dynamo(dynamodb)
        self._settings = settings
        self._clock = clock

    def read(
        self,
        keys: Sequence[Key],
        *,
        with_standing: str | None = None,
        consistent: bool = False,
        deadline_ms: float = 1000.0,
    ) -> tuple[dict[Key, OnlineRow], Standing | None]:
        """The rows that stand at `keys`, and how the use case `with_standing` stands.

        One BatchGetItem over both tables; a second one for keys whose id another row carries. Keys
        without an unexpired row are absent from the answer.

        Raises
        ------
        StoreUnavailableError      not everything was answered within the deadline; try again
        """
        give_up_at = time.monotonic() + deadline_ms / 1000
        known = {key: key[1] for key in keys if isinstance(key[1], str)}
        found, standing = self._read(known, with_standing, consistent, give_up_at)
        ids: dict[str, str] = {}
        for row in found.values():
            ids = {**row.ids, **ids}
        carried = {
            key: ids[key[1].column]
            for key in keys
            if isinstance(key[1], Carried) and key[1].column in ids
        }
        if carried:
            found |= self._read(carried, None, consistent, give_up_at)[0]
        return found, standing

    def write(self, entity: str, view: str, rows: Iterable[tuple[str, OnlineRow]]) -> list[bool]:
        """Write each (id, row) unless a newer one stands; which were written, in order.

        Raises
        ------
        StoreUnavailableError      a write was not carried out; those before may have been
        """
        now = iso(self._clock.now())

        def put(identity: str, row: OnlineRow) -> bool:
            return self._put(f"{entity}#{identity}", view, row, now)

        return in_lanes(rows, put, lanes=_WRITERS)

    def progress(self, view: str, part: str) -> dict[str, Any]:
        """How far materialization of a part of `view` has come; empty when it never ran."""
        key = marshal_item({"pk": f"watermark#{view}", "sk": part})
        answer = self._db.get_item(TableName=self._online, Key=key, ConsistentRead=True)
        return plain_item(answer["Item"]) if "Item" in answer else {}

    def parts(self, view: str) -> list[str]:
        """The parts of `view` that were ever brought online, by whatever division into buckets."""
        pages = self._db.get_paginator("query").paginate(
            TableName=self._online,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"watermark#{view}"}},
            ConsistentRead=True,
        )
        return [item["sk"]["S"] for page in pages for item in page["Items"]]

    def save_progress(self, view: str, part: str, progress: Mapping[str, str]) -> None:
        """Remember how far it has come."""
        item = marshal_item({**progress, "pk": f"watermark#{view}", "sk": part})
        self._db.put_item(TableName=self._online, Item=item)

    @property
    def _online(self) -> str:
        return self._settings.require("online_table")

    def _put(self, pk: str, sk: str, row: OnlineRow, now: str) -> bool:
        item: dict[str, Any] = {
            "pk": {"S": pk},
            "sk": {"S": sk},
            "v": to_wire(row.packed),
            "event_time": {"S": row.event_at},
            "known_at": {"S": row.known},
            "built_at": {"S": row.built},
            "written_at": {"S": now},
            "digest": {"S": row.digest},
            "ttl": {"N": str(row.expires)},
            "ids": {"M": {name: {"S": value} for name, value in row.ids.items()}},
        }
        put = {
            "TableName": self._online,
            "Item": item,
            "ConditionExpression": _NEWER,
            "ExpressionAttributeValues": {
                ":e": item["event_time"],
                ":k": item["known_at"],
                ":b": item["built_at"],
                ":d": item["digest"],
            },
        }
        try:
            self._dynamo.call("PutItem", put)
        except (ClientError, BotoCoreError) as error:
            if _code(error) == "ConditionalCheckFailedException":
                return False
            _raise_transient(error)
            raise
        return True

    def _read(
        self,
        keys: Mapping[Key, str],
        use_case: str | None,
        consistent: bool,
        give_up_at: float,
    ) -> tuple[dict[Key, OnlineRow], Standing | None]:
        places = {(f"{key[0]}#{identity}", key[2]): key for key, identity in keys.items()}
        items = self._batch_get(self._request(places, use_case, consistent), give_up_at)
        now = self._clock.now().timestamp()
        rows = {}
        for item in items.get(self._online, []):
            row = _row(item)
            if row.expires > now:
                rows[places[item["pk"]["S"], item["sk"]["S"]]] = row
        if use_case is None:
            return rows, None
        held = {item["pk"]["S"]: item for item in items.get(self._settings.registry_table, [])}
        pointer, block = (held.get(pk) for pk in _standing_keys(use_case))
        return rows, Standing(
            plain_item(pointer) if pointer else None, plain_item(block) if block else None
        )

    def _request(
        self, places: Iterable[tuple[str, str]], use_case: str | None, consistent: bool
    ) -> dict[str, Any]:
        keys = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in places]
        if len(keys) > _MOST_KEYS - 2:
            raise ValueError(f"at most {_MOST_KEYS - 2} keys in one read")
        asked: dict[str, Any] = {}
        if keys:
            asked[self._online] = {"Keys": keys, "ConsistentRead": consistent}
        if use_case is not None:
            asked[self._settings.require("registry_table")] = {
                "Keys": [
                    {"pk": {"S": pk}, "sk": {"S": sk}}
                    for pk, sk in _standing_keys(use_case).items()
                ],
                "ConsistentRead": consistent,
            }
        return asked

    def _batch_get(self, asked: dict[str, Any], give_up_at: float) -> dict[str, list[Any]]:
        """Every item, unprocessed keys asked for again, or an error when the time is over."""
        items: dict[str, list[Any]] = {}
        while asked:
            if time.monotonic() >= give_up_at:
                raise StoreUnavailableError("The online store did not answer whole in time")
            try:
                answer = self._dynamo.call("BatchGetItem", {"RequestItems": asked})
            except (ClientError, BotoCoreError) as error:
                _raise_transient(error)
                raise
            for table, found in answer["Responses"].items():
                items.setdefault(table, []).extend(found)
            asked = answer.get("UnprocessedKeys") or {}
            if asked:
                time.sleep(_PAUSE_SECONDS)
        return items


def _standing_keys(use_case: str) -> dict[str, str]:
    """Where the pointer and the block of a use case lie in the registry, in this order."""
    return {f"model#{use_case}": "pointer", f"block#{use_case}": "state"}


def _row(item: Mapping[str, Any]) -> OnlineRow:
    return OnlineRow(
        packed=from_wire(item["v"]),
        event_at=item["event_time"]["S"],
        known=item["known_at"]["S"],
        built=item["built_at"]["S"],
        digest=item["digest"]["S"],
        expires=int(item["ttl"]["N"]),
        ids=plain(item["ids"]) if "ids" in item else {},
        written=item["written_at"]["S"],
    )


def _raise_transient(error: Exception) -> None:
    transient = as_transient(error)
    if transient is not None:
        raise transient from error


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""
