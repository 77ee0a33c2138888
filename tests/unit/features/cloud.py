"""The feature store's corner of AWS in moto: raw and lake buckets, the online and registry tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from countersign.aws.session import client
from countersign.aws.settings import Settings
from countersign.aws.stores import Stores
from countersign.clock import FixedClock
from moto import mock_aws

NOW = datetime(2026, 11, 21, 5, 47, tzinfo=UTC)
REGION = "eu-west-1"
TABLES = ("online", "registry", "audit")


@dataclass
class Cloud:
    """Stores over moto, and the clock they read."""

    stores: Stores
    clock: FixedClock

    def items(self, table: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = client("dynamodb").scan(TableName=table)["Items"]
        return found


@contextmanager
def cloud(environment: str = "local") -> Iterator[Cloud]:
    """A fresh, empty account. AWS_DEFAULT_REGION must be set by the caller."""
    with mock_aws():
        client.cache_clear()
        for bucket in ("raw", "lake"):
            client("s3").create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
        for table in TABLES:
            make_table(table)
        notices = client("sns").create_topic(Name="notices")["TopicArn"]
        settings = Settings(
            environment=environment,
            online_table="online",
            registry_table="registry",
            audit_table="audit",
            notices_topic_arn=notices,
            raw_bucket="raw",
            lake_bucket="lake",
        )
        clock = FixedClock(NOW)
        yield Cloud(Stores(settings, clock), clock)
    client.cache_clear()


def make_table(name: str) -> None:
    keys = {"pk": "S", "seq": "N"} if name == "audit" else {"pk": "S", "sk": "S"}
    client("dynamodb").create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": key, "KeyType": kind}
            for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)
        ],
        AttributeDefinitions=[{"AttributeName": k, "AttributeType": t} for k, t in keys.items()],
        BillingMode="PAY_PER_REQUEST",
    )
