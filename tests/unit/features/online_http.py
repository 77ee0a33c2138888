"""DynamoDB's side of the wire, as a test wants it: answers in turn, and what was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from botocore.awsrequest import AWSResponse
from countersign.aws.session import client


@dataclass(frozen=True, slots=True)
class Answer:
    """What one attempt meets: an answer, or an error of the connection."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error: Exception | None = None


def refusal(code: str, status: int = 400) -> Answer:
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"}
    return Answer(json.dumps(body).encode(), status)


def altered(body: bytes = b"{}") -> Answer:
    """An answer whose bytes are not those that were sent."""
    return Answer(body, headers={"x-amz-crc32": str(crc32(body) ^ 1)})


@contextmanager
def meets(operation: str, *answers: Answer | None, where: str = "") -> Iterator[list[Any]]:
    """The next attempts at `operation` meet `answers`, the last one for ever; None is the real thing.

    Only requests that have `where` in their body count. Yields them.
    """
    asked: list[Any] = []

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        if where.encode() not in request.body:
            return None
        asked.append(request)
        given = answers[min(len(asked), len(answers)) - 1]
        if given is None:
            return None
        if given.error is not None:
            raise given.error
        request.url = "https://answered.invalid/"  # or moto would carry it out all the same
        headers: Any = given.headers
        return AWSResponse(request.url, given.status, headers, _Raw(given.body))

    events = client("dynamodb").meta.events
    events.register_first(f"before-send.dynamodb.{operation}", answer)
    try:
        yield asked
    finally:
        events.unregister(f"before-send.dynamodb.{operation}", answer)


@contextmanager
def carried_out_but_lost(error: Exception) -> Iterator[None]:
    """The next request is carried out; its caller sees `error`."""
    left = [error]

    def lose(**_: Any) -> None:
        if left:
            raise left.pop()

    events = client("dynamodb").meta.events
    events.register_last("before-send", lose)
    try:
        yield
    finally:
        events.unregister("before-send", lose)


class _Raw:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content
