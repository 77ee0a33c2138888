"""The training machine's steps over moto: deliveries in, features built, a trigger approved, a version out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from countersign import use_cases
from countersign.aws.session import client
from countersign.aws.settings import Settings
from countersign.aws.stores import Stores
from countersign.clock import FixedClock, iso
from countersign.serving.session import FILES, ModelSession
from countersign.steps import (
    approval,
    build_features,
    evaluate,
    export_model,
    freeze_dataset,
    ingest,
    register,
    report,
    train,
)
from moto import mock_aws

from tests.unit.features.cloud import make_table
from tests.unit.registry.world import create_tables

NOW = datetime(2026, 11, 21, 5, 47, tzinfo=UTC)
REGION = "eu-west-1"


class Machine:
    """The steps of features and training, in the order of their machines."""

    def __init__(self, stores: Stores, clock: FixedClock) -> None:
        self.stores, self.clock = stores, clock
        self.asked = 0

    def deliver(self, folder: Path, keys: Iterable[str]) -> None:
        """Upload files and ingest them; each must be accepted whole."""
        for key in keys:
            self.stores.raw.put(key, (folder / key).read_bytes())
            found = ingest.run(ingest.Request(key=key), self.stores)
            assert isinstance(found, ingest.Result)
            assert (found.status, found.bad_rows) == ("accepted", 0), key

    def build(self, *names: str) -> None:
        """Build the views of these use cases, each in one bucket."""
        for view in sorted({v.name for name in names for v in use_cases.get(name).views}):
            asked = build_features.Request(action="build", view=view, as_of=iso(self.clock.at))
            build_features.run(asked, self.stores)

    def approved(self, use_case: str) -> str:
        """The id of a trigger that the operator proposed and the data scientist approved."""
        self.asked += 1
        trigger = self.stores.registry.propose_retraining(
            use_case, "incident", {}, "olga", role="operator", key=f"ask-{self.asked}"
        )
        opened = approval.run(
            approval.Request(
                action="open",
                use_case=use_case,
                kind="retraining",
                subject={"trigger_id": trigger},
                requested_by="olga",
                requester_role="operator",
                key=trigger,
            ),
            self.stores,
        )
        role = "data-scientist"
        asked = approval.Request(
            action="decide",
            approval_id=opened["approval_id"],
            role=role,
            decision="approve",
            reason="the data was read",
            person=f"console:{role}",
            via="arn:execution",
        )
        approval.run(asked, self.stores)
        return trigger

    def train(self, use_case: str, *, trigger: str = "") -> Trained:
        """Authorise, freeze, train, export, evaluate, register where the gates hold, and report."""
        trigger = trigger or self.approved(use_case)
        run = Trained(self.stores, use_case, self.authorise(use_case, trigger))
        run.freeze()
        run.learn()
        run.judge()
        return run

    def authorise(self, use_case: str, trigger: str) -> dict[str, Any]:
        asked = register.Request(
            action="authorise", use_case=use_case, trigger_id=trigger, execution=f"arn:{trigger}"
        )
        return register.run(asked, self.stores)


class Trained:
    """One run on its way. Each part may be done again."""

    def __init__(self, stores: Stores, use_case: str, authorised: dict[str, Any]) -> None:
        self.stores, self.use_case, self.as_of = stores, use_case, str(authorised["as_of"])
        self.run_id = str(authorised["run_id"])
        self.folder = f"{use_case}/runs/{self.run_id}"
        self.dataset_id = ""
        self.registered: dict[str, Any] = {}

    @property
    def asked(self) -> dict[str, Any]:
        names = ("use_case", "run_id", "dataset_id")
        return {name: getattr(self, name) for name in names}

    def freeze(self) -> freeze_dataset.Result:
        asked = freeze_dataset.Request(use_case=self.use_case, run_id=self.run_id, as_of=self.as_of)
        frozen = freeze_dataset.run(asked, self.stores)
        assert isinstance(frozen, freeze_dataset.Result)
        self.dataset_id = frozen.dataset_id
        return frozen

    def learn(self) -> train.Result:
        """Train and export."""
        made = train.run(train.Request(**self.asked), self.stores)
        export_model.run(export_model.Request(**self.asked), self.stores)
        return made

    def judge(self) -> evaluate.Result:
        """Evaluate; register or reject; report."""
        verdict = evaluate.run(evaluate.Request(**self.asked), self.stores)
        if verdict.passed:
            asked = register.Request(action="register", **self.asked)
            self.registered = register.run(asked, self.stores)
        else:
            error = {"Error": "GateError", "Cause": str(verdict.failed)}
            asked = register.Request(
                action="reject", use_case=self.use_case, run_id=self.run_id, error=error
            )
            register.run(asked, self.stores)
        told = report.Request(kind="evaluation", use_case=self.use_case, run_id=self.run_id)
        report.run(told, self.stores)
        return verdict

    def document(self, name: str = "evaluation.json") -> dict[str, Any]:
        """A JSON file of the run."""
        found: dict[str, Any] = self.stores.artifacts.read_json(f"{self.folder}/{name}")
        return found

    def figures(self) -> dict[str, float]:
        """The metrics by name."""
        return {name: found["value"] for name, found in self.document()["metrics"].items()}


@contextmanager
def machine(environment: str = "local") -> Iterator[Machine]:
    """An empty account of its own with every store that the steps touch."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        client.cache_clear()
        key = boto3.client("kms").create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
        for bucket in ("raw", "lake", "models"):
            client("s3").create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
        create_tables(client("dynamodb"))
        make_table("online")
        settings = Settings(
            environment=environment,
            online_table="online",
            registry_table="registry",
            audit_table="audit",
            raw_bucket="raw",
            lake_bucket="lake",
            models_bucket="models",
            signing_key_arn=key["KeyMetadata"]["Arn"],
            notices_topic_arn=client("sns").create_topic(Name="notices")["TopicArn"],
        )
        clock = FixedClock(NOW)
        yield Machine(Stores(settings, clock), clock)
    client.cache_clear()


