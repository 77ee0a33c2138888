"""From an event to a step and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from countersign import entry
from countersign.aws.settings import Settings
from countersign.aws.stores import Stores
from countersign.errors import (
    DataError,
    ForbiddenError,
    RequestError,
    TooFewRowsError,
    TransientError,
)
from countersign.http import HttpRequest, HttpResponse, caller_from_arn

ROLE_ARN = "arn:aws:sts::123456789012:assumed-role/countersign-dev-team-lead/tina"
USER_ARN = "arn:aws:iam::123456789012:user/countersign/scoring-client/local-scoring-client"


@dataclass(frozen=True)
class Request:
    use_case: str
    action: str = "run"


@dataclass(frozen=True)
class Result:
    seen: str


def echo(request: Request, stores: Stores) -> Result:
    return Result(f"{request.use_case}:{request.action}:{stores.settings.environment}")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COUNTERSIGN_ENVIRONMENT", "local")
    entry.worker_stores.cache_clear()
    yield
    entry.worker_stores.cache_clear()


def test_an_event_becomes_a_request_and_its_result_plain_json() -> None:
    handler = entry.entrypoint(Request, echo)
    assert handler({"use_case": "fraud"}, None) == {"seen": "fraud:run:local"}


@pytest.mark.parametrize("event", [{}, {"use_case": "fraud", "extra": 1}])
def test_an_event_with_missing_or_unknown_fields_is_refused_by_name(event: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match=r"use_case|extra"):
        entry.parse(Request, event)


def test_a_subclass_reaches_the_state_machine_as_its_family() -> None:
    def run(request: Request, stores: Stores) -> Result:
        raise TooFewRowsError("12 rows; 500 are needed")

    with pytest.raises(DataError, match="TooFewRowsError: 12 rows") as caught:
        entry.entrypoint(Request, run)({"use_case": "fraud"}, None)
    assert type(caught.value) is DataError


def test_a_throttled_store_reaches_the_state_machine_as_transient() -> None:
    def run(request: Request, stores: Stores) -> Result:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")

    with pytest.raises(TransientError, match="PutItem answered ThrottlingException"):
        entry.entrypoint(Request, run)({"use_case": "fraud"}, None)


def test_no_payload_is_ever_logged(capsys: pytest.CaptureFixture[str]) -> None:
    entry.entrypoint(Request, echo)({"use_case": "canary-9137"}, None)
    assert "canary-9137" not in capsys.readouterr().out


def call(event: dict[str, Any], *, run: Any = None) -> tuple[int, dict[str, Any]]:
    def route(request: HttpRequest, stores: Stores) -> HttpResponse:
        return HttpResponse(200, {"body": request.body, "person": request.caller.person})

    handler = entry.api({("POST", "/v1/things"): run or route})
    answer = handler(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def event(body: str | None = "{}", arn: str = ROLE_ARN, path: str = "/v1/things") -> dict[str, Any]:
    return {
        "httpMethod": "POST",
        "resource": path,
        "body": body,
        "requestContext": {"requestId": "r-1", "identity": {"userArn": arn}},
    }


def test_a_request_is_decoded_and_its_caller_named() -> None:
    assert call(event('{"a": 1}')) == (200, {"body": {"a": 1}, "person": "tina"})


@pytest.mark.parametrize(
    "body", ["{", "[1,", '{"a": NaN}', '{"a": Infinity}', "[" * 100_000, f'{{"a": {"9" * 5000}}}']
)
def test_a_body_that_is_not_json_is_a_problem_400(body: str) -> None:
    status, problem = call(event(body))
    assert (status, problem["status"], problem["request_id"]) == (400, 400, "r-1")


def test_an_unknown_route_is_a_problem_404() -> None:
    assert call(event(path="/v1/nothing"))[0] == 404


def test_an_identity_without_a_role_is_a_problem_403() -> None:
    assert call(event(arn="arn:aws:iam::123456789012:user/somebody"))[0] == 403


def test_an_unexpected_failure_says_nothing_of_the_request(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(request: HttpRequest, stores: Stores) -> HttpResponse:
        raise ValueError("canary-9137")

    status, problem = call(event(), run=run)
    assert (status, problem["retryable"]) == (500, False)
    assert "canary-9137" not in json.dumps(problem) + capsys.readouterr().out


def test_the_caller_comes_from_the_arn() -> None:
    client = caller_from_arn(USER_ARN)
    assert (client.role, client.person) == ("scoring-client", "local-scoring-client")
    assert client.tenant == "local-scoring-client"
    assert caller_from_arn(ROLE_ARN).role == "team-lead"


@pytest.mark.parametrize("arn", ["", "arn:aws:iam::1:root", "arn:aws:iam::1:user/x/team-lead/t"])
def test_an_arn_of_another_house_is_refused(arn: str) -> None:
    with pytest.raises(ForbiddenError):
        caller_from_arn(arn)


def test_a_missing_resource_name_says_where_to_grant_it() -> None:
    with pytest.raises(Exception, match=r"RAW_BUCKET is not set.*infra/catalog.py"):
        Settings.from_environment({"COUNTERSIGN_ENVIRONMENT": "local"}).require("raw_bucket")
