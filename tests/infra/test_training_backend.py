"""SageMaker as a training backend: a request that the service takes, a role that may do its work and no more."""

import json
import re
from dataclasses import replace
from typing import Any

import boto3
import botocore.loaders
import pytest
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from countersign import use_cases
from countersign.aws.registry.triggers import TRIGGER_TYPES
from moto import mock_aws

from infra.settings import ENVIRONMENTS, SettingsError, environment
from infra.training import STATES
from tests.infra.conftest import ROOT, Resource, Synthesised, as_list, text

WITH = ("staging", "prod")
FORMAT = re.compile(r"^States\.Format\('([^']*)'((?:, \$[\w.]+)*)\)$")
FACTS: dict[str, Any] = {
    "use_case": "paysim_fraud",
    "trigger_id": "paysim-fraud-performance-0123456789ab",
    "run": {"run_id": "run-paysim-fraud-performance-0123456789ab"},
    "dataset": {"dataset_id": "paysim-fraud-20261121-0123456789ab", "train_rows": 1_000_000},
}


def definition(synthesised: Synthesised) -> dict[str, Any]:
    """The deployed training machine, references as AWS would fill them in."""
    (found,) = [
        m["DefinitionString"]
        for m in synthesised.properties("AWS::StepFunctions::StateMachine")
        if m["StateMachineName"].endswith("-training")
    ]
    whole = text(found)
    key = "arn:aws:kms:eu-west-1:111111111111:key/00000000-0000-0000-0000-000000000000"
    for pattern, value in (
        (r"<(s3://[^>]*)>", r"\1"),
        (r"(<|\$\{)AWS::Region[>}]", "eu-west-1"),
        (r"(<|\$\{)AWS::AccountId[>}]", "1" * 12),
        ("<AWS::Partition>", "aws"),
        ("<AWS::URLSuffix>", "amazonaws.com"),
        (r"<TrainingJobsRole\w+\.Arn>", f"arn:aws:iam::{'1' * 12}:role/training-job"),
        (r"<[^>]*DataKey[^>]*>", key),
    ):
        whole = re.sub(pattern, value, whole)
    assert "<" not in whole, whole[whole.index("<") :][:200]
    made: dict[str, Any] = json.loads(whole)
    return made


def resolved(value: Any) -> Any:
    """Parameters as Step Functions makes them of the state's input."""
    if isinstance(value, dict):
        return {
            k.removesuffix(".$"): evaluated(v) if k.endswith(".$") else resolved(v)
            for k, v in value.items()
        }
    return [resolved(v) for v in value] if isinstance(value, list) else value


def evaluated(expression: str) -> Any:
    if found := FORMAT.match(expression):
        paths = [path for path in found[2].split(", ") if path]
        return found[1].replace("{}", "%s") % tuple(evaluated(path) for path in paths)
    value: Any = FACTS
    for name in expression.removeprefix("$.").split("."):
        value = value[name]
    return value


def request(synthesised: Synthesised) -> dict[str, Any]:
    made = resolved(definition(synthesised)["States"]["TrainOnSageMaker"]["Parameters"])
    assert isinstance(made, dict)
    return made


@pytest.fixture(scope="module", params=WITH)
def backed(
    request: pytest.FixtureRequest, every_environment: dict[str, Synthesised]
) -> Synthesised:
    return every_environment[request.param]


def test_the_request_is_one_that_the_service_takes(backed: Synthesised) -> None:
    model = ServiceModel(botocore.loaders.Loader().load_service_model("sagemaker", "service-2"))
    shape = model.operation_model("CreateTrainingJob").input_shape
    assert shape is not None
    sent = request(backed)
    report = ParamValidator().validate(sent, shape)
    assert not report.has_errors(), report.generate_report()
    constrained(sent, shape, "request")


def constrained(value: Any, shape: Any, where: str) -> None:
    """Patterns, lengths and choices, which botocore leaves to the service."""
    if shape.type_name == "structure":
        for name, part in value.items():
            constrained(part, shape.members[name], f"{where}.{name}")
    elif shape.type_name == "list":
        for part in value:
            constrained(part, shape.member, where)
    elif shape.type_name == "map":
        for key, part in value.items():
            constrained(key, shape.key, f"{where}.{key}")
            constrained(part, shape.value, f"{where}.{key}")
    elif shape.type_name == "string":
        assert len(value) <= shape.metadata.get("max", len(value)), where
        assert not shape.enum or value in shape.enum, where
        pattern = re.sub(r"\\p\{\w\}", r"\\w\\s", shape.metadata.get("pattern", ""))
        assert not pattern or re.fullmatch(pattern, value), (where, value)


def test_the_control_plane_takes_it_and_knows_the_job_by_its_name(backed: Synthesised) -> None:
    with mock_aws():
        client = boto3.client("sagemaker", region_name="eu-west-1")
        sent = request(backed)
        client.create_training_job(**sent)
        found = client.describe_training_job(TrainingJobName=sent["TrainingJobName"])
        assert found["HyperParameters"]["run_id"] == FACTS["run"]["run_id"]


