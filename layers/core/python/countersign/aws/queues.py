"""SQS behind the prediction stream."""

from __future__ import annotations

from typing import Any

BATCH = 10


class Queues:
    """Send messages in batches; returns what SQS refused so that it is sent again."""

    def __init__(self, sqs: Any) -> None:
        self._sqs = sqs

    def send(self, queue_url: str, bodies: dict[str, str]) -> list[str]:
        """Send each body under its id (80 characters at most); returns the ids that failed."""
        failed: list[str] = []
        items = list(bodies.items())
        for start in range(0, len(items), BATCH):
            batch = items[start : start + BATCH]
            entries = [{"Id": str(n), "MessageBody": body} for n, (_, body) in enumerate(batch)]
            answer = self._sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
            failed += [batch[int(item["Id"])][0] for item in answer.get("Failed", [])]
        return failed
