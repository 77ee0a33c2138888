"""Requests as API Gateway hands them over, and answers as it takes them back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from countersign import entry
from countersign.aws.stores import Stores

ARN = "arn:aws:iam::000000000000:user/countersign/{role}/{person}"
Call = Callable[..., tuple[int, Any]]


def proxy_event(
    method: str,
    resource: str,
    body: Any = None,
    *,
    role: str = "scoring-client",
    person: str = "local-scoring-client",
    path: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A REST API proxy event, signed by `person` in `role`. `body` is sent as it is when it is text."""
    filled = resource
    for name, value in (path or {}).items():
        filled = filled.replace(f"{{{name}}}", value)
    return {
        "resource": resource,
        "path": filled,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": dict(path) if path else None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": "a1b2c3",
            "resourcePath": resource,
            "httpMethod": method,
            "extendedRequestId": "c0ffee00c0ffee00=",
            "requestTime": "21/Nov/2026:05:47:00 +0000",
            "path": f"/live{filled}",
            "accountId": "000000000000",
            "protocol": "HTTP/1.1",
            "stage": "live",
            "requestTimeEpoch": 1795412820000,
            "requestId": "5c2f6b1e-0000-4000-8000-000000000001",
            "identity": {
                "accountId": "000000000000",
                "accessKey": "AKIAIOSFODNN7EXAMPLE",
                "caller": "AIDAEXAMPLE",
                "sourceIp": "127.0.0.1",
                "user": "AIDAEXAMPLE",
                "userAgent": "countersign-client",
                "userArn": ARN.format(role=role, person=person),
            },
            "apiId": "api1234567",
        },
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


def caller(
    stores: Stores, routes: Mapping[tuple[str, str], Any], patch: pytest.MonkeyPatch
) -> Call:
    """Call `routes` through the entry point: (status, decoded body)."""
    patch.setattr(entry, "worker_stores", lambda: stores)
    handler = entry.api(routes)

    def call(method: str, resource: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        answer = handler(proxy_event(method, resource, body, **options), None)
        return answer["statusCode"], json.loads(answer["body"])

    return call