def test_it_reads_the_dataset_and_writes_below_the_run(backed: Synthesised) -> None:
    sent = request(backed)
    inputs = {
        c["ChannelName"]: c["DataSource"]["S3DataSource"]["S3Uri"] for c in sent["InputDataConfig"]
    }
    lake = f"s3://countersign-{backed.environment}-lake-{'1' * 12}-eu-west-1"
    assert inputs["training"] == f"{lake}/datasets/{FACTS['dataset']['dataset_id']}/"
    assert sent["OutputDataConfig"]["S3OutputPath"].endswith(
        f"/paysim_fraud/runs/{FACTS['run']['run_id']}/sagemaker/"
    )
    assert sent["EnableNetworkIsolation"] is True
    keys = {sent["OutputDataConfig"]["KmsKeyId"], sent["ResourceConfig"]["VolumeKmsKeyId"]}
    assert len(keys) == 1
    program = sent["HyperParameters"]["sagemaker_submit_directory"]
    assert program.rpartition("/")[2] == inputs["code"].rpartition("/")[2]
    assert sent["Environment"] == {"COUNTERSIGN_ENVIRONMENT": backed.environment}
    assert sent["StoppingCondition"]["MaxRuntimeInSeconds"] <= 3600


@pytest.mark.parametrize("name", [u.name for u in use_cases.registered()])
def test_every_use_case_has_a_name_that_fits_a_job(name: str) -> None:
    longest = max(map(len, TRIGGER_TYPES))
    for where in WITH:
        assert len(f"countersign-{where}-{name}-") + longest + len("-0123456789ab") <= 63


def test_what_the_declared_bound_says_decides_where_it_trains(backed: Synthesised) -> None:
    states = definition(backed)["States"]
    (rule,) = states["WhereToTrain?"]["Choices"]
    assert rule["NumericGreaterThanEquals"] == 500_000
    assert rule["Next"] == "TrainOnSageMaker"
    assert states["WhereToTrain?"]["Default"] == "Train"
    assert states["CollectTraining"]["Next"] == states["Train"]["Next"] == "ExportModel"


def test_where_lambda_trains_nothing_of_it_is_there(
    every_environment: dict[str, Synthesised],
) -> None:
    for name in set(ENVIRONMENTS) - set(WITH):
        synthesised = every_environment[name]
        states = definition(synthesised)["States"]
        assert not set(STATES) & set(states)
        assert states["FreezeDataset"]["Next"] == "Train"
        policies = json.dumps(synthesised.properties("AWS::IAM::Policy"))
        assert "sagemaker" not in policies


def policy(synthesised: Synthesised, start: str) -> list[dict[str, Any]]:
    return [
        statement
        for name, found in synthesised.resources("AWS::IAM::Policy")
        if name.startswith(start)
        for statement in found["Properties"]["PolicyDocument"]["Statement"]
    ]


def granted(statements: list[dict[str, Any]], action: str) -> list[str]:
    return [
        text(resource)
        for statement in statements
        if action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]


def test_a_job_reads_datasets_and_writes_its_archive_and_touches_nothing_else(
    backed: Synthesised,
) -> None:
    statements = policy(backed, "TrainingJobsPolicy")
    (written,) = granted(statements, "s3:PutObject")
    assert written.endswith("/*/runs/*/sagemaker/*")
    code, data = sorted(granted(statements, "s3:GetObject"), key=lambda arn: "-lake-" in arn)
    assert data.endswith("/datasets/*")
    assert "*" not in code
    actions = {a for s in statements for a in as_list(s["Action"])}
    services = {action.partition(":")[0] for action in actions}
    assert services == {"s3", "kms", "ecr", "logs", "cloudwatch"}
    assert "kms:Sign" not in actions
    through = [s for s in statements if "kms:Decrypt" in as_list(s["Action"])]
    assert all("kms:ViaService" in s["Condition"]["StringEquals"] for s in through)


def test_only_the_service_takes_the_jobs_role_and_only_the_machine_hands_it_over(
    backed: Synthesised,
) -> None:
    (role,) = [
        p
        for p in backed.properties("AWS::IAM::Role")
        if str(p.get("RoleName")).endswith("-training-job")
    ]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert "aws:SourceAccount" in trust["Condition"]["StringEquals"]
    passing = [
        (name, statement)
        for name, found in backed.resources("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
        for statement in found["Properties"]["PolicyDocument"]["Statement"]
        if "iam:PassRole" in as_list(statement["Action"])
    ]
    ((name, statement),) = passing
    assert name.startswith("trainingPolicy")
    assert statement["Condition"] == {
        "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
    }
    assert "TrainingJobsRole" in text(statement["Resource"])


def test_the_machine_creates_watches_and_stops_jobs_of_its_environment_alone(
    backed: Synthesised,
) -> None:
    statements = policy(backed, "trainingPolicy")
    prefix = f":training-job/countersign-{backed.environment}-*"
    for action in ("CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob"):
        (arn,) = granted(statements, f"sagemaker:{action}")
        assert arn.endswith(prefix)
    (rule,) = granted(statements, "events:PutRule")
    assert rule.endswith("rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule")


DECLARED: dict[str, Resource] = json.loads((ROOT / "cdk.json").read_text())["context"][
    "environments"
]


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("prod", {"training_backend": "ec2"}, "training_backend is one of"),
        ("prod", {"training_image": ""}, "SageMaker needs training_image"),
        ("local", {"training_backend": "sagemaker"}, "the local cloud has no SageMaker"),
    ],
)
def test_a_backend_that_cannot_be_is_refused(name: str, changes: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        environment(name, {name: {**DECLARED[name], **changes}})


def test_a_bound_of_another_environment_is_its_own() -> None:
    prod = environment("prod", DECLARED)
    assert replace(prod, sagemaker_from_rows=7).sagemaker_from_rows == 7
