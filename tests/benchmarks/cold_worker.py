"""A scoring worker in a process of its own, AWS canned from a folder: prints its first answer, then its modules."""

from __future__ import annotations

import base64
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


def main(place: Path) -> None:
    from botocore.awsrequest import AWSResponse

    from functions.score import handler

    class Raw:
        def __init__(self, content: bytes) -> None:
            self._content = content

        def stream(self, *_: Any, **__: Any) -> Any:
            yield self._content

        def read(self, *_: Any, **__: Any) -> bytes:
            content, self._content = self._content, b""
            return content

    def given(content: bytes, kind: str) -> Any:
        headers: Any = {"Content-Type": kind, "Content-Length": str(len(content))}
        return lambda request, **_: AWSResponse(request.url, 200, headers, Raw(content))

    def stored(request: Any, **_: Any) -> Any:
        name = urlsplit(request.url).path.rpartition("/")[2]
        return given((place / name).read_bytes(), "binary/octet-stream")(request)

    def verified(request: Any, **_: Any) -> Any:
        asked = json.loads(request.body)
        assert base64.b64decode(asked["Signature"]) == (place / "manifest.sig").read_bytes()
        answer = {"KeyId": asked["KeyId"], "SignatureValid": True}
        return given(json.dumps(answer).encode(), "application/x-amz-json-1.1")(request)

    from countersign import entry
    from countersign.aws.session import client
    from countersign.clock import FixedClock

    json_type = "application/x-amz-json-1.0"
    read = given((place / "read.json").read_bytes(), json_type)
    client("dynamodb").meta.events.register_first("before-send.dynamodb.BatchGetItem", read)
    written = given(b"{}", json_type)
    client("dynamodb").meta.events.register_first("before-send.dynamodb.PutItem", written)
    client("s3").meta.events.register_first("before-send.s3.GetObject", stored)
    client("kms").meta.events.register_first("before-send.kms.Verify", verified)
    moment = float((place / "now").read_text())
    entry.worker_stores().clock = FixedClock(datetime.fromtimestamp(moment, UTC))
    event = json.loads((place / "event.json").read_text())
    answer = handler.handler(event, None)
    sys.stdout.write(f"answer: {json.dumps(answer)}\n")
    sys.stdout.flush()
    sys.stdout.write(json.dumps(sorted({name.split(".")[0] for name in sys.modules})) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
