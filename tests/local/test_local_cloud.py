"""What we rely on in the emulator and its launcher; a failure here names a fact that changed."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from countersign.cli.local_cloud.client import Cloud

from tests.local.yard import ACCOUNT, ANYTHING, Yard


def soon(look: Callable[[], Any], seconds: float = 15) -> Any:
    """The first thing `look` finds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing within {seconds} s")


@pytest.fixture(scope="module")
def yard(bare_cloud: Cloud) -> Yard:
    yard = Yard(bare_cloud)
    yard.client("dynamodb").create_table(
        TableName="tokens",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return yard


def test_an_exception_reaches_catch_under_its_own_name(yard: Yard) -> None:
    function = yard.function("refuse")
    caught = {"ErrorEquals": ["DataError"], "ResultPath": "$.error", "Next": "Rejected"}
    yard.machine(
        "catching",
        {
            "StartAt": "Step",
            "States": {
                "Step": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::lambda:invoke",
                    "Parameters": {"FunctionName": function, "Payload": {}},
                    "TimeoutSeconds": 20,
                    "Catch": [caught],
                    "End": True,
                },
                "Rejected": {"Type": "Fail", "ErrorPath": "$.error.Error"},
            },
        },
    )
    ended = yard.cloud.run_machine("catching", {}, 20)
    assert (ended.status, ended.error, ended.failed_state) == ("FAILED", "DataError", "Rejected")


def test_a_worker_survives_its_exception_and_reports_an_exit(yard: Yard) -> None:
    yard.function("refuse", "refuse-twice")
    yard.function("leave")
    for _ in range(2):
        error, answer = yard.call("refuse-twice")
        assert (error, answer["errorType"]) == ("Unhandled", "DataError")
        assert answer["errorMessage"] == "too few rows"
    assert yard.call("leave")[1]["errorType"] == "Runtime.ExitError"


def test_a_function_sees_boto3_and_nothing_of_the_emulator_or_of_ours(yard: Yard) -> None:
    yard.function("see")
    assert yard.call("see")[1] == {
        "boto3": True,
        "ministack": False,
        "yaml": False,
        "cryptography": False,
        "countersign": False,
    }


def test_a_role_may_do_what_its_policy_says_and_no_more(yard: Yard) -> None:
    yard.function("reach", "poor")
    yard.function(
        "reach", "rich", {"Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*"}
    )
    assert "tokens" in yard.call("rich")[1]
    refused = yard.call("poor")[1]
    assert "is not authorized to perform: dynamodb:ListTables" in refused["errorMessage"]


def test_a_person_is_refused_without_a_policy(yard: Yard) -> None:
    yard.person("nobody")
    with pytest.raises(ClientError, match="not authorized"):
        yard.client("dynamodb", "nobody").scan(TableName="tokens")


