"""What runs in the local cloud, counted: one row per thing, for a person or as JSON."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from countersign.cli.local_cloud.client import Cloud

Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One resource of the deployment."""

    kind: str
    name: str
    state: str
    counts: Counts


def rows(cloud: Cloud) -> Iterator[Row]:
    """Tables, buckets, queues, machines, functions and schedules, in this order."""
    outputs = cloud.outputs
    readers = {
        "table": (_table, outputs["tables"]),
        "bucket": (_bucket, outputs["buckets"]),
        "queue": (_queue, outputs["queues"]),
        "machine": (_machine, outputs["state_machines"]),
        "function": (_function, outputs["functions"]),
        "schedule": (_schedule, outputs["schedules"]),
    }
    for kind, (read, named) in readers.items():
        for name, physical in named.items():
            yield Row(kind, name, *read(cloud, physical))


def as_table(found: list[Row]) -> str:
    """Columns for a terminal."""
    lines = [
        (row.kind, row.name, row.state, "  ".join(f"{key} {n}" for key, n in row.counts.items()))
        for row in found
    ]
    widths = [max((len(line[column]) for line in lines), default=0) for column in range(3)]
    return "\n".join(
        "  ".join(
            [*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[3]]
        )
        for line in lines
    )


def _table(cloud: Cloud, name: str) -> tuple[str, Counts]:
    table = cloud.client("dynamodb").describe_table(TableName=name)["Table"]
    return table["TableStatus"], {"items": table["ItemCount"]}


def _bucket(cloud: Cloud, name: str) -> tuple[str, Counts]:
    pages = cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=name)
    return "ACTIVE", {"objects": sum(page["KeyCount"] for page in pages)}


def _queue(cloud: Cloud, url: str) -> tuple[str, Counts]:
    said = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    kinds = {"waiting": "", "in_flight": "NotVisible"}
    found = said["Attributes"]
    return "ACTIVE", {
        key: int(found.get(f"ApproximateNumberOfMessages{kind}", 0)) for key, kind in kinds.items()
    }


def _machine(cloud: Cloud, arn: str) -> tuple[str, Counts]:
    pages = cloud.client("stepfunctions").get_paginator("list_executions")
    seen: Counter[str] = Counter(
        execution["status"].lower()
        for page in pages.paginate(stateMachineArn=arn)
        for execution in page["executions"]
    )
    return "ACTIVE", dict(sorted(seen.items()))


def _function(cloud: Cloud, name: str) -> tuple[str, Counts]:
    said: dict[str, Any] = cloud.client("lambda").get_function_configuration(FunctionName=name)
    return str(said.get("State", "Active")).upper(), {"memory_mb": said["MemorySize"]}


def _schedule(cloud: Cloud, name: str) -> tuple[str, Counts]:
    return str(cloud.client("events").describe_rule(Name=name).get("State", "")), {}
