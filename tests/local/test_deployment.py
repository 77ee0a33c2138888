"""The deployed system is whole: described, started and closed to strangers."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from countersign.cli.local_cloud import status
from countersign.cli.local_cloud.client import Cloud
from countersign.cli.local_cloud.settings import ROLES


def test_the_outputs_describe_the_whole_system(cloud: Cloud) -> None:
    outputs = cloud.outputs
    assert set(outputs["tables"]) == {"online", "registry", "audit", "predictions"}
    assert {"raw", "lake", "models", "seal"} <= set(outputs["buckets"])
    assert {"features", "training", "approval", "promotion", "rollback", "monitoring"} <= set(
        outputs["state_machines"]
    )
    assert {
        "weekly-psi",
        "daily-features",
        "daily-checks",
        "daily-seal",
        "reconcile-approvals",
        "daily-availability",
        "daily-cadence",
        "store-canary",
    } == set(outputs["schedules"])
    assert {"score", "operate", "train", "monitor"} <= set(outputs["functions"])
    assert set(outputs["identities"]) == set(ROLES)
    assert outputs["region"]
    assert outputs["api_url"].startswith("https://")


def test_every_function_starts_with_what_its_bundle_and_layers_carry(cloud: Cloud) -> None:
    broken = {}
    for short, name in cloud.outputs["functions"].items():
        answer = cloud.client("lambda").invoke(FunctionName=name, Payload=b"{}")
        said: Any = json.load(answer["Payload"])
        kind = said.get("errorType", "") if isinstance(said, dict) else ""
        if kind.startswith("Runtime.") or kind in {"ImportError", "ModuleNotFoundError"}:
            broken[short] = said["errorMessage"]
    assert broken == {}


def test_an_unsigned_request_is_refused_at_the_edge(cloud: Cloud) -> None:
    assert cloud.api().request("GET", "/v1/health").status == 403


@pytest.mark.parametrize("role", ROLES)
def test_every_identity_may_ask_for_health(cloud: Cloud, role: str) -> None:
    assert cloud.api(role).request("GET", "/v1/health").status == 200


@pytest.mark.parametrize("role", ROLES)
def test_nobody_writes_a_table_by_hand(cloud: Cloud, role: str) -> None:
    tables = cloud.client("dynamodb", role)
    with pytest.raises(ClientError, match="not authorized"):
        tables.delete_item(TableName=cloud.outputs["tables"]["registry"], Key={"pk": {"S": "x"}})


def test_only_the_approval_machine_starts_training(cloud: Cloud) -> None:
    for role in ROLES:
        with pytest.raises(ClientError, match="not authorized"):
            cloud.start_machine("training", {}, identity=role)


def test_status_counts_every_resource(cloud: Cloud) -> None:
    counted = {(row.kind, row.name) for row in status.rows(cloud)}
    assert {("table", name) for name in cloud.outputs["tables"]} <= counted
    assert {("machine", name) for name in cloud.outputs["state_machines"]} <= counted