def test_the_api_names_the_caller_and_refuses_the_others(yard: Yard) -> None:
    function = yard.function("caller")
    api = yard.client("apigateway")
    rest = api.create_rest_api(name="conformance")["id"]
    root = api.get_resources(restApiId=rest)["items"][0]["id"]
    resource = api.create_resource(restApiId=rest, parentId=root, pathPart="{word}")["id"]
    method = {"restApiId": rest, "resourceId": resource, "httpMethod": "GET"}
    api.put_method(**method, authorizationType="AWS_IAM")
    api.put_integration(
        **method,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations",
    )
    api.create_deployment(restApiId=rest, stageName="live")
    yard.client("lambda").add_permission(
        FunctionName=function,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    allowed = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{rest}/live/GET/*"
    yard.person("guest", {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": allowed})
    yard.person("stranger")
    url = f"{yard.cloud.outputs['endpoint']}/restapis/{rest}/live/_user_request_"
    cloud = Cloud({**yard.cloud.outputs, "api_url": url})

    status, _, body = cloud.api("guest").request("GET", "/two%20words?x=a%20b")
    assert status == 200
    assert body["arn"] == f"arn:aws:iam::{ACCOUNT}:user/countersign/operator/guest"
    assert body["resource"] == "/{word}"
    assert cloud.api("stranger").request("GET", "/w").status == 403
    assert cloud.api().request("GET", "/w").status == 403


def test_a_change_in_a_table_reaches_a_function(yard: Yard) -> None:
    function = yard.function("copy", statement=ANYTHING)
    stream = yard.client("dynamodb").describe_table(TableName="tokens")["Table"]["LatestStreamArn"]
    only_ours = {"dynamodb": {"Keys": {"pk": {"S": ["watched"]}}}}
    yard.client("lambda").create_event_source_mapping(
        FunctionName=function,
        EventSourceArn=stream,
        StartingPosition="TRIM_HORIZON",
        FilterCriteria={"Filters": [{"Pattern": json.dumps(only_ours)}]},
    )
    yard.client("dynamodb").put_item(
        TableName="tokens", Item={"pk": {"S": "watched"}, "token": {"S": "-"}}
    )
    assert soon(lambda: yard.token("copied-watched")) == "INSERT"


def test_only_the_failed_messages_of_a_batch_come_back(yard: Yard) -> None:
    sqs = yard.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn_of = {"AttributeNames": ["QueueArn"]}
    dead_arn = sqs.get_queue_attributes(QueueUrl=dead, **arn_of)["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    work = sqs.create_queue(
        QueueName="work", Attributes={"VisibilityTimeout": "1", "RedrivePolicy": redrive}
    )["QueueUrl"]
    for bad in (True, False):
        sqs.send_message(QueueUrl=work, MessageBody=json.dumps({"bad": bad}))
    yard.client("lambda").create_event_source_mapping(
        FunctionName=yard.function("half", statement=ANYTHING),
        EventSourceArn=sqs.get_queue_attributes(QueueUrl=work, **arn_of)["Attributes"]["QueueArn"],
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    lost = soon(lambda: sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10).get("Messages"))
    assert [json.loads(message["Body"]) for message in lost] == [{"bad": True}]
    left = sqs.get_queue_attributes(QueueUrl=work, AttributeNames=["All"])["Attributes"]
    assert left["ApproximateNumberOfMessages"] == "0"


def test_a_task_token_resumes_a_waiting_machine_or_times_out(yard: Yard) -> None:
    function = yard.function("lend", statement=ANYTHING)

    def waiting(seconds: int) -> dict[str, Any]:
        payload = {"key.$": "$.key", "token.$": "$$.Task.Token"}
        state = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {"FunctionName": function, "Payload": payload},
            "TimeoutSeconds": seconds,
            "End": True,
        }
        return {"StartAt": "Wait", "States": {"Wait": state}}

    yard.machine("patient", waiting(60))
    yard.machine("hasty", waiting(1))
    arn = yard.cloud.start_machine("patient", {"key": "resumed"})
    token = soon(lambda: yard.token("resumed"))
    yard.client("stepfunctions").send_task_success(taskToken=token, output='{"decision": "yes"}')
    assert yard.cloud.await_execution(arn, 20).output == {"decision": "yes"}
    ended = yard.cloud.run_machine("hasty", {"key": "expired"}, 20)
    assert (ended.error, ended.failed_state) == ("States.Timeout", "Wait")


def test_a_nested_machine_returns_its_output_as_json(yard: Yard) -> None:
    yard.machine("inner", {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {
            "StateMachineArn": yard.cloud.outputs["state_machines"]["inner"],
            "Input": {"rows": 7},
        },
        "TimeoutSeconds": 20,
        "OutputPath": "$.Output",
        "End": True,
    }
    yard.machine("outer", {"StartAt": "Inner", "States": {"Inner": state}})
    assert yard.cloud.run_machine("outer", {}, 20).output == {"rows": 7}


def test_waiting_takes_no_time(yard: Yard) -> None:
    wait = {"Type": "Wait", "Seconds": 3600, "End": True}
    yard.machine("soaking", {"StartAt": "Soak", "States": {"Soak": wait}})
    assert yard.cloud.run_machine("soaking", {}, 20).ok


def test_a_signature_verifies_and_a_changed_digest_does_not(yard: Yard) -> None:
    kms = yard.client("kms")
    key = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"]
    how = {"KeyId": key, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(Message=b"\x01" * 32, **how)["Signature"]
    assert kms.verify(Message=b"\x01" * 32, Signature=signature, **how)["SignatureValid"]
    with pytest.raises(kms.exceptions.KMSInvalidSignatureException):
        kms.verify(Message=b"\x02" * 32, Signature=signature, **how)


def test_the_certificate_is_verified(yard: Yard) -> None:
    stranger = Path(__file__).with_name("__init__.py")
    from countersign.cli.local_cloud import process

    assert process.health(yard.cloud.outputs["endpoint"], Path(yard.cloud.outputs["ca_bundle"]))
    assert process.health(yard.cloud.outputs["endpoint"], stranger) is None
