"""Take a delivered file in, or put it aside with the reason beside it. Nothing stored is ever changed.

Actions: `accept` {key, etag?} for one object, `pending` {} lists objects without a record, so that a
lost event loses nothing.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from countersign import use_cases
from countersign.aws.deliveries import Deliveries
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.declare import Source
from countersign.errors import ContractError, RequestError
from countersign.features.catalogue import sources_of
from countersign.steps.ingest.file import Taken, explain, inspect, quarantine, store
from countersign.steps.ingest.whole import weigh


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`key` of an object in the raw bucket; `etag` when the event told it."""

    action: str = "accept"
    key: str = ""
    etag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of the file. `bad_rows` were quarantined; `reason` says why a file was."""

    key: str
    source: str
    status: str
    rows: int = 0
    bad_rows: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Keys that wait to be ingested, in order."""

    keys: list[str]


def run(request: Request, stores: Stores) -> Result | Pending:
    """Ingest one object, or list those that wait."""
    deliveries = Deliveries.of(stores)
    if request.action == "pending":
        return Pending(keys=deliveries.waiting([f"raw/{name}/" for name in sources()]))
    if request.action != "accept" or not request.key:
        raise RequestError("Expected action accept with a key, or action pending")
    etag = request.etag.strip('"') or deliveries.etag(request.key)
    done = deliveries.record(request.key, etag)
    if done is not None:
        return _result(request.key, {**done, "status": "duplicate", "reason": "ingested before"})
    record, profile = _ingest(request.key, stores, deliveries)
    deliveries.save(request.key, etag, record, profile)
    return _result(request.key, record)


def sources() -> dict[str, Source]:
    """Every source that any use case declares, also one that is trained only."""
    return sources_of(use_cases.registered())


def _ingest(key: str, stores: Stores, deliveries: Deliveries) -> tuple[dict[str, object], str]:
    """The record of the delivery, and its profile as JSON for the ones that follow."""
    now = stores.clock.now()
    source = sources().get(_source_name(key))
    with tempfile.TemporaryDirectory() as scratch:
        (path,) = stores.raw.download([key], Path(scratch))
        taken = inspect(source, path, key=key, now=now)
        first = deliveries.first_with(taken.source, taken.sha256)
        if first is not None and not taken.refused:
            taken.status, taken.reason = "duplicate", "the content was delivered before"
        else:
            _settle(key, stores, deliveries, taken)
        taken.close()
    return {**_facts(taken), "at": iso(now)}, json.dumps(taken.profile) if taken.profile else ""


def _settle(key: str, stores: Stores, deliveries: Deliveries, taken: Taken) -> None:
    """Store what is right as rows and as a whole; put aside and explain what is not."""
    if not taken.refused:
        weigh(taken, stores.lake, deliveries)
    if taken.refused:
        quarantine(stores.raw, taken, key=key, whole=True)
        return
    store(stores.lake, taken)
    if taken.bad_rows:
        quarantine(stores.raw, taken, key=key, whole=False)
    elif taken.warnings:
        explain(stores.raw, taken, key=key)


def _facts(taken: Taken) -> dict[str, object]:
    return {
        "source": taken.source,
        "status": taken.status,
        "rows": taken.rows,
        "bad_rows": taken.bad_rows,
        "duplicates": taken.duplicates,
        "synthetic": taken.synthetic,
        "sha256": taken.sha256,
        "reason": taken.reason,
        "warnings": taken.warnings,
        "lake_key": taken.lake_key,
    }


def _source_name(key: str) -> str:
    """`raw/<source>/…/<file>`. Raises ContractError."""
    parts = key.split("/")
    if len(parts) < 3 or parts[0] != "raw" or parts[1].startswith("_"):
        raise ContractError("Not a delivery's key; expected raw/<source>/ingest_date=…/<file>")
    return parts[1]


def _result(key: str, record: dict[str, object]) -> Result:
    return Result(
        key=key,
        source=str(record["source"]),
        status=str(record["status"]),
        rows=int(str(record["rows"])),
        bad_rows=int(str(record["bad_rows"])),
        reason=str(record["reason"]),
    )
