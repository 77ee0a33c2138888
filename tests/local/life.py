"""One model's life in the deployed cloud, lived once a session, entirely from outside.

A delivery arrives, its features are built, two versions are trained on approval, the first is promoted
with two signatures, the second shadows it, and a pay run is scored. The tests then ask and act.
"""

import json
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from countersign.cli.local_cloud.client import Answer, Cloud, Execution
from countersign.cli.payroll_generator.delivery import Delivery, generate
from countersign.cli.payroll_generator.drafts import drafts
from countersign.clock import iso
from countersign.use_cases import get

USE_CASE = "payroll_anomaly"
MODEL = f"/v1/models/{USE_CASE}"
SCORING = get(USE_CASE).api_path
WORLD: dict[str, Any] = {"seed": 12, "workers": 300, "months": 18}
SCORED = 40
POLL_SECONDS = 0.1
BY_TWO = ("ml-engineer", "team-lead")


@dataclass(slots=True)
class Life:
    """What the session remembers of this model. `bodies[i]` was answered by `answers[i]`."""

    cloud: Cloud
    folder: Path
    as_of: datetime
    delivery: Delivery | None = None
    versions: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)

    def call(self, identity: str, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """One signed request, whatever it answers."""
        return self.cloud.api(identity).request(method, path, json=body, **more)

    def told(self, identity: str, method: str, path: str, body: Any = None) -> Any:
        """The answer to a request that is to succeed."""
        status, _, answer = self.call(identity, method, path, body)
        assert status in (200, 202), f"{method} {path} as {identity}: {status} {answer}"
        return answer

    def wait(self, what: str, look: Callable[[], Any], seconds: float = 60) -> Any:
        """What `look` gives, once it gives something."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"waited {seconds:.0f} s for {what}")

    def ended(self, arn: str, seconds: float = 120) -> Execution:
        """An execution that is to end well."""
        ended = self.cloud.await_execution(arn, seconds)
        assert ended.ok, f"{arn} in {ended.failed_state}: {ended.error} {self.failures(arn)}"
        return ended

    def failures(self, arn: str) -> list[str]:
        """What the failed tasks of an execution said."""
        states = self.cloud.client("stepfunctions")
        events = states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        told = [v for e in events if "Failed" in e["type"] for v in e.values()]
        return [str(v)[:500] for v in told if isinstance(v, dict)]

    def execution(self, machine: str, **wanted: Any) -> str | None:
        """The newest execution of `machine`, started `since` or with that `name`, if there is one."""
        arn = self.cloud.outputs["state_machines"][machine]
        found = self.cloud.client("stepfunctions").list_executions(stateMachineArn=arn)
        mine = [
            e
            for e in found["executions"]
            if e["name"] == wanted.get("name", e["name"])
            and e["startDate"] >= wanted.get("since", e["startDate"])
        ]
        return max(mine, key=lambda e: e["startDate"])["executionArn"] if mine else None

    def upload(self, key: str, body: bytes) -> None:
        """Deliver a file as the operator does."""
        raw = self.cloud.outputs["buckets"]["raw"]
        self.cloud.client("s3", "operator").put_object(Bucket=raw, Key=key, Body=body)

    def keys(self, bucket: str, prefix: str) -> dict[str, str]:
        """The objects below a prefix and the ETag of each."""
        pages = self.cloud.client("s3").get_paginator("list_objects_v2")
        listed = pages.paginate(Bucket=self.cloud.outputs["buckets"][bucket], Prefix=prefix)
        return {o["Key"]: o["ETag"] for page in listed for o in page.get("Contents", [])}

    def items(self, table: str) -> list[dict[str, Any]]:
        """Everything in a table, as the deployer sees it."""
        pages = self.cloud.client("dynamodb").get_paginator("scan")
        listed = pages.paginate(TableName=self.cloud.outputs["tables"][table])
        return [item for page in listed for item in page["Items"]]

    def pointer(self) -> dict[str, Any]:
        """Which version serves."""
        return dict(self.told("auditor", "GET", MODEL)["pointer"])

    def draft(self, **changes: Any) -> dict[str, Any]:
        """A payslip that can be scored, under a key of its own."""
        return {**self.bodies[0], "idempotency_key": f"test-{uuid.uuid4()}", **changes}

    def score(self, body: Any, identity: str = "scoring-client") -> Answer:
        """Ask for a score."""
        return self.call(identity, "POST", SCORING, body)

    def logged(self, prediction_id: str) -> dict[str, Any]:
        """What the log has of an answer."""
        return dict(self.told("auditor", "GET", f"/v1/predictions/{prediction_id}"))

    def decide(
        self,
        approval_id: str,
        identity: str,
        verdict: str = "approve",
        reason: str = "evidence read",
    ) -> Answer:
        """Sign, or refuse to."""
        path = f"/v1/approvals/{approval_id}/decision"
        return self.call(identity, "POST", path, {"decision": verdict, "reason": reason})

    def propose(self, identity: str, as_of: datetime) -> dict[str, Any]:
        """Propose a retraining on what was known at `as_of`."""
        body = {"trigger_type": "incident", "reason": "a test wants it", "as_of": iso(as_of)}
        return dict(self.told(identity, "POST", f"{MODEL}/retraining", body))

    def train(self, as_of: datetime) -> str:
        """The operator proposes, the data scientist approves, the machine trains: a version."""
        proposed = self.propose("operator", as_of)
        assert self.decide(proposed["approval_id"], "data-scientist").status == 200
        name = proposed["trigger_id"]
        arn = self.wait("the training", lambda: self.execution("training", name=name))
        return str(self.ended(arn).output["version"])

    def request_promotion(self, version: str, identity: str) -> tuple[str, dict[str, Any]]:
        """The promotion's execution, and the approval that it waits for."""
        started = self.told(identity, "POST", f"{MODEL}/promotion", {"version": version})
        arn = str(started["execution"])

        def asked() -> dict[str, Any] | None:
            pending = self.told("team-lead", "GET", "/v1/approvals")["approvals"]
            mine = next((a for a in pending if a["subject"].get("version") == version), None)
            described = self.cloud.client("stepfunctions").describe_execution(executionArn=arn)
            assert mine or described["status"] == "RUNNING", self.failures(arn)
            return mine

        return arn, dict(self.wait("the request for signatures", asked))

    def promote(self, version: str) -> None:
        """Request, sign twice, and see it through every step of its rollout."""
        arn, approval = self.request_promotion(version, "data-scientist")
        for identity in BY_TWO:
            assert self.decide(approval["approval_id"], identity).status == 200
        self.ended(arn)
        assert self.pointer()["champion"]["version"] == version

    def archived(self) -> int:
        """Wait until the archive holds all that the log holds; how many that is."""
        logged = {i["prediction_id"]["S"] for i in self.items("predictions") if "use_case" in i}

        def there() -> int:
            keys = self.keys("lake", f"predictions/use_case={USE_CASE}/")
            found = {key.rsplit("/", 1)[-1].removesuffix(".parquet") for key in keys}
            return len(found) if logged <= found else 0

        return int(self.wait("the archive", there))


@pytest.fixture(scope="session")
def life(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """The model on duty: champion, shadow, and a pay run just scored."""
    lived = Life(cloud, tmp_path_factory.mktemp("delivery"), datetime.now(UTC))
    deliver(lived)
    # From the same data: a challenger that no backtest can find worse, whatever the day.
    lived.versions = [lived.train(lived.as_of), lived.train(lived.as_of)]
    lived.promote(lived.versions[0])
    lived.told("data-scientist", "POST", f"{MODEL}/shadows", {"version": lived.versions[1]})
    pay(lived)
    return lived


def deliver(lived: Life) -> None:
    """Upload a delivery; its closing marker starts the features machine by itself."""
    made = generate(lived.folder, as_of=lived.as_of, batch_months=6, anomalies=0.04, **WORLD)
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda file: lived.upload(file.key, (lived.folder / file.key).read_bytes()),
                made.files,
            )
        )
    lived.upload(f"raw/_COMPLETE/{made.marker.name}", made.marker.read_bytes())
    lived.delivery = made
    since = lived.as_of
    arn = lived.wait("the features machine", lambda: lived.execution("features", since=since))
    lived.ended(arn)


def pay(lived: Life) -> None:
    """Score the first payslips of the coming pay run; what is too old to judge stays out."""
    made = drafts(as_of=lived.as_of, **WORLD)
    bodies = [{**body, "idempotency_key": f"run-{uuid.uuid4()}"} for body in made.requests[:SCORED]]
    with ThreadPoolExecutor(2) as pool:
        answered = list(pool.map(lived.score, bodies))
    for body, answer in zip(bodies, answered, strict=True):
        if answer.status == 424:
            continue
        assert answer.status == 200, answer.body
        lived.bodies.append(body)
        lived.answers.append(answer.body)
    assert len(lived.answers) > SCORED / 2


def text(answer: Any) -> str:
    """A body as the API writes it: JSON keeps its order and its numbers there and back."""
    return json.dumps(answer, separators=(",", ":"))
