"""Answers of DynamoDB, recorded once and given again at the HTTP layer: nothing travels, nobody computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from zlib import crc32

from botocore.awsrequest import AWSResponse


@contextmanager
def recorded(operation: str) -> Iterator[list[bytes]]:
    """Collects the bodies of the answers to `operation` that arrive meanwhile."""
    from countersign.aws.session import client

    seen: list[bytes] = []

    def remember(http_response: Any, **_: Any) -> None:
        seen.append(http_response.content)

    events = client("dynamodb").meta.events
    events.register(f"after-call.dynamodb.{operation}", remember)
    try:
        yield seen
    finally:
        events.unregister(f"after-call.dynamodb.{operation}", remember)


def answer_with(operation: str, body: bytes) -> None:
    """From now on `operation` is answered with `body`, and with the headers of DynamoDB."""
    from countersign.aws.session import client

    client("dynamodb").meta.events.register_first(f"before-send.dynamodb.{operation}", _given(body))


def _given(body: bytes) -> Callable[..., AWSResponse]:
    headers: Any = {
        "Server": "Server",
        "Date": "Sat, 21 Nov 2026 05:47:00 GMT",
        "Content-Type": "application/x-amz-json-1.0",
        "Content-Length": str(len(body)),
        "Connection": "keep-alive",
        "x-amzn-RequestId": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEF",
        "x-amz-crc32": str(crc32(body)),
    }

    def answer(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, 200, headers, _Raw(body))

    return answer


class _Raw:
    """A response's body as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content
