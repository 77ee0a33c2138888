"""outputs.json: short names, the API's local address, and one identity per role."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from countersign.cli.local_cloud import outputs, status
from countersign.cli.local_cloud.client import Cloud
from countersign.cli.local_cloud.settings import ROLES, CloudSettings, LocalCloudError
from moto import mock_aws

ACCOUNT = "123456789012"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield Cloud({"region": "us-east-1"})


def make_policies(cloud: Cloud, roles: tuple[str, ...] = ROLES) -> None:
    allowed = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    for role in roles:
        cloud.client("iam").create_policy(
            PolicyName=f"countersign-local-{role}", PolicyDocument=document
        )


@pytest.mark.parametrize(
    ("physical", "short"),
    [
        ("countersign-local-online", "online"),
        (f"countersign-local-raw-{ACCOUNT}-us-east-1", "raw"),
        (f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:countersign-local-training", "training"),
        (f"https://127.0.0.1:4566/{ACCOUNT}/countersign-local-shadow", "shadow"),
        (f"arn:aws:sns:us-east-1:{ACCOUNT}:countersign-local-notices", "notices"),
        ("CustomMade", "CustomMade"),
    ],
)
def test_a_short_name_is_what_follows_the_environment(physical: str, short: str) -> None:
    assert outputs.short_name(physical, "local", ACCOUNT) == short


def test_resources_are_grouped_by_what_they_are() -> None:
    found = [
        ("AWS::DynamoDB::Table", "countersign-local-online"),
        ("AWS::Events::Rule", "countersign-local-weekly-psi"),
        ("AWS::IAM::Role", "countersign-local-role"),
    ]
    grouped = outputs.group_resources(found, "local", ACCOUNT)
    assert grouped["tables"] == {"online": "countersign-local-online"}
    assert grouped["schedules"] == {"weekly-psi": "countersign-local-weekly-psi"}
    assert set(grouped) == set(outputs.GROUPS)


def test_a_rule_that_waits_for_events_is_no_schedule(cloud: Cloud) -> None:
    events = cloud.client("events")
    events.put_rule(Name="weekly", ScheduleExpression="rate(7 days)")
    events.put_rule(Name="arrival", EventPattern='{"source": ["aws.s3"]}')
    assert outputs.split_rules(cloud, {"w": "weekly", "a": "arrival"}) == {
        "schedules": {"w": "weekly"},
        "rules": {"a": "arrival"},
    }


def test_the_api_has_a_local_address(tmp_path: Path) -> None:
    settings = CloudSettings(port=4580, directory=tmp_path)
    found = [("AWS::ApiGateway::RestApi", "abc"), ("AWS::ApiGateway::Stage", "live")]
    assert (
        outputs.api_url(settings, found)
        == "https://localhost:4580/restapis/abc/live/_user_request_"
    )
    assert outputs.api_url(settings, []) is None


def test_every_role_gets_a_user_with_its_policy_and_one_key(cloud: Cloud) -> None:
    make_policies(cloud)
    made = outputs.make_identities(cloud, "local", {})
    assert tuple(made) == ROLES
    arn = made["team-lead"]["arn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:user/countersign/team-lead/local-team-lead"
    attached = cloud.client("iam").list_attached_user_policies(UserName="local-team-lead")
    assert [policy["PolicyName"] for policy in attached["AttachedPolicies"]] == [
        "countersign-local-team-lead"
    ]


def test_a_second_deployment_keeps_the_keys_that_people_hold(cloud: Cloud) -> None:
    make_policies(cloud)
    first = outputs.make_identities(cloud, "local", {})
    assert outputs.make_identities(cloud, "local", first) == first


def test_lost_keys_are_replaced_not_added(cloud: Cloud) -> None:
    make_policies(cloud)
    first = outputs.make_identities(cloud, "local", {})
    second = outputs.make_identities(cloud, "local", {})
    keys = cloud.client("iam").list_access_keys(UserName="local-auditor")["AccessKeyMetadata"]
    assert [key["AccessKeyId"] for key in keys] == [second["auditor"]["access_key_id"]]
    assert first["auditor"]["access_key_id"] != second["auditor"]["access_key_id"]


def test_a_role_without_a_policy_stops_the_deployment(cloud: Cloud) -> None:
    make_policies(cloud, ROLES[:-1])
    with pytest.raises(LocalCloudError, match="countersign-local-scoring-client"):
        outputs.make_identities(cloud, "local", {})


def test_the_status_lines_up() -> None:
    rows = [
        status.Row("table", "online", "ACTIVE", {"items": 3}),
        status.Row("machine", "training", "ACTIVE", {"succeeded": 1, "failed": 2}),
    ]
    assert status.as_table(rows).splitlines() == [
        "table    online    ACTIVE  items 3",
        "machine  training  ACTIVE  succeeded 1  failed 2",
    ]


def test_no_outputs_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match="run `make up` first"):
        Cloud.from_file(tmp_path / "outputs.json")
