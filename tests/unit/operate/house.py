"""Every store of the governing functions on moto, with callers, machines that wait, and a serving function."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from countersign.aws import registry_serving
from countersign.aws.machines import Machines
from countersign.aws.session import client
from countersign.aws.stores import Stores
from countersign.clock import FixedClock, iso
from countersign.governance.versions import Version
from countersign.http import Caller, HttpRequest, HttpResponse
from countersign.serving.prediction import Prediction
from countersign.steps import approval, operate, promote
from moto import mock_aws

from tests.unit.registry.world import REGION, USE_CASE, World, keyed, record, settings, typed

FILES = ("model.onnx", "serving.json", "golden.npz", "baseline.json")
PEOPLE = {
    "operator": "olga",
    "data-scientist": "dana",
    "ml-engineer": "milo",
    "team-lead": "tess",
    "bsa-officer": "bela",
    "auditor": "aude",
    "scoring-client": "acme",
}


class StepFunctions:
    """The service as far as we use it: executions by name, and tokens that wait or do not."""

    def __init__(self) -> None:
        self.started: dict[str, dict[str, Any]] = {}
        self.waiting: set[str] = set()
        self.resumed: dict[str, dict[str, Any]] = {}
        self.deaf = False

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> Any:  # noqa: A002, N803
        if name in self.started:
            raise ClientError(
                {"Error": {"Code": "ExecutionAlreadyExists", "Message": name}}, "StartExecution"
            )
        self.started[name] = {"machine": stateMachineArn.rpartition(":")[2], **json.loads(input)}
        return {"executionArn": f"{stateMachineArn.replace('stateMachine', 'execution')}:{name}"}

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803
        if self.deaf:
            raise ClientError({"Error": {"Code": "Throttling", "Message": ""}}, "SendTaskSuccess")
        if taskToken not in self.waiting:
            error = {"Error": {"Code": "TaskDoesNotExist", "Message": "no"}}
            raise ClientError(error, "SendTaskSuccess")
        self.waiting.remove(taskToken)
        self.resumed[taskToken] = json.loads(output)


class Lambda:
    """The serving function: it answers from the pointer, or as a stuck worker would."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.stuck_at: dict[str, Any] | None = None

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803
        pointer = self.house.stores.registry.pointer(USE_CASE)
        champion = pointer["champion"] or {"version": None, "digest": None}
        survey = self.stuck_at or {**champion, "epoch": pointer["epoch"], "serving": []}
        body = json.dumps({"use_cases": {USE_CASE: survey}})
        answer = {"statusCode": 200, "body": body}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


