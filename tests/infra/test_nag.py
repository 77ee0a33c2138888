"""cdk-nag finds nothing that is not meant, and what is meant says why."""

from tests.infra.conftest import Synthesised

# What MiniStack's CloudFormation deploys, of what we use; a new type is tried there first.
EMULATED = {
    "AWS::ApiGateway::ApiKey",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Model",
    "AWS::ApiGateway::RequestValidator",
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGateway::UsagePlan",
    "AWS::ApiGateway::UsagePlanKey",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::Events::Rule",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::StepFunctions::StateMachine",
}


def test_every_environment_passes_aws_solutions(any_environment: Synthesised) -> None:
    reports = any_environment.report["pluginReports"]
    assert [r["conclusion"] for r in reports] == ["success"]
    assert any_environment.report["pluginReports"][0].get("violations", []) == []


def test_every_acknowledgement_has_an_exact_id_and_a_reason(any_environment: Synthesised) -> None:
    found = any_environment.acknowledgements()
    assert found
    for rule, reason in found:
        assert rule.split("AwsSolutions-")[-1] not in {"IAM4", "IAM5"}, rule
        assert len(reason.split()) > 5, rule


def test_local_uses_only_types_that_the_emulator_has(local: Synthesised) -> None:
    assert {resource["Type"] for _, resource in local.resources()} <= EMULATED


def test_nothing_deploys_by_a_custom_resource(any_environment: Synthesised) -> None:
    types = {resource["Type"] for _, resource in any_environment.resources()}
    assert not [t for t in types if t.startswith(("Custom::", "AWS::CloudFormation::Custom"))]
