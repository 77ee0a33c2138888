"""The deployed system from outside: AWS clients per identity, a signed HTTP client, machines.

Reads the `outputs.json` that a deployment wrote and knows nothing else, so the same code speaks to
the local cloud and to an AWS account.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from countersign.cli.local_cloud.settings import FAILED, NOT_RUNNING, ROOT_KEYS, LocalCloudError

POLL_SECONDS = 0.1
SLOWEST_POLL_SECONDS = 1.0
FINISHED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `body` is parsed JSON when it is JSON, else the text."""

    status: int
    headers: Mapping[str, str]
    body: Any

    def __iter__(self) -> Any:
        return iter((self.status, self.headers, self.body))


@dataclass(frozen=True, slots=True)
class Execution:
    """A finished execution. `failed_state` is the last state entered when it did not succeed."""

    arn: str
    status: str
    output: Any
    error: str
    cause: str
    failed_state: str
    seconds: float

    @property
    def ok(self) -> bool:
        return self.status == "SUCCEEDED"


class ApiClient:
    """An HTTP client that signs as one identity; keeps its connection; never repeats a request."""

    def __init__(
        self, url: str, credentials: Credentials | None, region: str, ca_bundle: str | None
    ) -> None:
        self._url = url.rstrip("/")
        self._auth = SigV4Auth(credentials, "execute-api", region) if credentials else None
        self._pool = urllib3.PoolManager(ca_certs=ca_bundle, retries=False, timeout=60.0)

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
    ) -> Answer:
        """Send `json`, or `data` as it is, to an encoded path such as `/v1/models?limit=5`."""
        body = data if json is None else _encoded(json)
        request = AWSRequest(method, self._url + path, dict(headers or {}), body)
        if body is not None and "Content-Type" not in request.headers:
            request.headers["Content-Type"] = "application/json"
        if self._auth:
            self._auth.add_auth(request)
        answer = self._pool.request(
            method, self._url + path, body=body, headers=dict(request.headers.items())
        )
        return Answer(answer.status, answer.headers, _decoded(answer.data))


class Cloud:
    """One deployment, as its outputs describe it."""

    def __init__(self, outputs: Mapping[str, Any]) -> None:
        self.outputs = outputs
        self._clients: dict[tuple[str, str | None], Any] = {}

    @classmethod
    def from_file(cls, path: Path) -> "Cloud":
        try:
            return cls(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            raise LocalCloudError(
                f"no deployment is described in {path}; run `make up` first", NOT_RUNNING
            ) from None

    def client(self, service: str, identity: str | None = None) -> Any:
        """A boto3 client with that identity's keys; without one, the deployer's."""
        key = (service, identity)
        if key not in self._clients:
            self._clients[key] = self._new_client(service, identity)
        return self._clients[key]

    def api(self, identity: str | None = None) -> ApiClient:
        """The scoring and operations API, signed as that identity; unsigned without one."""
        keys = self._keys(identity) if identity else None
        return ApiClient(
            self.outputs["api_url"],
            Credentials(*keys) if keys else None,
            self.outputs["region"],
            self.outputs.get("ca_bundle"),
        )

    def start_machine(
        self, name: str, payload: Any, *, identity: str | None = None, execution: str | None = None
    ) -> str:
        """Start an execution of the machine with this short name; its ARN."""
        named = {"name": execution} if execution else {}
        started = self.client("stepfunctions", identity).start_execution(
            stateMachineArn=self.outputs["state_machines"][name], input=json.dumps(payload), **named
        )
        return str(started["executionArn"])

    def await_execution(self, arn: str, timeout: float = 120.0) -> Execution:
        """Poll until the execution has finished.

        Raises
        ------
        TimeoutError    it still runs after `timeout` seconds; the message names its state
        """
        states, begun, pause = self.client("stepfunctions"), time.monotonic(), POLL_SECONDS
        while True:
            seen = states.describe_execution(executionArn=arn)
            if seen["status"] in FINISHED:
                return self._finished(arn, seen, time.monotonic() - begun)
            if time.monotonic() - begun > timeout:
                raise TimeoutError(f"{arn} is in {self._last_state(arn)} after {timeout:.0f} s")
            time.sleep(pause)
            pause = min(SLOWEST_POLL_SECONDS, pause * 1.25)

    def run_machine(
        self, name: str, payload: Any, timeout: float = 120.0, *, identity: str | None = None
    ) -> Execution:
        """Start a machine and wait for its end."""
        return self.await_execution(self.start_machine(name, payload, identity=identity), timeout)

    def fire(self, schedule: str, *, identity: str | None = None) -> list[str]:
        """Do now what a schedule would do at its time: invoke its targets with their input.

        The targets are invoked as that identity; the rule is read as the deployer.
        """
        events = self.client("events")
        targets = events.list_targets_by_rule(Rule=self.outputs["schedules"][schedule])["Targets"]
        return [self._invoke(to["Arn"], to.get("Input", "{}"), identity) for to in targets]

    def _invoke(self, arn: str, payload: str, identity: str | None) -> str:
        if ":stateMachine:" in arn:
            machines = self.client("stepfunctions", identity)
            started = machines.start_execution(stateMachineArn=arn, input=payload)
            return str(started["executionArn"])
        if ":function:" in arn:
            answer = self.client("lambda", identity).invoke(FunctionName=arn, Payload=payload)
            if "FunctionError" in answer:
                raise LocalCloudError(f"{arn} failed: {answer['Payload'].read()!r}", FAILED)
            return arn
        raise LocalCloudError(f"don't know how to fire a schedule at {arn}", FAILED)

    def _finished(self, arn: str, seen: Mapping[str, Any], seconds: float) -> Execution:
        succeeded = seen["status"] == "SUCCEEDED"
        return Execution(
            arn=arn,
            status=seen["status"],
            output=json.loads(seen["output"]) if succeeded else None,
            error=seen.get("error", ""),
            cause=seen.get("cause", ""),
            failed_state="" if succeeded else self._last_state(arn),
            seconds=seconds,
        )

    def _last_state(self, arn: str) -> str:
        events = self.client("stepfunctions").get_execution_history(
            executionArn=arn, reverseOrder=True, maxResults=1000
        )["events"]
        entered = (event.get("stateEnteredEventDetails") for event in events)
        return next((str(details["name"]) for details in entered if details), "")

    def _new_client(self, service: str, identity: str | None) -> Any:
        options: dict[str, Any] = {"region_name": self.outputs["region"]}
        if self.outputs.get("endpoint"):
            options |= {
                "endpoint_url": self.outputs["endpoint"],
                "verify": self.outputs["ca_bundle"],
            }
        if keys := self._keys(identity):
            options |= {"aws_access_key_id": keys[0], "aws_secret_access_key": keys[1]}
        quick = Config(
            s3={"addressing_style": "path"} if self.outputs.get("endpoint") else {},
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=32,
        )
        return boto3.client(service, config=quick, **options)  # type: ignore[call-overload]

    def _keys(self, identity: str | None) -> tuple[str, str] | None:
        if identity is None:
            return ROOT_KEYS if self.outputs.get("endpoint") else None
        held = self.outputs["identities"][identity]
        return held["access_key_id"], held["secret_access_key"]


def _encoded(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
