"""What guards the features, deployed: a block stops scoring until an operator lifts it; the canary is heard."""

import json
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from countersign.aws.attributes import marshal_item
from countersign.cli.local_cloud.client import Answer, Cloud
from countersign.clock import iso
from countersign.use_cases import get

USE_CASE = "payroll_anomaly"
EVENT = Path(__file__).parents[2] / "events" / "score.json"
ALERT = {
    "view": "worker_pay",
    "feature": "worker_gross_pay_6m_mean",
    "check": "null rate",
    "text": "worker_gross_pay_6m_mean: 3.00% null, critical",
    "day": "2026-11-21",
    "cleared_at": None,
}


def score(cloud: Cloud, worker: str = "W-nobody") -> Answer:
    """A valid body, by default of a worker whom nobody knows."""
    body = json.loads(json.loads(EVENT.read_text())["body"])
    body |= {"worker_id": worker, "idempotency_key": str(uuid.uuid4())}
    return cloud.api("scoring-client").request("POST", get(USE_CASE).api_path, json=body)


def raise_block(cloud: Cloud) -> None:
    at = "2026-11-21T02:20:00.000000Z"
    block: dict[str, Any] = {
        "pk": f"block#{USE_CASE}", "sk": "state", "status": "raised", "raised_at": at,
        "day": at[:10], "alerts": [ALERT], "cleared_at": None, "acknowledged_by": None,
        "acknowledged_at": None, "reason": None, "accepted": [], "judged": {}, "revision": 1,
    }  # fmt: skip
    table = cloud.outputs["tables"]["registry"]
    cloud.client("dynamodb").put_item(TableName=table, Item=marshal_item(block))


def test_a_block_stops_scoring_and_an_operator_lifts_it(cloud: Cloud) -> None:
    raise_block(cloud)
    time.sleep(1.1)  # a worker that is warm may have looked a moment ago
    status, _, problem = score(cloud)
    assert (status, problem["type"]) == (424, "urn:countersign:problem:quality-block")
    assert cloud.api("auditor").request("GET", "/v1/data-quality").body["blocked"] == [USE_CASE]
    path, reason = f"/v1/data-quality/{USE_CASE}/acknowledgement", {"reason": "a test is over"}
    assert cloud.api("auditor").request("POST", path, json=reason).status == 403
    assert cloud.api("operator").request("POST", path, json=reason).status == 200
    time.sleep(1.1)
    assert score(cloud).status == 404  # no such worker


def test_the_scorer_counts_what_it_refuses_for_stale_features(cloud: Cloud) -> None:
    """Its role may write this item, and no other of the registry (on AWS; the emulator ignores keys)."""
    now = iso(datetime.now(UTC))
    row = {"pk": "worker#W-stale", "sk": "worker_pay", "v": bytes(64), "digest": "d", "ids": {}}
    clocks = dict.fromkeys(("event_time", "known_at", "built_at", "written_at"), now)
    expires = int(time.time()) + 3600
    dynamodb, tables = cloud.client("dynamodb"), cloud.outputs["tables"]
    dynamodb.put_item(
        TableName=tables["online"], Item=marshal_item({**row, **clocks, "ttl": expires})
    )
    status, _, problem = score(cloud, "W-stale")
    assert (status, problem["type"]) == (424, "urn:countersign:problem:stale-feature")
    key = marshal_item({"pk": f"refused#{USE_CASE}", "sk": now[:10]})
    counted = dynamodb.get_item(TableName=tables["registry"], Key=key)["Item"]
    assert int(counted["requests"]["N"]) >= 1
    assert int(counted["f#worker_gross_pay_6m_mean"]["N"]) >= 1


def test_the_canary_finds_the_store_and_its_record_is_kept(cloud: Cloud) -> None:
    cloud.fire("store-canary")
    key = f"reports/platform/availability/{datetime.now(UTC):%Y-%m-%d}.json"
    bucket = cloud.outputs["buckets"]["lake"]
    record = json.load(cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"])
    assert all(probe["available"] for probe in record["probes"].values())
