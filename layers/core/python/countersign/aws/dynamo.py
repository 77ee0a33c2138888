"""DynamoDB's hot calls, as JSON on the wire.

A call through botocore costs a third of a millisecond before anything travels: it resolves the endpoint
again, walks the service model twice and builds a request in five copies. Here a call is one JSON text
out and one back. Everything that is policy is still the client's own: its credentials and their
refresh, its endpoint, its HTTP session (TLS, proxies, timeouts, pool), its `before-send`, `needs-retry`
and `after-call` events (so its retries, with their jitter and quota) and its error classes.
"""

from __future__ import annotations

import json
import time
from binascii import a2b_base64, b2a_base64, crc32
from hashlib import sha256
from hmac import digest as hmac
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import BotoCoreError, ChecksumError, NoCredentialsError
from botocore.hooks import first_non_none_response
from botocore.parsers import ResponseParserError, create_parser

_TYPE = "application/x-amz-json-1.0"
_TARGET = "DynamoDB_20120810."
_CHECKSUM = "x-amz-crc32"
_PORTS = {"http": ":80", "https": ":443"}


def from_wire(value: str) -> bytes:
    """The bytes of a `B` attribute: they are base64 in an answer of `Dynamo.call`."""
    return a2b_base64(value)


def _to_wire(value: object) -> str:
    if isinstance(value, bytes):
        return b2a_base64(value, newline=False).decode()
    raise TypeError(f"DynamoDB holds no {type(value).__name__}")


_encode = json.JSONEncoder(
    allow_nan=False, check_circular=False, separators=(",", ":"), default=_to_wire
).encode


class Dynamo:
    """Calls by name through a boto3 client of DynamoDB, which stays usable for all the others."""

    def __init__(self, client: Any) -> None:
        # The only two things that a client has and does not show.
        self._credentials = client._request_signer._credentials
        self._http = client._endpoint.http_session
        self._events = client.meta.events
        self._model = client.meta.service_model
        self._errors = client.exceptions
        self._agent = client.meta.config.user_agent or "countersign"
        self._url = client.meta.endpoint_url.rstrip("/") + "/"
        self._signer = Signer(self._url, client.meta.region_name)

    def call(self, operation: str, parameters: dict[str, Any]) -> Any:
        """The answer to `operation`, as it came: a `B` attribute is base64 (see `from_wire`).

        `parameters` are those of the client's method, a `B` attribute as bytes.

        Raises
        ------
        ClientError        what DynamoDB refused: the client's own class for its code
        BotoCoreError      it was not reached, or its answer was not whole
        """
        body = _encode(parameters).encode()
        context: dict[str, Any] = {}
        attempts = 0
        while True:
            attempts += 1
            response, failure = None, None
            try:
                response = self._send(operation, body)
                answer = _whole(response)
            except BotoCoreError as error:
                failure = error
            if response is not None and failure is None and response.status_code == 200:
                self._events.emit(
                    f"after-call.dynamodb.{operation}",
                    http_response=response, parsed=answer, context=context,
                    model=self._model.operation_model(operation),
                )  # fmt: skip
                return answer
            self._pause_or_raise(operation, attempts, response, failure, context)

    def _send(self, operation: str, body: bytes) -> Any:
        if self._credentials is None:
            raise NoCredentialsError
        headers: Any = self._signer.headers(
            _TARGET + operation, body, self._credentials.get_frozen_credentials(), time.gmtime()
        )
        headers["User-Agent"] = self._agent
        request = AWSPreparedRequest("POST", self._url, headers, body, stream_output=False)
        answers = self._events.emit(f"before-send.dynamodb.{operation}", request=request)
        canned = first_non_none_response(answers)
        return self._http.send(request) if canned is None else canned

    def _pause_or_raise(
        self,
        operation: str,
        attempts: int,
        response: Any,
        failure: BotoCoreError | None,
        context: dict[str, Any],
    ) -> None:
        """Wait as long as the client's retry policy says, or raise what went wrong."""
        model = self._model.operation_model(operation)
        parsed = None if response is None else self._parse_error(model, response)
        answers = self._events.emit(
            f"needs-retry.dynamodb.{operation}",
            response=None if response is None else (response, parsed),
            endpoint=None,
            operation=model,
            attempts=attempts,
            caught_exception=failure,
            request_dict={"context": context},
        )
        delay = first_non_none_response(answers)
        if delay is None or delay is False:
            if failure is not None:
                raise failure
            assert parsed is not None
            raise self._errors.from_code(parsed["Error"]["Code"])(parsed, operation)
        time.sleep(delay)

    def _parse_error(self, model: Any, response: Any) -> dict[str, Any]:
        """What botocore makes of an error: code, message, and the fields its shape declares."""
        if response.status_code == 200:
            return {}
        told = {
            "status_code": response.status_code,
            "headers": response.headers,
            "body": response.content,
            "context": {},
        }
        parser = create_parser("json")
        parsed: dict[str, Any] = parser.parse(told, model.output_shape)
        shape = self._model.shape_for_error_code(parsed["Error"]["Code"])
        if shape is not None:
            parsed.update(parser.parse(told, shape))
        return parsed


def _whole(response: Any) -> Any:
    """The document of a 200, once its checksum holds."""
    if response.status_code != 200:
        return None
    content = response.content
    expected = response.headers.get(_CHECKSUM)
    if expected is not None and crc32(content) != int(expected):
        raise ChecksumError(
            checksum_type="crc32", expected_checksum=expected, actual_checksum=str(crc32(content))
        )
    try:
        return json.loads(content)
    except ValueError as error:
        raise ResponseParserError("DynamoDB answered with something that is not JSON") from error


class Signer:
    """Signature Version 4 of a POST to DynamoDB, the derived key kept for the day."""

    def __init__(self, url: str, region: str) -> None:
        parts = urlsplit(url)
        self._path = parts.path or "/"
        self._host = parts.netloc.removesuffix(_PORTS.get(parts.scheme, "\0"))
        self._region = region
        self._key: tuple[str, str, bytes] = ("", "", b"")

    def headers(
        self, target: str, body: bytes, credentials: Any, now: time.struct_time
    ) -> dict[str, str]:
        """The headers of a signed request. `credentials` are frozen; `now` is UTC."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", now)
        headers = {"Content-Type": _TYPE, "X-Amz-Date": stamp, "X-Amz-Target": target}
        lines = f"content-type:{_TYPE}\nhost:{self._host}\nx-amz-date:{stamp}\n"
        signed = "content-type;host;x-amz-date;"
        if credentials.token:
            headers["X-Amz-Security-Token"] = credentials.token
            lines += f"x-amz-security-token:{credentials.token}\n"
            signed += "x-amz-security-token;"
        lines += f"x-amz-target:{target}\n"
        signed += "x-amz-target"
        asked = f"POST\n{self._path}\n\n{lines}\n{signed}\n{sha256(body).hexdigest()}"
        scope = f"{stamp[:8]}/{self._region}/dynamodb/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(asked.encode()).hexdigest()}"
        key = self._derived(stamp[:8], credentials.secret_key)
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={signed}, Signature={hmac(key, text.encode(), 'sha256').hex()}"
        )
        return headers

    def _derived(self, day: str, secret: str) -> bytes:
        known = self._key
        if known[0] == day and known[1] == secret:
            return known[2]
        key = f"AWS4{secret}".encode()
        for part in (day, self._region, "dynamodb", "aws4_request"):
            key = hmac(key, part.encode(), "sha256")
        self._key = (day, secret, key)
        return key
