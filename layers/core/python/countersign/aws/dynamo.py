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
from collections.abc import Mapping
from typing import Any

from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import BotoCoreError, HTTPClientError, NoCredentialsError
from botocore.hooks import first_non_none_response
from botocore.parsers import create_parser

from countersign.aws.signature import Signer

_encode = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":")).encode
_decode = json.JSONDecoder().decode


def to_wire(value: bytes) -> dict[str, str]:
    """The `B` attribute that holds `value`."""
    return {"B": b2a_base64(value, newline=False).decode()}


def from_wire(attribute: Mapping[str, str]) -> bytes:
    """What a `B` attribute holds."""
    return a2b_base64(attribute["B"])


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

    def call(self, operation: str, parameters: Mapping[str, Any]) -> Any:
        """The answer to `operation`.

        `parameters` are those of the client's method. Both are JSON as it travels: a `B` attribute is
        base64 (`to_wire`, `from_wire`).

        Raises
        ------
        ClientError        what DynamoDB refused: the client's own class for its code
        BotoCoreError      it was not reached, or its answer did not arrive whole
        """
        body = _encode(parameters).encode()
        context: dict[str, Any] = {}
        attempts = 0
        while True:
            attempts += 1
            response: Any = None
            answer: Any = None
            failure: BotoCoreError | None = None
            try:
                response = self._send(operation, body)
                if response.status_code == 200:
                    answer = _document(response)
            except BotoCoreError as error:
                failure = error
            if answer is not None:
                break
            self._pause_or_raise(operation, attempts, response, failure, context)
        self._events.emit(
            f"after-call.dynamodb.{operation}",
            http_response=response,
            parsed=answer,
            model=self._model.operation_model(operation),
            context=context,
        )
        return answer

    def _send(self, operation: str, body: bytes) -> Any:
        if self._credentials is None:
            raise NoCredentialsError
        credentials = self._credentials.get_frozen_credentials()
        headers: Any = self._signer.headers(operation, body, credentials, int(time.time()))
        headers["User-Agent"] = self._agent
        request = AWSPreparedRequest("POST", self._url, headers, body, stream_output=False)
        given = self._events.emit(f"before-send.dynamodb.{operation}", request=request)
        response = first_non_none_response(given)
        return self._http.send(request) if response is None else response

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
        refusal = None if failure else self._refusal(model, response)
        delays = self._events.emit(
            f"needs-retry.dynamodb.{operation}",
            response=None if failure else (response, refusal),
            endpoint=None,
            operation=model,
            attempts=attempts,
            caught_exception=failure,
            request_dict={"context": context},
        )
        delay = first_non_none_response(delays)
        if delay is not None and delay is not False:
            time.sleep(delay)
        elif refusal is None:
            raise failure or HTTPClientError(error="no answer")
        else:
            raise self._errors.from_code(refusal["Error"]["Code"])(refusal, operation)

    def _refusal(self, model: Any, response: Any) -> dict[str, Any]:
        """What botocore makes of an error: code, message, and the fields that its shape declares."""
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


def _document(response: Any) -> Any:
    """The body of a 200, once its checksum holds."""
    content = response.content
    expected = response.headers.get("x-amz-crc32")
    if expected is not None and crc32(content) != int(expected):
        raise HTTPClientError(error="the checksum of DynamoDB's answer does not hold")
    try:
        return _decode(content.decode())
    except ValueError as error:
        raise HTTPClientError(error="DynamoDB's answer is not JSON") from error
