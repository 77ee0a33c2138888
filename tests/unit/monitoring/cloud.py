"""A model in production on moto, its baseline, its archive, and an inbox behind the notices topic."""

from __future__ import annotations

import io
import json
from datetime import date, datetime, timedelta
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from countersign.aws.session import client
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.monitoring.baseline import freeze
from countersign.serving.archive import archive_key, parquet_rows
from countersign.serving.prediction import Prediction

from tests.unit.predictions.cloud import prediction
from tests.unit.registry.world import REGION, USE_CASE, World, keyed, typed


class Duty:
    """Version 1.0.0 of payroll_anomaly is champion; the clock stands at Saturday 2026-11-21."""

    def __init__(self) -> None:
        client.cache_clear()
        sns, sqs = boto3.client("sns", region_name=REGION), boto3.client("sqs", region_name=REGION)
        topic = sns.create_topic(Name="notices")["TopicArn"]
        self.inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn(sqs, self.inbox))
        self.world = World(notices_topic_arn=topic, signing_key_arn="unused", time_scale=0.0)
        place = {"LocationConstraint": REGION}
        for bucket in ("lake", "models"):
            boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        create_predictions(self.world.dynamodb)
        self.stores = Stores(self.world.settings, self.world.clock)
        self.version = self.world.to_production("run-1").version
        self.stores.lake.write_json(
            f"baselines/{USE_CASE}/{self.version}.json", freeze(*columns(4_000, 1))
        )
        self.world.clock.at = datetime.fromisoformat("2026-11-21T06:00:00+00:00")

    def archive(
        self, rows: int, *, day: date, seed: int, moved: float = 0.0, **changes: Any
    ) -> list[Prediction]:
        """Archive `rows` answers of a day, in one file for speed; `moved` shifts gross pay in logs."""
        features, scores = columns(rows, seed, moved=moved)
        made = [
            prediction(
                seed * 100_000 + i,
                use_case=USE_CASE,
                features={name: number(values[i]) for name, values in features.items()},
                score=float(scores[i]),
                version=changes.get("version", self.version),
                degraded=changes.get("degraded", ()),
                outcome=changes["outcomes"][i] if "outcomes" in changes else None,
                decision=changes["decisions"][i] if "decisions" in changes else "pass",
                at=iso(datetime.fromisoformat(f"{day}T09:00:00+00:00") + timedelta(seconds=i)),
            )
            for i in range(rows)
        ]
        key, content = archive_key(made[0]), in_one_file(made)
        self.stores.lake.put(key, content)
        return made

    def archive_one_by_one(self, rows: int, *, day: date) -> None:
        """As the product does: one small file each."""
        at = f"{day}T09:00:00.000000Z"
        made = [prediction(int(f"{day:%Y%m%d}{i:04d}"), at=at) for i in range(rows)]
        for logged, content in parquet_rows(made):
            self.stores.lake.put(archive_key(logged), content)

    def notices(self) -> list[dict[str, Any]]:
        """What arrived since the last look."""
        answer = client("sqs").receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            client("sqs").delete_message(
                QueueUrl=self.inbox, ReceiptHandle=message["ReceiptHandle"]
            )
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def in_one_file(made: list[Prediction]) -> bytes:
    """Rows of the schema that the archive itself writes."""
    ((_, first),) = parquet_rows(made[:1])
    written = pq.read_schema(io.BytesIO(first))
    schema = pa.schema([column.with_nullable(True) for column in written])
    facts = [
        {
            **{n: getattr(p, n) for n in schema.names if hasattr(p, n)},
            "at": datetime.fromisoformat(p.at),
            "degraded": bool(p.degraded),
            **labelled(p),
            "upstream": None,
            **{f"f_{name}": value for name, value in p.features.items()},
        }
        for p in made
    ]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(facts, schema=schema), buffer)
    return buffer.getvalue()


def labelled(logged: Prediction) -> dict[str, Any]:
    label = logged.outcome["label"] if logged.outcome else None
    named = isinstance(label, str)
    return {"outcome": None if named else label, "outcome_class": label if named else None}


def columns(rows: int, seed: int, *, moved: float = 0.0) -> tuple[dict[str, Any], Any]:
    """Two features, one with nulls, and scores."""
    g = np.random.default_rng(seed)
    gross = np.exp(g.normal(8 + moved, 0.3, rows))
    z = np.where(g.random(rows) < 0.05, np.nan, g.normal(size=rows))
    return {"gross": gross, "z_score": z}, g.beta(2, 6, rows)


def create_predictions(dynamodb: Any) -> None:
    names = ("prediction_id", "use_case", "at")
    dynamodb.create_table(
        TableName="predictions",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[keyed("prediction_id", "HASH")],
        AttributeDefinitions=[typed(name, "S") for name in names],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_use_case",
                "KeySchema": [keyed("use_case", "HASH"), keyed("at", "RANGE")],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def queue_arn(sqs: Any, url: str) -> str:
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])
