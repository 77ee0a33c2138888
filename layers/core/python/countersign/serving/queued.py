"""The messages between the prediction log's stream and its consumers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Queued:
    """One message: which prediction, of which use case. Its content is read from the log."""

    message_id: str
    prediction_id: str
    use_case: str


def read_messages(records: Iterable[Mapping[str, Any]]) -> tuple[list[Queued], list[str]]:
    """The readable messages of an SQS batch, and the ids of the others."""
    messages: list[Queued] = []
    failed: list[str] = []
    for record in records:
        identity = str(record["messageId"])
        try:
            body = json.loads(record["body"])
            messages.append(Queued(identity, str(body["prediction_id"]), str(body["use_case"])))
        except (ValueError, KeyError, TypeError):
            failed.append(identity)
    return messages, failed
