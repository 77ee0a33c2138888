"""The online store's canary: it writes an item of its own and reads it back, as a request would.

The item is pk `canary#monitor`, of no entity that anybody scores. Times are of the wall clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from countersign.aws.online import Key, OnlineRow, OnlineStore
from countersign.clock import iso
from countersign.errors import CountersignError

ENTITY, IDENTITY, VIEW = "canary", "monitor", "probe"
KEY: Key = (ENTITY, IDENTITY, VIEW)
# An item that nobody renews does not stay.
KEPT = timedelta(days=1)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether the store did its part, which error it gave instead, and milliseconds of what it did.

    `lookup_ms` is of a read as scoring makes it, on a warm connection.
    """

    available: bool
    error: str = ""
    write_ms: float | None = None
    consistent_ms: float | None = None
    lookup_ms: float | None = None


def probe(online: OnlineStore, now: datetime) -> Probe:
    """One write, one strongly consistent read of what was written, one read as a request makes it."""
    spent: dict[str, float] = {}

    def timed(name: str, call: Callable[[], _T]) -> _T:
        started = time.perf_counter()
        answer = call()
        spent[name] = round((time.perf_counter() - started) * 1000, 3)
        return answer

    try:
        timed("write_ms", lambda: online.write(ENTITY, VIEW, [(IDENTITY, _row(now))]))
        found = timed("consistent_ms", lambda: online.read([KEY], consistent=True))[0]
        timed("lookup_ms", lambda: online.read([KEY]))
    except (CountersignError, ClientError, BotoCoreError) as error:
        return _told(_name(error), spent)
    # A write never replaces a newer row, so a newer one is as good.
    standing = found.get(KEY)
    stands = standing is not None and standing.event_at >= iso(now)
    return _told("" if stands else "NotWhatWasWritten", spent)


def _told(error: str, spent: Mapping[str, float]) -> Probe:
    return Probe(
        not error,
        error,
        write_ms=spent.get("write_ms"),
        consistent_ms=spent.get("consistent_ms"),
        lookup_ms=spent.get("lookup_ms"),
    )


def _row(now: datetime) -> OnlineRow:
    moment = iso(now)
    return OnlineRow(
        packed=b"canary",
        event_at=moment,
        known=moment,
        built=moment,
        digest="canary",
        expires=int((now + KEPT).timestamp()),
    )


def _name(error: Exception) -> str:
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    return str(code) or type(error).__name__
