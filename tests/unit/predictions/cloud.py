"""The prediction log's corner of AWS in moto: its table, the lake, the queues."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from countersign.aws.session import client
from countersign.aws.settings import Settings
from countersign.aws.stores import Stores
from countersign.clock import FixedClock, iso
from countersign.serving.prediction import Prediction
from moto import mock_aws

NOW = datetime(2026, 11, 21, 5, 47, tzinfo=UTC)
REGION = "eu-west-1"
_ours: dict[str, Any] = {}


@dataclass
class Cloud:
    """Stores over moto, and the clock they read."""

    stores: Stores
    clock: FixedClock

    def messages(self, queue_url: str) -> list[str]:
        answer = client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
        return [message["Body"] for message in answer.get("Messages", [])]


@contextmanager
def cloud() -> Iterator[Cloud]:
    """A fresh, empty account. AWS_DEFAULT_REGION must be set by the caller."""
    with mock_aws():
        if client("dynamodb") is not _ours.get("dynamodb"):  # another suite's: not moto's
            client.cache_clear()
            _ours["dynamodb"] = client("dynamodb")
        clock = FixedClock(NOW)
        yield Cloud(Stores(settings_of_a_fresh_account(), clock), clock)


def settings_of_a_fresh_account() -> Settings:
    make_tables(client("dynamodb"))
    for bucket in ("lake", "models"):
        client("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
    key = client("kms").create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
    queues = {
        name: client("sqs").create_queue(QueueName=name)["QueueUrl"]
        for name in ("shadow", "archive")
    }
    return Settings(
        environment="local",
        online_table="online",
        registry_table="registry",
        predictions_table="predictions",
        lake_bucket="lake",
        models_bucket="models",
        signing_key_arn=key["KeyMetadata"]["Arn"],
        shadow_queue_url=queues["shadow"],
        archive_queue_url=queues["archive"],
    )


def make_tables(dynamodb: Any) -> None:
    for table in ("online", "registry"):
        dynamodb.create_table(
            TableName=table,
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    dynamodb.create_table(
        TableName="predictions",
        KeySchema=[{"AttributeName": "prediction_id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in ("prediction_id", "use_case", "at")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_use_case",
                "KeySchema": [
                    {"AttributeName": "use_case", "KeyType": "HASH"},
                    {"AttributeName": "at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )


def prediction(number: int = 1, **changes: Any) -> Prediction:
    """A logged prediction, with every kind of value that one can hold."""
    facts: dict[str, Any] = {
        "prediction_id": f"{number:032x}",
        "use_case": "payroll_anomaly",
        "tenant": "acme",
        "entity_id": "W-000001",
        "cohort": "DE",
        "request_digest": "d" * 64,
        "idempotency_key": f"key-{number}",
        "features": {"gross": 0.1 + 0.2, "z": -3.5e-7, "trend": None, "count": 2.0},
        "score": 0.30000000000000004,
        "model_score": 0.1234567890123456,
        "rule_score": 1.0,
        "decision": "review",
        "threshold": 0.25,
        "reason_codes": ({"code": "HIGH", "text": "Pay is far above"},),
        "version": "1.2.0",
        "artifact_digest": "a" * 64,
        "epoch": 3,
        "rules_version": "0123456789ab",
        "degraded": (),
        "feature_ages": {"worker_pay": 86400.5},
        "latency_ms": {"read": 1.25},
        "at": iso(NOW),
        "answer": '{"score":0.30000000000000004}',
    }
    return Prediction(**facts | changes)
