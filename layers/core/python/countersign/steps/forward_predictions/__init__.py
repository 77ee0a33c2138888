"""From the predictions stream to the queues, and nothing else.

Messages carry ids, not pay data: the consumers read the entry itself, so order and age do not matter.
A failed send raises, and the stream delivers the batch again; the consumers are idempotent.
"""

from __future__ import annotations

import json
from typing import Any

from countersign.aws.stores import Stores
from countersign.errors import StoreUnavailableError


def run(records: list[dict[str, Any]], stores: Stores) -> list[str]:
    """Queue each new prediction for shadows and archive, each new outcome for the archive."""
    inserted = [record for record in records if record["eventName"] == "INSERT"]
    judged = [record for record in records if _has_new_outcome(record)]
    _send(stores, "shadow_queue_url", inserted)
    _send(stores, "archive_queue_url", inserted + judged)
    return []


def _send(stores: Stores, queue: str, records: list[dict[str, Any]]) -> None:
    bodies = dict(map(_message, records))
    if not bodies:
        return
    failed = stores.queues.send(stores.settings.require(queue), bodies)
    if failed:
        raise StoreUnavailableError(f"{len(failed)} of {len(bodies)} messages were not queued")


def _message(record: dict[str, Any]) -> tuple[str, str]:
    change = record["dynamodb"]
    identity = str(change["Keys"]["prediction_id"]["S"])
    use_case = str(change["NewImage"]["use_case"]["S"])
    body = json.dumps({"prediction_id": identity, "use_case": use_case}, separators=(",", ":"))
    return identity, body


def _has_new_outcome(record: dict[str, Any]) -> bool:
    if record["eventName"] != "MODIFY":
        return False
    images = record["dynamodb"]
    outcome = images["NewImage"].get("outcome")
    return outcome is not None and outcome != images.get("OldImage", {}).get("outcome")
