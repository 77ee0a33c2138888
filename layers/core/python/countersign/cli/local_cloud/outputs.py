"""What a deployment made, read back from CloudFormation, and the local people who may use it."""

import json
from collections.abc import Iterator
from typing import Any

from countersign.cli.local_cloud.client import Cloud
from countersign.cli.local_cloud.settings import REGION, ROLES, CloudSettings, LocalCloudError

# The group in outputs.json and the CloudFormation types it lists.
GROUPS = {
    "tables": ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"),
    "buckets": ("AWS::S3::Bucket",),
    "state_machines": ("AWS::StepFunctions::StateMachine",),
    "functions": ("AWS::Lambda::Function",),
    "schedules": ("AWS::Events::Rule",),
    "queues": ("AWS::SQS::Queue",),
    "topics": ("AWS::SNS::Topic",),
    "alarms": ("AWS::CloudWatch::Alarm",),
}
Resource = tuple[str, str]


def write_outputs(settings: CloudSettings, environment: str = "local") -> dict[str, Any]:
    """Describe the deployment, make its identities, and write outputs.json."""
    described: dict[str, Any] = {
        "environment": environment,
        "endpoint": settings.endpoint,
        "region": REGION,
        "ca_bundle": str(settings.ca_bundle),
    }
    cloud = Cloud(described)
    account = str(cloud.client("sts").get_caller_identity()["Account"])
    resources = list(stack_resources(cloud, f"Countersign-{environment}-"))
    described |= {"account": account, **group_resources(resources, environment, account)}
    described |= split_rules(cloud, described["schedules"])
    described["api_url"] = api_url(settings, resources)
    described["identities"] = make_identities(cloud, environment, _held(settings))
    settings.outputs.touch(mode=0o600)
    settings.outputs.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    return described


def stack_resources(cloud: Cloud, prefix: str) -> Iterator[Resource]:
    """(type, physical id) of everything in the stacks with that prefix."""
    formation = cloud.client("cloudformation")
    for page in formation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            if stack["StackName"].startswith(prefix) and stack["StackStatus"] != "DELETE_COMPLETE":
                pages = formation.get_paginator("list_stack_resources")
                for listed in pages.paginate(StackName=stack["StackName"]):
                    for found in listed["StackResourceSummaries"]:
                        yield found["ResourceType"], found.get("PhysicalResourceId", "")


def group_resources(
    resources: list[Resource], environment: str, account: str
) -> dict[str, dict[str, str]]:
    """Short name → physical id, for each group of outputs.json."""
    return {
        group: {
            short_name(physical, environment, account): physical
            for kind, physical in sorted(resources)
            if kind in kinds
        }
        for group, kinds in GROUPS.items()
    }


def split_rules(cloud: Cloud, rules: dict[str, str]) -> dict[str, dict[str, str]]:
    """What the clock starts (`schedules`) apart from what an event starts (`rules`)."""
    events = cloud.client("events")
    timed = {
        short: name
        for short, name in rules.items()
        if "ScheduleExpression" in events.describe_rule(Name=name)
    }
    untimed = {short: name for short, name in rules.items() if short not in timed}
    return {"schedules": timed, "rules": untimed}


def short_name(physical: str, environment: str, account: str) -> str:
    """`online` for `countersign-local-online`; ARNs, URLs and bucket names shortened alike."""
    name = physical.rsplit("/", 1)[-1].rsplit(":", 1)[-1].rsplit("|", 1)[-1]
    return name.removeprefix(f"countersign-{environment}-").removesuffix(f"-{account}-{REGION}")


def api_url(settings: CloudSettings, resources: list[Resource]) -> str | None:
    """The one REST API under the emulator's own address."""
    apis = [physical for kind, physical in resources if kind == "AWS::ApiGateway::RestApi"]
    stages = [physical for kind, physical in resources if kind == "AWS::ApiGateway::Stage"]
    if not apis or not stages:
        return None
    stage = stages[0].rsplit("/", 1)[-1].rsplit("|", 1)[-1]
    return f"https://localhost:{settings.port}/restapis/{apis[0]}/{stage}/_user_request_"


def make_identities(
    cloud: Cloud, environment: str, held: dict[str, Any]
) -> dict[str, dict[str, str]]:
    """One IAM user with one access key per role, holding that role's managed policy and no more.

    `held` are the identities of an earlier deployment; keys that still work are kept.
    """
    iam = cloud.client("iam")
    pages = iam.get_paginator("list_policies").paginate(Scope="Local")
    policies = {found["PolicyName"]: found["Arn"] for page in pages for found in page["Policies"]}
    identities = {}
    for role in ROLES:
        policy = policies.get(f"countersign-{environment}-{role}")
        if policy is None:
            raise LocalCloudError(
                f"the deployment made no managed policy countersign-{environment}-{role}"
            )
        identities[role] = _user(iam, role, f"{environment}-{role}", held.get(role, {}))
        iam.attach_user_policy(UserName=f"{environment}-{role}", PolicyArn=policy)
    return identities


def _user(iam: Any, role: str, name: str, held: dict[str, str]) -> dict[str, str]:
    try:
        arn = iam.create_user(Path=f"/countersign/{role}/", UserName=name)["User"]["Arn"]
    except iam.exceptions.EntityAlreadyExistsException:
        arn = iam.get_user(UserName=name)["User"]["Arn"]
    for old in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        if old["AccessKeyId"] == held.get("access_key_id"):
            return held
        iam.delete_access_key(UserName=name, AccessKeyId=old["AccessKeyId"])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "arn": arn,
        "user_name": name,
        "access_key_id": key["AccessKeyId"],
        "secret_access_key": key["SecretAccessKey"],
    }


def _held(settings: CloudSettings) -> dict[str, Any]:
    try:
        earlier = json.loads(settings.outputs.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    identities: dict[str, Any] = earlier.get("identities", {})
    return identities
