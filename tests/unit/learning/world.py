"""The stores of a learning step over moto, with a declared use case and a frozen dataset."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from countersign import use_cases
from countersign.aws import session
from countersign.aws.settings import Settings
from countersign.aws.stores import Stores
from countersign.clock import FixedClock
from countersign.governance.pointer import empty
from countersign.governance.versions import Version
from countersign.steps import evaluate, export_model, train
from moto import mock_aws

from tests.unit.learning.cases import SMALL, dataset_objects
from tests.unit.registry.world import create_tables, record

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
RUN = {"use_case": "small", "run_id": "run-1", "dataset_id": "d1"}
FOLDER = "small/runs/run-1"


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    """Empty buckets, a signing key, and the use case `small`."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setitem(use_cases.all_use_cases(), "small", SMALL)
    session.client.cache_clear()
    with mock_aws():
        kms = boto3.client("kms")
        key = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]
        for bucket in ("lake", "models"):
            boto3.client("s3").create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
            )
        create_tables(boto3.client("dynamodb"))
        settings = Settings(
            environment="dev",
            registry_table="registry",
            audit_table="audit",
            lake_bucket="lake",
            models_bucket="models",
            signing_key_arn=key["Arn"],
        )
        yield Stores(settings, FixedClock(NOW))
    session.client.cache_clear()


def registered(stores: Stores, run_id: str, *, dataset_id: str = "d1") -> Version:
    """A trained run as a version: its files copied, its record in the registry, at Staging."""
    freeze(stores, dataset_id)
    request = {"use_case": "small", "run_id": run_id, "dataset_id": dataset_id}
    train.run(train.Request(**request), stores)
    digest = export_model.run(export_model.Request(**request), stores).digest
    made = stores.registry.put_version(
        record(
            run_id, use_case="small", digest=digest, dataset_id=dataset_id, dataset_digest=run_id
        )
    )
    for key in stores.artifacts.keys(f"small/runs/{run_id}/"):
        name = key.rpartition("/")[2]
        stores.artifacts.copy(key, f"small/{made.version}/{name}")
    return stores.registry.stage_version("small", made.version)


def crown(stores: Stores, version: Version) -> None:
    """Let the pointer stand as if the version had been rolled out."""
    champion = {"version": version.version, "digest": version.digest}
    stores.registry.put("model#small", "pointer", {**empty(), "epoch": 1, "champion": champion})


def freeze(stores: Stores, dataset_id: str = "d1", **facts: Any) -> None:
    """Leave a frozen dataset in the lake."""
    for key, content in dataset_objects(dataset_id, **facts).items():
        stores.lake.put(key, content)


def trained(stores: Stores, **request: Any) -> tuple[train.Result, export_model.Result]:
    """Freeze, train and export a candidate."""
    freeze(stores)
    chosen = {**RUN, **request}
    first = train.run(train.Request(**chosen), stores)
    return first, export_model.run(export_model.Request(**chosen), stores)


def judged(stores: Stores) -> evaluate.Result:
    """Freeze, train, export and evaluate a candidate."""
    trained(stores)
    return evaluate.run(evaluate.Request(**RUN), stores)
