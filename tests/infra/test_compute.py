"""Functions, queues and the API, as the templates say."""

import importlib
import json

import pytest

from infra.catalog import BY_NAME, FUNCTIONS
from infra.constructs.function import RUNTIME
from infra.routes import EVERYONE, routes
from tests.infra.conftest import Resource, Synthesised, text


def functions(synthesised: Synthesised) -> dict[str, Resource]:
    found = synthesised.properties("AWS::Lambda::Function")
    return {p["FunctionName"].split("-", 2)[2].replace("-", "_"): p for p in found}


def test_every_row_of_the_catalogue_is_deployed_and_nothing_else(
    any_environment: Synthesised,
) -> None:
    assert set(functions(any_environment)) == set(BY_NAME)


def test_functions_are_as_big_as_their_rows_say(dev: Synthesised) -> None:
    for row in FUNCTIONS:
        deployed = functions(dev)[row.name]
        assert (deployed["MemorySize"], deployed["Timeout"]) == (row.memory, row.timeout)
        assert len(deployed["Layers"]) == len(row.layers)
        assert deployed["Runtime"] == RUNTIME.name


def test_aws_runs_arm64(prod: Synthesised) -> None:
    assert {tuple(p["Architectures"]) for p in functions(prod).values()} == {("arm64",)}


def test_what_the_api_invokes_answers_within_its_29_seconds() -> None:
    assert all(BY_NAME[route.function].timeout <= 29 for route in routes())


def test_no_function_waits_longer_than_lambda_lets_it() -> None:
    assert all(row.timeout <= 900 for row in FUNCTIONS)
    assert all(128 <= row.memory <= 10240 for row in FUNCTIONS)


def test_log_groups_are_kept_and_encrypted_as_the_environment_says(
    every_environment: dict[str, Synthesised],
) -> None:
    kept = {"local": 1, "dev": 14, "staging": 90, "prod": 1827}
    for name, synthesised in every_environment.items():
        groups = synthesised.properties("AWS::Logs::LogGroup")
        assert len(groups) > len(FUNCTIONS)
        assert {group["RetentionInDays"] for group in groups} == {kept[name]}
        assert all(group["KmsKeyId"] for group in groups)


def test_consumers_report_each_failed_message(dev: Synthesised) -> None:
    mappings = dev.properties("AWS::Lambda::EventSourceMapping")
    assert len(mappings) == 3
    assert all(m["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for m in mappings)


def test_only_new_predictions_and_outcomes_wake_the_forwarder(dev: Synthesised) -> None:
    (stream,) = [
        m
        for m in dev.properties("AWS::Lambda::EventSourceMapping")
        if m.get("StartingPosition") == "TRIM_HORIZON"
    ]
    patterns = [json.loads(f["Pattern"]) for f in stream["FilterCriteria"]["Filters"]]
    assert patterns[0] == {"eventName": ["INSERT"]}
    assert "outcome" in patterns[1]["dynamodb"]["NewImage"]


def test_a_queue_hides_a_message_six_times_as_long_as_its_consumer_works(dev: Synthesised) -> None:
    queues = {p["QueueName"].split("-", 2)[2]: p for p in dev.properties("AWS::SQS::Queue")}
    for name, consumer in (("shadow", "shadow_score"), ("archive", "archive_predictions")):
        assert queues[name]["VisibilityTimeout"] >= 6 * BY_NAME[consumer].timeout
        assert f"Dead{name}" in text(queues[name]["RedrivePolicy"]["deadLetterTargetArn"])


def test_every_method_is_for_signed_callers_and_validated(any_environment: Synthesised) -> None:
    methods = any_environment.properties("AWS::ApiGateway::Method")
    assert len(methods) == len(routes())
    for method in methods:
        assert method["AuthorizationType"] == "AWS_IAM"
        assert method["RequestValidatorId"]


def test_scoring_bodies_are_checked_at_the_edge(dev: Synthesised) -> None:
    schemas = [m["Schema"] for m in dev.properties("AWS::ApiGateway::Model")]
    (scoring, _) = [s for s in schemas if "payslip" in s.get("properties", {})]
    assert scoring["additionalProperties"] is False
    assert "payslip" in scoring["required"]
    assert scoring["properties"]["payslip"]["properties"]["gross_pay_minor"]["type"] == "integer"


def test_each_client_has_its_own_throttle(prod: Synthesised) -> None:
    plans = prod.properties("AWS::ApiGateway::UsagePlan")
    assert len(plans) == 2
    assert all(plan["Throttle"]["RateLimit"] > 0 for plan in plans)
    metered = [m for m in prod.properties("AWS::ApiGateway::Method") if m.get("ApiKeyRequired")]
    assert len(metered) == sum(route.metered for route in routes())


def test_problems_of_the_gateway_never_echo_the_request(dev: Synthesised) -> None:
    for response in dev.properties("AWS::ApiGateway::GatewayResponse"):
        body = response["ResponseTemplates"]["application/json"]
        assert "$context.error" not in body
        assert json.loads(body.replace("$context.requestId", "id"))["status"] >= 400


def test_production_keeps_scorers_warm_and_staging_starts_from_a_snapshot(
    every_environment: dict[str, Synthesised],
) -> None:
    (alias,) = every_environment["prod"].properties("AWS::Lambda::Alias")
    assert alias["ProvisionedConcurrencyConfig"]["ProvisionedConcurrentExecutions"] > 0
    score = functions(every_environment["staging"])["score"]
    assert score["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert every_environment["local"].properties("AWS::Lambda::Alias") == []


def test_every_route_names_roles_and_a_function_that_exists() -> None:
    for route in routes():
        assert route.function in BY_NAME
        assert route.roles <= EVERYONE
        assert route.roles


def test_a_stack_stays_below_the_limits_of_cloud_formation(any_environment: Synthesised) -> None:
    for stack, template in any_environment.templates.items():
        assert len(template["Resources"]) < 450, stack
        assert len(template.get("Outputs", {})) < 180, stack
        assert len(json.dumps(template, separators=(",", ":"))) < 950_000, stack


@pytest.mark.parametrize("function", ["score", "operate", "record_outcome"])
def test_the_api_has_exactly_the_routes_that_a_function_answers(function: str) -> None:
    answered = set(importlib.import_module(f"countersign.steps.{function}").ROUTES)
    deployed = {(r.method, r.resource) for r in routes() if r.function == function}
    assert deployed == answered
