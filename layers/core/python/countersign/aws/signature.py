"""Signature Version 4 of a call to DynamoDB, as AWS specifies it."""

from __future__ import annotations

import time
from hashlib import sha256
from hmac import digest
from typing import Any
from urllib.parse import urlsplit

_TYPE = "application/x-amz-json-1.0"
_TARGET = "DynamoDB_20120810."
_PORTS = {"http": ":80", "https": ":443"}


class Signer:
    """Signs for one endpoint; what changes by the second or by the day is computed as often.

    Source
    ------
    AWS, Signature Version 4 signing process. `tests/unit/features/test_online_wire.py` holds it against
    botocore's.
    """

    def __init__(self, url: str, region: str) -> None:
        parts = urlsplit(url)
        self._path = parts.path or "/"
        self._host = parts.netloc.removesuffix(_PORTS.get(parts.scheme, "\0"))
        self._region = region
        # Replaced whole, so that threads need no lock.
        self._moment: tuple[int, str, str] = (-1, "", "")
        self._key: tuple[str, str, bytes] = ("", "", b"")

    def headers(self, operation: str, body: bytes, credentials: Any, now: int) -> dict[str, str]:
        """The headers of the signed POST. `credentials` are frozen ones; `now` is in epoch seconds."""
        stamp, scope = self._stamp(now)
        target = _TARGET + operation
        headers = {"Content-Type": _TYPE, "X-Amz-Date": stamp, "X-Amz-Target": target}
        token, names = "", "content-type;host;x-amz-date;x-amz-target"
        if credentials.token:
            headers["X-Amz-Security-Token"] = credentials.token
            token = f"x-amz-security-token:{credentials.token}\n"
            names = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
        request = (
            f"POST\n{self._path}\n\ncontent-type:{_TYPE}\nhost:{self._host}\nx-amz-date:{stamp}\n"
            f"{token}x-amz-target:{target}\n\n{names}\n{sha256(body).hexdigest()}"
        )
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(request.encode()).hexdigest()}"
        key = self._derived(scope, credentials.secret_key)
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={digest(key, text.encode(), 'sha256').hex()}"
        )
        return headers

    def _stamp(self, now: int) -> tuple[str, str]:
        second, stamp, scope = self._moment
        if second != now:
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
            scope = f"{stamp[:8]}/{self._region}/dynamodb/aws4_request"
            self._moment = (now, stamp, scope)
        return stamp, scope

    def _derived(self, scope: str, secret: str) -> bytes:
        """The key of the day, kept."""
        of, whose, key = self._key
        if (of, whose) != (scope, secret):
            key = f"AWS4{secret}".encode()
            for part in scope.split("/"):
                key = digest(key, part.encode(), "sha256")
            self._key = (scope, secret, key)
        return key