class House:
    """Front doors: `api`, `approval` and `promote`."""

    def __init__(self) -> None:
        self.world = World(signing_key_arn=signing_key(), notices_topic_arn=topic(), time_scale=0.0)
        self.clock: FixedClock = self.world.clock
        for bucket in ("models", "lake"):
            location: Any = {"LocationConstraint": REGION}
            client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
        create_predictions(self.world.dynamodb)
        self.stores = Stores(self.world.settings, self.clock)
        self.step_functions = StepFunctions()
        prefix = settings().machine_arn_prefix
        self.stores.machines = Machines(self.step_functions, prefix)
        self.serving = Lambda(self)
        self.tokens = 0

    def register(self, run: str, **changes: Any) -> Version:
        """A staged version whose signed files stand where they should."""
        made = record(run, **changes)
        folder = f"{USE_CASE}/runs/{run}"
        digest = self.seal(folder, run)
        version = self.world.registry.put_version(replace(made, digest=digest))
        for name in ("card.md", "report.html", "evaluation.json"):
            self.stores.artifacts.put(f"{folder}/{name}", b"documented")
        for name in (*FILES, "manifest.json", "manifest.sig"):
            self.stores.artifacts.copy(f"{folder}/{name}", f"{USE_CASE}/{version.version}/{name}")
        self.world.later()
        return self.world.registry.stage_version(USE_CASE, version.version)

    def seal(self, folder: str, run: str, **manifest: Any) -> str:
        import hashlib

        files = {name: f"{name} of {run}".encode() for name in FILES}
        for name, content in files.items():
            self.stores.artifacts.put(f"{folder}/{name}", content)
        known = {n: {"sha256": hashlib.sha256(c).hexdigest()} for n, c in files.items()}
        return self.stores.artifacts.seal(folder, {"run_id": run, "files": known, **manifest})

    def call(
        self,
        role: str,
        method: str,
        resource: str,
        body: Any = None,
        *,
        key: str = "",
        query: dict[str, str] | None = None,
        **params: str,
    ) -> HttpResponse:
        """One request of a role's person, straight to the route."""
        self.world.later()
        person = PEOPLE[role]
        tenant = person if role == "scoring-client" else "default"
        request = HttpRequest(
            method=method,
            resource=resource,
            path_params=params,
            query=query or {},
            headers={"idempotency-key": key} if key else {},
            body=body,
            caller=Caller(f"arn:aws:iam::1:user/countersign/{role}/{person}", person, role, tenant),
            request_id=f"request-{self.clock.at.isoformat()}",
        )
        return operate.ROUTES[(method, resource)](request, self.stores)

    def approval(self, action: str, **fields: Any) -> dict[str, Any]:
        self.world.later()
        return approval.run(approval.Request(action, **fields), self.stores)

    def promote(self, action: str, version: str, **fields: Any) -> dict[str, Any]:
        self.world.later()
        asked = promote.Request(action, USE_CASE, version, **fields)
        return promote.run(asked, self.stores)

    def wait_for(self, approval_id: str, role: str) -> str:
        """What a branch of the approval machine does."""
        self.tokens += 1
        token = f"token-{self.tokens}"
        self.step_functions.waiting.add(token)
        self.approval("wait", approval_id=approval_id, role=role, task_token=token)
        return token

    def open_promotion(self, version: Version, key: str = "") -> str:
        opened = self.approval(
            "open",
            use_case=USE_CASE,
            kind="promotion",
            subject={"version": version.version},
            requested_by="dana",
            requester_role="data-scientist",
            facts={"validation": {"passed": True, "p95_ms": 1.5}},
            key=key or version.version,
        )
        return str(opened["approval_id"])

    def decide(self, approval_id: str, role: str, decision: str = "approve") -> HttpResponse:
        body = {"decision": decision, "reason": "evidence read"}
        return self.call(role, "POST", "/v1/approvals/{id}/decision", body, id=approval_id)

    def signed(self, version: Version) -> str:
        approval_id = self.open_promotion(version, f"{version.version}-{self.tokens}")
        for role in ("ml-engineer", "team-lead"):
            self.decide(approval_id, role)
        return approval_id

    def rollout(self, version: Version, *, rollout_id: str = "") -> dict[str, Any]:
        """What the promotion machine does from Plan on; what it ends with."""
        rollout = {"rollout_id": rollout_id or f"r-{version.version}"}
        self.promote("plan", version.version, approval_id=self.signed(version), **rollout)
        self.promote("start_shadow", version.version, **rollout)
        self.promote("check_shadow", version.version, **rollout)
        verdict = "advance"
        while verdict == "advance":
            self.promote("advance", version.version, **rollout)
            verdict = self.promote("check_guard", version.version, **rollout)["verdict"]
        assert verdict == "complete"
        return self.promote("complete", version.version, **rollout)

    def log(self, number: int, **changes: Any) -> None:
        """One answered request."""
        made = Prediction(
            prediction_id=f"p-{number}", use_case=USE_CASE, tenant="acme", entity_id="w-1",
            cohort="ES", request_digest="d", idempotency_key=f"k-{number}",
            features={"gross": 1.0}, score=0.2, model_score=0.2, rule_score=0.0, decision="pass",
            threshold=0.5, reason_codes=(), version="1.0.0", artifact_digest="d", epoch=1,
            rules_version="r", degraded=(), feature_ages={}, latency_ms={"model": 2.0},
            at=iso(self.clock.at), answer="{}",
        )  # fmt: skip
        self.stores.predictions.append(replace(made, **changes))

    def actions(self) -> list[str]:
        return [e.action for e in self.stores.audit.entries(USE_CASE)]

    def pass_time(self, **span: float) -> None:
        self.clock.at += timedelta(**span)


def signing_key() -> str:
    kms = boto3.client("kms", region_name=REGION)
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    return str(key["KeyMetadata"]["Arn"])


def topic() -> str:
    return str(boto3.client("sns", region_name=REGION).create_topic(Name="notices")["TopicArn"])


def create_predictions(dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName="predictions",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[keyed("prediction_id", "HASH")],
        AttributeDefinitions=[typed(n, "S") for n in ("prediction_id", "use_case", "at")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_use_case",
                "KeySchema": [keyed("use_case", "HASH"), keyed("at", "RANGE")],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


@contextmanager
def built(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house on a fresh account. The serving function is AWS's side: the Lambda client is a fake."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    client.cache_clear()
    with mock_aws():
        house = House()
        monkeypatch.setattr(
            registry_serving,
            "client",
            lambda service: house.serving if service == "lambda" else client(service),
        )
        yield house
    client.cache_clear()
