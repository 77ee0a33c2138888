"""What the demo holds of the system: its outside. S3, the signed API, executions, schedules."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from countersign.cli.demo.recorder import DemoError, Recorder
from countersign.cli.local_cloud.client import Cloud, Execution
from countersign.cli.local_cloud.settings import CloudSettings, from_environment
from countersign.clock import iso

USE_CASE = "payroll_anomaly"
POLL_SECONDS = 0.25


class MachineFailedError(DemoError):
    """An execution ended badly in `state`."""

    def __init__(self, detail: str, *, state: str) -> None:
        super().__init__(detail)
        self.state = state


class World:
    """The outside of the running system, and what the demo remembers from step to step."""

    def __init__(
        self,
        recorder: Recorder,
        folder: Path,
        options: argparse.Namespace,
        settings: CloudSettings | None = None,
    ) -> None:
        self.recorder = recorder
        self.say = recorder.say
        self.settings = settings or from_environment()
        self.folder = folder
        self.options = options
        self.as_of = datetime.now(UTC)
        self.reports: list[Path] = []
        self.versions: list[str] = []
        self.predictions: list[dict[str, Any]] = []
        self.drafts: list[dict[str, Any]] = []
        self.stale = 0
        self.promotion = ""

    def now(self) -> datetime:
        """The wall clock."""
        return datetime.now(UTC)

    def now_iso(self) -> str:
        """The wall clock, as the API writes it."""
        return iso(self.now())

    @cached_property
    def cloud(self) -> Cloud:
        """The deployed system, as its `outputs.json` describes it."""
        return Cloud.from_file(self.settings.outputs)

    def client(self, service: str, identity: str | None = None) -> Any:
        """A boto3 client signed by `identity`, or by the account's owner."""
        return self.cloud.client(service, identity)

    def api(
        self, identity: str, method: str, path: str, body: Any = None, *, expect: int = 200
    ) -> Any:
        """One signed request. Raises DemoError when the status is not the expected one."""
        status, _, answer = self.cloud.api(identity).request(method, path, json=body)
        if status != expect:
            detail = answer.get("detail", "") if isinstance(answer, dict) else ""
            raise DemoError(f"{method} {path} as {identity}: {status}, expected {expect}. {detail}")
        return answer

    def wait(self, what: str, look: Callable[[], Any], *, seconds: float = 90) -> Any:
        """Poll `look` until it gives something; DemoError when the time is up."""
        deadline = time.monotonic() + seconds
        self.say(f"waiting for {what}")
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(POLL_SECONDS)
        raise DemoError(f"Waited {seconds:.0f} s for {what}; `make logs` shows what the cloud did")

    def execution(self, arn: str, *, seconds: float = 180) -> Execution:
        """Wait for an execution to end well."""
        ended = self.ended(arn, seconds=seconds)
        if not ended.ok:
            raise MachineFailedError(
                f"{machine_of(arn)} {ended.status} in {ended.failed_state}: "
                f"{ended.error} {ended.cause}"[:600],
                state=ended.failed_state,
            )
        return ended

    def ended(self, arn: str, *, seconds: float) -> Execution:
        """Wait for an execution to end, well or not."""
        self.say(f"{machine_of(arn)} machine")
        try:
            return self.cloud.await_execution(arn, seconds)
        except TimeoutError as error:
            raise DemoError(str(error)) from error

    def fail_fast(self, arn: str) -> None:
        """Raise DemoError when the execution has ended badly, so that nobody waits for nothing."""
        state = self.client("stepfunctions").describe_execution(executionArn=arn)
        if state["status"] not in {"RUNNING", "SUCCEEDED"}:
            self.execution(arn)

    def newest_execution(self, machine: str, since: datetime) -> str | None:
        """The ARN of the newest execution of `machine` started at or after `since`."""
        arn = self.cloud.outputs["state_machines"][machine]
        client = self.client("stepfunctions")
        found = client.list_executions(stateMachineArn=arn, maxResults=10)["executions"]
        recent = [e for e in found if e["startDate"] >= since]
        return max(recent, key=lambda e: e["startDate"])["executionArn"] if recent else None

    def subscribe(self) -> str:
        """A queue of our own behind the notices topic, as a pager would have; returns its URL."""
        sqs, sns = self.client("sqs"), self.client("sns")
        url: str = sqs.create_queue(QueueName=f"demo-inbox-{int(self.as_of.timestamp())}")[
            "QueueUrl"
        ]
        named = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn, topic = named["Attributes"]["QueueArn"], self.cloud.outputs["topics"]["notices"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return url

    def read_notice(self, url: str) -> dict[str, Any] | None:
        """The next notice in the inbox, if there is one."""
        messages = self.client("sqs").receive_message(QueueUrl=url).get("Messages", [])
        notice: dict[str, Any] | None = json.loads(messages[0]["Body"]) if messages else None
        return notice

    def save_report(self, bucket: str, key: str) -> str:
        """Fetch a report beside the summary; returns its path."""
        target = self.folder / "reports" / key.replace("/", "_")
        target.parent.mkdir(parents=True, exist_ok=True)
        body = self.client("s3").get_object(Bucket=self.cloud.outputs["buckets"][bucket], Key=key)
        target.write_bytes(body["Body"].read())
        self.reports.append(target)
        return str(target)


def machine_of(execution_arn: str) -> str:
    """The machine's name in an execution's ARN."""
    return execution_arn.rsplit(":", 2)[-2]


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Seconds since the block began."""
    started = time.monotonic()
    yield lambda: round(time.monotonic() - started, 3)
