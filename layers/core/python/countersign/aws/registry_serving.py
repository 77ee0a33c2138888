"""Ask the serving function what it serves, by the same route that people use."""

from __future__ import annotations

import json
from typing import Any

from countersign.aws.session import client
from countersign.aws.settings import Settings
from countersign.errors import StoreUnavailableError

RELOAD = "/v1/serving/reload"


def serving_now(settings: Settings, use_case: str) -> dict[str, Any]:
    """What a worker of the serving function answers for `use_case`, after loading it anew.

    Raises StoreUnavailableError when it does not answer.
    """
    answer = client("lambda").invoke(
        FunctionName=settings.require("serving_function"),
        Payload=json.dumps(request(settings)).encode(),
    )
    payload = json.loads(answer["Payload"].read())
    if answer.get("FunctionError") or payload.get("statusCode") != 200:
        raise StoreUnavailableError("The serving function did not say what it serves; try again")
    survey: dict[str, Any] = json.loads(payload["body"])["use_cases"].get(use_case, {})
    return survey


def request(settings: Settings) -> dict[str, Any]:
    """The request as API Gateway would hand it over, signed as the promotion's own machine room."""
    arn = (
        f"arn:aws:sts::000000000000:assumed-role/countersign-{settings.environment}-operator"
        "/promotion"
    )
    return {
        "httpMethod": "POST",
        "resource": RELOAD,
        "path": RELOAD,
        "headers": {},
        "queryStringParameters": None,
        "pathParameters": None,
        "body": None,
        "isBase64Encoded": False,
        "requestContext": {"requestId": "promotion-verify", "identity": {"userArn": arn}},
    }