def is_registered(run: Trained) -> None:
    """The whole birth certificate stands: files, record, trigger, chain, and a model that scores."""
    assert (run.registered.get("version"), run.registered.get("stage")) == ("1.0.0", "Staging")
    stores, name = run.stores, run.use_case
    version = stores.registry.version(name, "1.0.0")
    assert version.record.gates_passed
    assert version.record.fairness_audit != "FAIL"
    held = {key.rpartition("/")[2] for key in stores.artifacts.keys(f"{name}/1.0.0/")}
    assert {*FILES, "native.npz", "card.md", "evaluation.json", "parity.json"} <= held
    assert run.document("parity.json")["max_abs_difference"] <= 1e-5
    artifact = stores.artifacts.load(f"{name}/1.0.0", FILES, digest=version.digest)
    assert ModelSession.load(artifact).classes == use_cases.get(name).label.classes
    (trigger,) = [t for t in stores.registry.triggers(name) if t["retrained_version"]]
    assert (trigger["status"], trigger["retrained_version"]) == ("DONE", "1.0.0")
    told = [entry.action for entry in stores.audit.entries(name)]
    for action in ("training-started", "gates-judged", "version-registered"):
        assert action in told
    page = stores.artifacts.get(f"{run.folder}/report.html").decode()
    assert "<html" in page.lower()


def within(run: Trained, **bounds: tuple[float, float]) -> None:
    figures = run.figures()
    for name, (low, high) in bounds.items():
        assert low <= figures[name] <= high, (name, figures[name])


def is_rejected(run: Trained, *failed: str) -> None:
    """No version; the trigger and the chain say why; and whoever wants to try again has a report."""
    stores, name = run.stores, run.use_case
    assert not run.registered
    assert stores.registry.versions(name) == []
    (trigger,) = stores.registry.triggers(name)
    assert trigger["status"] == "FAILED"
    assert "run-rejected" in [entry.action for entry in stores.audit.entries(name)]
    page = stores.artifacts.get(f"{run.folder}/report.html").decode()
    for metric in failed:
        assert metric in str(trigger["error"])
        assert metric.replace("_", " ") in page.lower()
