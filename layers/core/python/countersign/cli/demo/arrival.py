"""Steps `ingest` and `features`: from files in S3 to values in the online store."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from countersign.cli.demo.recorder import DemoError, Facts
from countersign.cli.demo.world import USE_CASE, World
from countersign.cli.payroll_generator.delivery import generate

UPLOADS = 8
MALFORMED = "raw/payslips/ingest_date={day}/payslips-malformed.csv"


def ingest(world: World) -> Facts:
    """Upload a delivery and one malformed file; wait until every file is accepted or quarantined."""
    world.say("generating payroll")
    options = world.options
    delivery = generate(
        world.folder / "delivery",
        seed=options.seed,
        workers=options.workers,
        months=options.months,
        as_of=world.as_of,
        batch_months=6,
    )
    raw = world.cloud.outputs["buckets"]["raw"]
    s3 = world.client("s3")
    root = world.folder / "delivery"
    keys = [file.key for file in delivery.files]
    world.say(f"uploading {len(keys)} files")
    with ThreadPoolExecutor(UPLOADS) as pool:
        list(pool.map(lambda key: s3.upload_file(str(root / key), raw, key), keys))
    malformed = MALFORMED.format(day=world.as_of.date())
    s3.put_object(Bucket=raw, Key=malformed, Body=b"payslip_id,worker\nP1,W1\n")
    marker = f"raw/_COMPLETE/{delivery.marker.name}"
    s3.upload_file(str(delivery.marker), raw, marker)
    reason = world.wait("the malformed file's quarantine", lambda: quarantined(world, malformed))
    return {
        "files": len(keys) + 1,
        "rows": sum(delivery.rows.values()),
        "bytes": sum(file.bytes for file in delivery.files),
        "anomalies": sum(delivery.anomalies.values()),
        "quarantined": 1,
        "quarantine_reason": reason,
    }


def quarantined(world: World, key: str) -> str | None:
    """The reason that stands beside a quarantined file, once it is there."""
    s3 = world.client("s3")
    raw = world.cloud.outputs["buckets"]["raw"]
    prefix = key.replace("raw/", "quarantine/", 1)
    found = s3.list_objects_v2(Bucket=raw, Prefix=prefix).get("Contents", [])
    reasons = [item["Key"] for item in found if item["Key"].endswith(".reason.json")]
    if not reasons:
        return None
    document: dict[str, Any] = json.loads(s3.get_object(Bucket=raw, Key=reasons[0])["Body"].read())
    return str(document.get("reason") or document.get("detail"))


def features(world: World) -> Facts:
    """Wait for the features machine, which the delivery's closing marker started by itself."""
    arn = world.wait(
        "the features machine to start by itself",
        lambda: world.newest_execution("features", world.as_of),
    )
    ended = world.execution(arn, seconds=240)
    catalogue = world.api("data-scientist", "GET", "/v1/features")
    output = ended.output
    return {
        "execution": arn,
        "seconds": round(ended.seconds, 1),
        "features": len(catalogue["features"]),
        "online_entities": online_entities(world),
        "freshness": output.get("freshness", output),
    }


def online_entities(world: World) -> int:
    """Items in the online store."""
    table = world.cloud.outputs["tables"]["online"]
    pages = world.client("dynamodb").get_paginator("scan").paginate(TableName=table, Select="COUNT")
    count: int = sum(page["Count"] for page in pages)
    if not count:
        raise DemoError(f"Nothing of {USE_CASE} was materialized")
    return count


def truth_file(folder: Path) -> Path:
    """Where the generator keeps its ground truth, apart from what it delivers."""
    return next((folder / "delivery" / "truth").glob("anomalies-*.csv"))
