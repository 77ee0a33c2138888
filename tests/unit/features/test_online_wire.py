"""The calls that do not go through botocore's own machinery do what botocore would."""

from __future__ import annotations

import json
import time
from calendar import timegm
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError
from botocore.session import get_session
from countersign.aws.dynamo import Dynamo
from countersign.aws.faults import as_transient
from countersign.aws.session import client
from countersign.aws.signature import Signer
from countersign.errors import StoreUnavailableError

from .cloud import REGION, Cloud
from .online_http import Answer, altered, meets, refusal

KEY = {"pk": {"S": "worker#W-1"}, "sk": {"S": "worker_pay"}}
READ = {"RequestItems": {"online": {"Keys": [KEY]}}}
PAY = ("worker", "W-1", "worker_pay")
LOST = Answer(error=ReadTimeoutError(endpoint_url="https://dynamodb"))
HTML = b"<html><body>Service Unavailable</body></html>"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for; none is taken."""
    asked: list[float] = []
    monkeypatch.setattr(time, "sleep", asked.append)
    return asked


@pytest.mark.parametrize("token", [None, "a/session+token=="])
@pytest.mark.parametrize(
    "url",
    [
        "https://dynamodb.eu-west-1.amazonaws.com/",
        "https://vpce-1.dynamodb.eu-west-1.vpce.amazonaws.com:443/",
        "http://127.0.0.1:4571/",
        "http://gateway:80/aws/",
    ],
)
def test_a_request_is_signed_as_botocore_signs_it(url: str, token: str | None) -> None:
    credentials = Credentials("AKIDEXAMPLE", "a secret", token).get_frozen_credentials()
    body = json.dumps({"TableName": "tëst"}).encode()
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "DynamoDB_20120810.PutItem",
    }
    theirs = AWSRequest("POST", url, headers, body)
    SigV4Auth(credentials, "dynamodb", REGION).add_auth(theirs)
    now = timegm(time.strptime(theirs.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ"))
    signer = Signer(url, REGION)
    signer.headers("GetItem", b"{}", Credentials("B", "other").get_frozen_credentials(), now)
    ours = signer.headers("PutItem", body, credentials, now)
    assert ours == dict(theirs.headers)


def test_a_new_day_has_a_new_key() -> None:
    credentials = Credentials("A", "secret").get_frozen_credentials()
    signer = Signer("https://dynamodb/", REGION)
    first = signer.headers("PutItem", b"{}", credentials, 0)
    next_day = signer.headers("PutItem", b"{}", credentials, 86_400)
    assert next_day == Signer("https://dynamodb/", REGION).headers(
        "PutItem", b"{}", credentials, 86_400
    )
    assert first["Authorization"] != next_day["Authorization"]


def test_credentials_that_were_refreshed_sign_the_next_request(aws: Cloud) -> None:
    now = datetime.now(UTC)
    issued = [
        {"access_key": f"AKID{n}", "secret_key": "s", "token": "t", "expiry_time": at.isoformat()}
        for n, at in enumerate((now + timedelta(seconds=1), now + timedelta(hours=9)))
    ]
    session: Any = get_session()
    session._credentials = RefreshableCredentials.create_from_metadata(
        issued[0], lambda: issued[1], "test"
    )
    refreshing = boto3.Session(botocore_session=session).client("dynamodb", region_name=REGION)
    asked: list[str] = []
    refreshing.meta.events.register(
        "before-send.dynamodb", lambda request, **_: asked.append(request.headers["Authorization"])
    )
    Dynamo(refreshing).call("BatchGetItem", READ)
    assert "Credential=AKID1/" in asked[0]


def test_without_credentials_nothing_is_sent(aws: Cloud) -> None:
    nobody: Any = boto3.Session().client("dynamodb")
    nobody._request_signer._credentials = None
    with pytest.raises(NoCredentialsError):
        Dynamo(nobody).call("BatchGetItem", READ)


def test_an_answer_is_the_one_that_botocore_gives(aws: Cloud) -> None:
    item = {**KEY, "n": {"N": "1"}, "b": {"B": b"\x00\xff"}, "m": {"M": {"l": {"L": []}}}}
    client("dynamodb").put_item(TableName="online", Item=item)
    (found,) = Dynamo(client("dynamodb")).call("BatchGetItem", READ)["Responses"]["online"]
    assert found == {**item, "b": {"B": "AP8="}}


def test_a_refusal_is_the_clients_own_error_with_what_it_declares(aws: Cloud) -> None:
    client("dynamodb").put_item(TableName="online", Item=KEY)
    put = {
        "TableName": "online",
        "Item": KEY,
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    with pytest.raises(client("dynamodb").exceptions.ConditionalCheckFailedException) as ours:
        Dynamo(client("dynamodb")).call("PutItem", put)
    with pytest.raises(ClientError) as theirs:
        client("dynamodb").put_item(**put)
    for name in ("Error", "Item"):
        assert dict(ours.value.response)[name] == dict(theirs.value.response)[name]
    assert ours.value.operation_name == "PutItem"


@pytest.mark.parametrize(
    "failure",
    [
        refusal("ProvisionedThroughputExceededException"),
        refusal("ThrottlingException"),
        refusal("InternalServerError", 500),
        Answer(HTML, 503),
        LOST,
        altered(),
        Answer(b'{"Responses": {"onl'),
    ],
    ids=["provisioned", "throttled", "internal", "html", "lost", "altered", "cut-off"],
)
def test_what_may_pass_is_tried_again_after_a_random_pause(
    aws: Cloud, waits: list[float], failure: Answer
) -> None:
    with meets("BatchGetItem", failure, failure, None) as asked:
        assert aws.stores.online.read([PAY]) == ({}, None)
    assert (len(asked), len(waits)) == (3, 2)
    assert all(0 <= wait <= 2 for wait in waits)
    with meets("BatchGetItem", failure) as asked, pytest.raises(StoreUnavailableError):
        aws.stores.online.read([PAY])
    assert len(asked) == 3


def test_what_will_not_pass_is_not_tried_again(aws: Cloud, waits: list[float]) -> None:
    with (
        meets("BatchGetItem", refusal("AccessDeniedException")) as asked,
        pytest.raises(ClientError) as caught,
    ):
        aws.stores.online.read([PAY])
    assert caught.value.response["Error"] == {"Code": "AccessDeniedException", "Message": "no"}
    assert (len(asked), waits) == (1, [])
    assert as_transient(caught.value) is None


def test_each_attempt_is_signed_anew_and_says_the_same(aws: Cloud, waits: list[float]) -> None:
    with meets("BatchGetItem", LOST, None) as asked:
        aws.stores.online.read([PAY])
    first, second = asked
    assert first.body == second.body
    assert first.headers is not second.headers


def test_retries_stop_when_the_clients_quota_is_spent(aws: Cloud, waits: list[float]) -> None:
    """As botocore's standard mode has it: a store that is down is not asked three times by everybody."""
    with meets("BatchGetItem", refusal("InternalServerError", 500)) as asked:
        for _ in range(100):
            with pytest.raises(StoreUnavailableError):
                aws.stores.online.read([PAY])
    assert 100 < len(asked) < 250  # of 300


