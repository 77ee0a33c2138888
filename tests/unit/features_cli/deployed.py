"""A deployment without AWS: the real routes behind a socket, the real steps behind Lambda and Step Functions.

Only AWS's side is played here; tables and buckets are moto's. The command line is the real one, from
`sys.argv` to its exit code.
"""

from __future__ import annotations

import io
import json
import re
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from countersign.cli import main
from countersign.clock import iso
from countersign.entry import decode_body, parse, to_json
from countersign.errors import CountersignError
from countersign.http import ROLES, Caller, HttpRequest, problem_response
from countersign.steps import build_features, materialize, operate

from tests.unit.features.cloud import REGION, cloud
from tests.unit.features.store import Store

ACCOUNT = "123456789012"


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass
class Deployed:
    """Stores, and what the deployment's functions are made to say."""

    store: Store
    outputs: Path
    older_code: dict[str, Any] = field(default_factory=dict)
    failing: str = ""
    started: list[str] = field(default_factory=list)
    invoked: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def stores(self) -> Any:
        return self.store.stores

    def run(self, capsys: pytest.CaptureFixture[str], *arguments: str, width: int = 120) -> Ran:
        """`countersign features …`, as typed into a terminal of that width."""
        capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["countersign", "features", *arguments])
            patch.setenv("COLUMNS", str(width))
            patch.setenv("COUNTERSIGN_OUTPUTS", str(self.outputs))
            code = exit_code()
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    def answer(self, role: str, method: str, path: str, raw: str) -> tuple[int, str]:
        """What the operations API says, by its own routes."""
        self.asked.append((role, method, path))
        for (verb, resource), route in operate.ROUTES.items():
            found = re.fullmatch(
                re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(resource)), path
            )
            if verb == method and found:
                params = {n: urllib.parse.unquote(v) for n, v in found.groupdict().items()}
                arn = f"arn:aws:iam::{ACCOUNT}:user/countersign/{role}/{role}-person"
                request = HttpRequest(
                    method=method, resource=resource, path_params=params, body=decode_body(raw),
                    raw_body=raw, caller=Caller(arn, f"{role}-person", role, "default"),
                    request_id="request",
                )  # fmt: skip
                try:
                    with logged():
                        answered = route(request, self.stores).as_proxy()
                except CountersignError as error:
                    answered = problem_response(error, "request").as_proxy()
                body = answered["body"]
                if path == "/v1/features":
                    body = json.dumps({**json.loads(body), **self.older_code})
                return int(answered["statusCode"]), body
        return 403, json.dumps({"message": "Missing Authentication Token"})


def exit_code() -> int:
    """What the command line ends with."""
    try:
        main.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def logged() -> redirect_stdout[io.StringIO]:
    """What a function prints is its log, and nobody's output."""
    return redirect_stdout(io.StringIO())


class Functions:
    """Lambda: the materialize function."""

    def __init__(self, deployed: Deployed) -> None:
        self.deployed = deployed

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803
        assert FunctionName == "fn-materialize"
        asked = json.loads(Payload)
        self.deployed.invoked.append(asked)
        try:
            with logged():
                made = materialize.run(parse(materialize.Request, asked), self.deployed.stores)
        except CountersignError as error:
            said = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(said).encode())}
        return {"Payload": io.BytesIO(json.dumps(to_json(made)).encode())}


class Machines:
    """Step Functions: one machine, `features`, whose tasks are run when it is started."""

    def __init__(self, deployed: Deployed) -> None:
        self.deployed = deployed
        self.events: list[dict[str, Any]] = []
        self.ended: dict[str, Any] = {}

    def start_execution(self, *, stateMachineArn: str, input: str) -> Any:  # noqa: A002, N803
        assert stateMachineArn == "arn:machine:features"
        self.deployed.started.append(input)
        self.events, self.ended = [], {"status": "RUNNING"}
        with logged():
            self._work()
        return {"executionArn": "arn:execution:features:one"}

    def describe_execution(self, *, executionArn: str) -> Any:  # noqa: N803
        return self.ended

    def get_execution_history(self, *, executionArn: str, maxResults: int, **_: Any) -> Any:  # noqa: N803
        return {"events": self.events}

    def _work(self) -> None:
        stores = self.deployed.stores
        if self.deployed.failing:
            details = {"error": "DataError", "cause": self.deployed.failing}
            self.events.append({"type": "TaskFailed", "taskFailedEventDetails": details})
            self.ended = {"status": "FAILED", "error": "FeaturesFailed", "cause": "a step failed"}
            return
        planned: Any = build_features.run(build_features.Request(action="plan"), stores)
        # Of one view: the others are built alike, and would take a minute.
        for item in (item for item in planned.items if item["view"] == "worker_pay"):
            request = {**item, "as_of": planned.as_of}
            build_features.run(build_features.Request(action="build", **request), stores)
            materialize.run(materialize.Request(**request), stores)
        output = {"as_of": planned.as_of, "ingested": [], "quality": {"alerts": []}}
        self.ended = {"status": "SUCCEEDED", "output": json.dumps(output)}


@contextmanager
def deployed(folder: Path) -> Iterator[Deployed]:
    """A deployment with nothing in it yet. Seven roles can sign."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        with cloud() as account:
            place: Any = {"LocationConstraint": REGION}
            boto3.client("s3").create_bucket(Bucket="models", CreateBucketConfiguration=place)
            stores = account.stores
            stores.settings = replace(
                stores.settings, models_bucket="models", signing_key_arn="key"
            )
            made = Deployed(Store(account), folder / "outputs.json")
            played = {"lambda": Functions(made), "stepfunctions": Machines(made)}
            real: Any = boto3.client

            def client(service: str, **options: Any) -> Any:
                return played.get(service) or real(service, **options)

            patch.setattr(boto3, "client", client)
            with served(made) as url:
                made.outputs.write_text(json.dumps(outputs(url)), encoding="utf-8")
                yield made


def outputs(url: str) -> dict[str, Any]:
    return {
        "environment": "local",
        "region": REGION,
        "api_url": url,
        "buckets": {"lake": "lake"},
        "state_machines": {"features": "arn:machine:features"},
        "functions": {"materialize": "fn-materialize"},
        "identities": {
            role: {"access_key_id": f"KEY-{role}", "secret_access_key": "secret"} for role in ROLES
        },
    }


@contextmanager
def served(made: Deployed) -> Iterator[str]:
    """The API behind a socket; who signs is read from the signature, as API Gateway does."""

    class Edge(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            signed = re.search(r"Credential=KEY-([a-z-]+)/", self.headers.get("Authorization", ""))
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            status, body = made.answer(signed[1] if signed else "", self.command, self.path, raw)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = _serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Edge)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def now(made: Deployed) -> str:
    return iso(made.store.aws.clock.at)
