"""A registry, an audit log and their tables on moto, and the records that tests put into them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from countersign.aws.audit import Audit
from countersign.aws.registry import Registry
from countersign.aws.settings import Settings
from countersign.clock import FixedClock, iso
from countersign.governance.approval_policy import Approval, Decision, deadline, required_roles
from countersign.governance.evidence import evidence_digest, retraining_evidence
from countersign.governance.pointer import Deployed
from countersign.governance.versions import Version, VersionRecord

USE_CASE = "payroll_anomaly"
START = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
REGION = "eu-west-1"
AUTHORS = ({"person": "olga", "role": "operator"}, {"person": "dana", "role": "data-scientist"})


def settings(**changes: Any) -> Settings:
    prefix = f"arn:aws:states:{REGION}:123456789012:stateMachine:countersign-local-"
    return replace(
        Settings(
            environment="local",
            registry_table="registry",
            audit_table="audit",
            predictions_table="predictions",
            online_table="online",
            models_bucket="models",
            lake_bucket="lake",
            seal_bucket="seal",
            machine_arn_prefix=prefix,
            serving_function="score",
        ),
        **changes,
    )


def create_tables(dynamodb: Any) -> None:
    """The registry's and the audit's tables, as infra/ defines them."""
    string, number = "S", "N"
    dynamodb.create_table(
        TableName="registry",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[keyed("pk", "HASH"), keyed("sk", "RANGE")],
        AttributeDefinitions=[typed(n, string) for n in ("pk", "sk", "gsi_pk", "gsi_sk")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_status",
                "KeySchema": [keyed("gsi_pk", "HASH"), keyed("gsi_sk", "RANGE")],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    dynamodb.create_table(
        TableName="audit",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[keyed("pk", "HASH"), keyed("seq", "RANGE")],
        AttributeDefinitions=[typed("pk", string), typed("seq", number)],
    )


def keyed(name: str, kind: str) -> dict[str, str]:
    return {"AttributeName": name, "KeyType": kind}


def typed(name: str, kind: str) -> dict[str, str]:
    return {"AttributeName": name, "AttributeType": kind}


class World:
    """One registry with a clock that tests move."""

    def __init__(self, **changes: Any) -> None:
        self.dynamodb = boto3.client("dynamodb", region_name=REGION)
        create_tables(self.dynamodb)
        self.clock = FixedClock(START)
        self.settings = settings(**changes)
        self.registry = Registry(self.dynamodb, self.settings, self.clock)
        self.audit = Audit(self.dynamodb, "audit", self.clock)

    def later(self, span: timedelta = timedelta(seconds=1)) -> None:
        self.clock.at += span

    def register(self, run: str, **changes: Any) -> Version:
        """A staged version of its own run and dataset."""
        made = self.registry.put_version(record(run, **changes))
        self.later()
        return self.registry.stage_version(USE_CASE, made.version)

    def open_promotion(self, version: Version, *, name: str = "") -> Approval:
        evidence = self.registry.evidence(USE_CASE, version.version, {})
        return self.registry.open_approval(
            approval(self, name or f"a-{version.version}", {"version": version.version}, evidence)
        )

    def open_retraining(self, name: str = "a-retraining", **proposal: Any) -> Approval:
        trigger_id = self.registry.propose_retraining(
            USE_CASE, "incident", {"n": 1.0}, "olga", role="operator", **proposal
        )
        evidence = retraining_evidence(self.registry.trigger(USE_CASE, trigger_id))
        return self.registry.open_approval(
            approval(self, name, {"trigger_id": trigger_id}, evidence, kind="retraining")
        )

    def decide(self, opened: Approval, role: str, person: str = "", **changes: Any) -> Approval:
        made = Decision(
            role=role,
            person=person or f"some-{role}",
            verdict="approve",
            reason="read",
            evidence_digest=opened.evidence_digest,
            at=iso(self.clock.now()),
        )
        self.later()
        return self.registry.decide(opened.approval_id, replace(made, **changes))

    def approve(self, version: Version, *, name: str = "") -> Approval:
        """Open and sign the promotion of a version by both roles."""
        opened = self.open_promotion(version, name=name)
        for role in opened.required_roles:
            opened = self.decide(opened, role)
        return opened

    def roll_out(self, version: Version, approval_id: str, *, rollout: str = "") -> None:
        """Two steps of cohorts, then champion."""
        rollout = rollout or f"r-{version.version}"
        champion = self.champion()
        for step, cohorts in enumerate((["ES"], ["ES", "DE"]), start=1):
            self.registry.serve_cohorts(
                USE_CASE, pinned(version), rollout_id=rollout, cohorts=cohorts, step=step,
                approval_id=approval_id, champion=champion, actor="machine",
            )  # fmt: skip
        self.later()
        self.registry.promote(
            USE_CASE, pinned(version), rollout_id=rollout, approval_id=approval_id,
            champion=champion, actor="machine",
        )  # fmt: skip

    def champion(self) -> str:
        standing = self.registry.pointer(USE_CASE)["champion"]
        return standing["version"] if standing else ""

    def to_production(self, run: str, **changes: Any) -> Version:
        """Register, approve and roll out."""
        version = self.register(run, **changes)
        self.roll_out(version, self.approve(version).approval_id)
        return self.registry.version(USE_CASE, version.version)


def pinned(version: Version) -> Deployed:
    return Deployed(version=version.version, digest=version.digest)


def approval(
    world: World,
    name: str,
    subject: dict[str, str],
    evidence: dict[str, Any],
    *,
    kind: str = "promotion",
) -> Approval:
    return Approval(
        approval_id=name,
        use_case=USE_CASE,
        kind=kind,
        subject=subject,
        requested_by="dana",
        authors=AUTHORS if kind == "promotion" else AUTHORS[:1],
        required_roles=required_roles(kind, "other"),
        evidence=evidence,
        evidence_digest=evidence_digest(evidence),
        opened_at=iso(world.clock.now()),
        deadline_at=iso(deadline(kind, world.clock.now())),
    )


def record(run: str, **changes: Any) -> VersionRecord:
    made = VersionRecord(
        use_case=USE_CASE,
        version="",
        digest=f"digest-of-{run}",
        run_id=run,
        model_type="isolation_forest",
        owner="payroll-ml",
        training_date=iso(START),
        dataset_id=f"dataset-{run}",
        dataset_digest=f"rows-of-{run}",
        feature_list=("gross", "z_score"),
        feature_code_digest="code-1",
        input_schema_digest="in-1",
        output_schema_digest="out-1",
        hyperparameters={"trees": 100, "contamination": 0.02},
        environment={"python": "3.13"},
        metrics={"auc": 0.91, "recall": 0.8, "brier": None},
        gates_passed=True,
        gates=({"metric": "auc", "at_least": 0.8, "value": 0.91, "passed": True},),
        fairness_audit="PASS",
        cost_optimal_threshold=0.61,
        evaluation_digest=f"evaluation-of-{run}",
        eval_report_key=f"{USE_CASE}/runs/{run}/report.html",
        authors=AUTHORS,
        recall=0.8,
        false_positive=0.04,
        intervals={"auc": [0.88, 0.94], "recall": [0.7, 0.88], "brier": [None, None]},
        serving_endpoint="/v1/payroll/anomaly/score",
        as_of=iso(START),
        windows={"train": {"rows": 600}, "valid": {"rows": 200}, "test": {"rows": 200}},
        features_used={"worker_pay": ["gross"], "request": ["z_score"]},
        definitions={"worker_pay": "definition-1"},
        seed=7,
        scoring={"rules_version": "rules-1"},
        interface={"request": ["worker_id"], "classes": [], "strategies": []},
    )
    return replace(made, **changes)