@contextmanager
def server() -> Iterator[tuple[str, list[Any]]]:
    """A DynamoDB that answers everything with an empty batch; its address, and what it was asked."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, dict(self.headers), json.loads(body)))
            answer = b'{"Responses": {}, "UnprocessedKeys": {}}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}", asked
        finally:
            listening.shutdown()
            thread.join()


def test_the_endpoint_that_the_environment_names_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDLOCAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with server() as (url, asked):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        local = boto3.Session().client("dynamodb")
        Dynamo(local).call("BatchGetItem", READ)
        local.close()
    ((path, headers, body),) = asked
    assert (path, body) == ("/", READ)
    assert headers["X-Amz-Target"] == "DynamoDB_20120810.BatchGetItem"
    assert headers["Host"] == url.removeprefix("http://")
    assert "Credential=AKIDLOCAL/" in headers["Authorization"]


def test_a_store_that_cannot_be_reached_is_a_transient_error(
    aws: Cloud, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with server() as (url, _):
        pass  # nobody listens there any more
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    unreachable = boto3.Session().client("dynamodb")
    with pytest.raises(Exception, match="Could not connect") as caught:
        Dynamo(unreachable).call("BatchGetItem", READ)
    assert isinstance(as_transient(caught.value), StoreUnavailableError)
