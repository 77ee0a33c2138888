"""The features machine with a Distributed Map: the same states of builds, nothing brought online twice."""

import json
from typing import Any

from countersign.cli.local_cloud.client import Cloud


def run(cloud: Cloud, given: dict[str, Any]) -> dict[str, Any]:
    ended = cloud.run_machine("features", given, identity="operator")
    assert ended.ok, (ended.failed_state, ended.error)
    output: dict[str, Any] = ended.output
    return output


def document(cloud: Cloud, key: str) -> Any:
    bucket = cloud.outputs["buckets"]["lake"]
    return json.load(cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"])


def listed(cloud: Cloud, prefix: str) -> list[str]:
    found = cloud.client("s3").list_objects_v2(
        Bucket=cloud.outputs["buckets"]["lake"], Prefix=prefix
    )
    return [item["Key"] for item in found.get("Contents", [])]


def test_a_run_that_is_spread_builds_every_bucket_and_brings_it_online(cloud: Cloud) -> None:
    as_of = run(cloud, {"distribute": True})["as_of"]
    items = document(cloud, f"builds/plans/{as_of}.json")
    assert {item["view"] for item in items} >= {"worker_pay", "country_pay"}
    for item in items:
        state = document(cloud, f"builds/{item['view']}/{item['bucket']}-of-{item['buckets']}.json")
        assert state["as_of"] == as_of


def test_a_short_plan_is_run_in_the_execution_itself(cloud: Cloud) -> None:
    as_of = run(cloud, {})["as_of"]
    assert f"builds/plans/{as_of}.json" not in listed(cloud, "builds/plans/")
    assert document(cloud, "builds/country_pay/0-of-1.json")["as_of"] == as_of
