"""A few resources made by hand in an empty cloud, for tests of the emulator itself."""

import io
import json
import zipfile
from typing import Any

from countersign.cli.local_cloud.client import Cloud

ACCOUNT = "000000000000"
HANDLERS = '''
import json, os
import boto3


class DataError(Exception):
    """A leaf of our own tree."""


def echo(event, context):
    return event


def refuse(event, context):
    raise DataError("too few rows")


def leave(event, context):
    os._exit(3)


def reach(event, context):
    return boto3.client("dynamodb").list_tables()["TableNames"]


def see(event, context):
    found = {}
    for name in ("boto3", "ministack", "yaml", "cryptography", "countersign"):
        try:
            found[name] = bool(__import__(name))
        except ModuleNotFoundError:
            found[name] = False
    return found


def lend(event, context):
    boto3.client("dynamodb").put_item(
        TableName="tokens", Item={"pk": {"S": event["key"]}, "token": {"S": event["token"]}}
    )


def copy(event, context):
    for record in event["Records"]:
        key = record["dynamodb"]["Keys"]["pk"]["S"]
        boto3.client("dynamodb").put_item(
            TableName="tokens", Item={"pk": {"S": "copied-" + key}, "token": {"S": record["eventName"]}}
        )


def half(event, context):
    bad = [r["messageId"] for r in event["Records"] if json.loads(r["body"])["bad"]]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in bad]}


def caller(event, context):
    identity = event["requestContext"]["identity"]
    return {"statusCode": 200, "body": json.dumps({"arn": identity["userArn"], "resource": event["resource"]})}
'''
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


class Yard:
    """Makes the few resources these tests need, by hand, in an empty cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.client = cloud.client

    def role(self, name: str, service: str, statement: dict[str, Any] | None = None) -> str:
        iam = self.client("iam")
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
        if statement:
            iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy(statement))
        return str(made["Role"]["Arn"])

    def function(
        self, handler: str, name: str = "", statement: dict[str, Any] | None = None
    ) -> str:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as bundle:
            bundle.writestr("handlers.py", HANDLERS)
        name = name or handler
        made = self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler=f"handlers.{handler}",
            Role=self.role(f"{name}-role", "lambda.amazonaws.com", statement),
            Code={"ZipFile": packed.getvalue()},
            Timeout=10,
        )
        return str(made["FunctionArn"])

    def call(self, function: str, payload: Any = None) -> tuple[str | None, Any]:
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(payload))
        return answer.get("FunctionError"), json.load(answer["Payload"])

    def machine(self, name: str, definition: dict[str, Any]) -> None:
        made = self.client("stepfunctions").create_state_machine(
            name=name,
            definition=json.dumps(definition),
            roleArn=self.role(f"{name}-role", "states.amazonaws.com", ANYTHING),
        )
        machines: dict[str, str] = self.cloud.outputs.setdefault("state_machines", {})  # type: ignore[attr-defined]
        machines[name] = made["stateMachineArn"]

    def person(self, name: str, statement: dict[str, Any] | None = None) -> None:
        iam = self.client("iam")
        iam.create_user(UserName=name, Path="/countersign/operator/")
        if statement:
            iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=policy(statement))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        people = self.cloud.outputs.setdefault("identities", {})  # type: ignore[attr-defined]
        people[name] = {
            "access_key_id": key["AccessKeyId"],
            "secret_access_key": key["SecretAccessKey"],
        }

    def token(self, key: str) -> str | None:
        found = self.client("dynamodb").get_item(TableName="tokens", Key={"pk": {"S": key}})
        return str(found["Item"]["token"]["S"]) if "Item" in found else None


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
