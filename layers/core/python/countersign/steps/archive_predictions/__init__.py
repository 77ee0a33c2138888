"""From the archive queue to the lake: exactly one row per prediction, with the outcome that stands."""

from __future__ import annotations

from typing import Any

from countersign.aws.stores import Stores
from countersign.serving.archive import archive_key, parquet_rows
from countersign.serving.queued import read_messages


def run(records: list[dict[str, Any]], stores: Stores) -> list[str]:
    """Write each named prediction's row as it stands now, then start its last 90 days.

    Returns the message ids to be delivered again: unreadable ones, those of no known prediction, and
    those whose outcome changed meanwhile.
    """
    messages, failed = read_messages(records)
    entries = stores.predictions.get_many([m.prediction_id for m in messages])
    archived: set[str] = set()
    for prediction, content in parquet_rows(entries.values()):
        stores.lake.put(archive_key(prediction), content)
        if stores.predictions.mark_archived(prediction):
            archived.add(prediction.prediction_id)
    return failed + [m.message_id for m in messages if m.prediction_id not in archived]
