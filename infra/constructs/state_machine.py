"""A state machine from its file: tokens by name, and leave for exactly what it names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from infra import catalog, training
from infra.acknowledgements import acknowledge_objects
from infra.constructs.logs import log_group
from infra.machines import BY_NAME, Machine
from infra.names import Names
from infra.permissions import allow
from infra.settings import Environment, SettingsError
from infra.training import TrainingJobs

FOLDER = Path(__file__).resolve().parent.parent.parent / "statemachines"
TOKEN = re.compile(r"\$\{([A-Za-z]+)\}")


class WorkflowMachine(Construct):
    """One row of `infra/machines.py`, deployed."""

    def __init__(
        self,
        scope: Construct,
        row: Machine,
        *,
        environment: Environment,
        names: Names,
        key: kms.IKey,
        jobs: TrainingJobs | None = None,
    ) -> None:
        super().__init__(scope, row.name)
        self.row = row
        document = json.loads((FOLDER / f"{row.file}.asl.json").read_text())
        if row.name == training.MACHINE:
            document = training.definition_for(document, environment)
        text = json.dumps(document, separators=(",", ":"))
        values = token_values(names) | dict(row.tokens) | (jobs.tokens() if jobs else {})
        used = set(TOKEN.findall(text))
        definition = substitute(row, text, values)
        self.role = self._role(names)
        statements = statements_for(used, text, names, key.key_arn)
        statements += distributed_statements(row, text, names, key.key_arn)
        statements += jobs.statements() if jobs else []
        policy = iam.Policy(self, "Policy", statements=statements)
        policy.attach_to_role(self.role)
        acknowledge_objects(policy, statements, "Executions have no name before they start")
        logs = log_group(self, f"/aws/vendedlogs/states/{names.of(row.name)}", environment, key)
        self.machine = stepfunctions.StateMachine(
            self,
            "Machine",
            state_machine_name=names.of(row.name),
            definition_body=stepfunctions.DefinitionBody.from_string(definition),
            role=self.role.without_policy_updates(),
            tracing_enabled=True,
            # Payloads carry keys and small facts; still, an execution's data stays out of the log.
            logs=stepfunctions.LogOptions(
                destination=logs, level=stepfunctions.LogLevel.ALL, include_execution_data=False
            ),
        )
        self.machine.node.add_dependency(policy)

    def _role(self, names: Names) -> iam.Role:
        """Only Step Functions of this account takes it."""
        return iam.Role(
            self,
            "Role",
            role_name=names.of(f"sm-{self.row.name}"),
            assumed_by=iam.ServicePrincipal(
                "states.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            ),
            description=f"The {self.row.name} machine",
        )


def substitute(row: Machine, text: str, values: Mapping[str, str]) -> str:
    """Every `${Token}` by its value. Raises SettingsError for one that nobody supplies."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            raise SettingsError(
                f"statemachines/{row.file}.asl.json: nobody supplies ${{{name}}}; tokens are "
                f"{', '.join(sorted(values))}"
            )
        return values[name]

    return TOKEN.sub(value, text)


def token_values(names: Names) -> dict[str, str]:
    """`${EvaluateArn}` for each function, `${ApprovalMachineArn}` for each machine, and the topic."""
    found = {function_token(name): names.function_arn(name) for name in catalog.BY_NAME}
    found |= {machine_token(name): names.machine_arn(name) for name in BY_NAME}
    found["NoticesTopicArn"] = names.topic_arn()
    for bucket in ("raw", "lake", "models"):
        found[f"{bucket.title()}Bucket"] = names.bucket(bucket)
    return found


def function_token(name: str) -> str:
    """`export_model` → `ExportModelArn`."""
    return "".join(word.title() for word in name.split("_")) + "Arn"


def machine_token(name: str) -> str:
    """`batch-scoring` → `BatchScoringMachineArn`."""
    return "".join(word.title() for word in name.split("-")) + "MachineArn"


def statements_for(
    used: set[str], text: str, names: Names, key_arn: str
) -> list[iam.PolicyStatement]:
    """Exactly what the definition names: functions to invoke, machines to start, the topic."""
    functions = [n for n in catalog.BY_NAME if function_token(n) in used]
    machines = [n for n in BY_NAME if machine_token(n) in used]
    found = [describe_logs(), traces()]
    if functions:
        arns = [names.function_arn(name) for name in functions]
        found.append(allow(["lambda:InvokeFunction"], arns))
    if machines:
        found.append(allow(["states:StartExecution"], [names.machine_arn(n) for n in machines]))
    if machines and "startExecution.sync" in text:
        executions = [names.execution_arn(name) for name in machines]
        found.append(allow(["states:DescribeExecution", "states:StopExecution"], executions))
        found.append(
            allow(["events:DescribeRule", "events:PutRule", "events:PutTargets"], [sync_rule()])
        )
    if "NoticesTopicArn" in used:
        found.append(allow(["sns:Publish"], [names.topic_arn()]))
        found.append(allow(["kms:Decrypt", "kms:GenerateDataKey"], [key_arn]))
    return found


def distributed_statements(
    row: Machine, text: str, names: Names, key_arn: str
) -> list[iam.PolicyStatement]:
    """What a Distributed Map needs: to start its children, to watch and stop them, to read its items.

    Raises SettingsError when the machine has one and its row does not say what it reads, or has none and does.
    """
    if ('"DISTRIBUTED"' in text) != (row.reads is not None):
        raise SettingsError(
            f"statemachines/{row.file}.asl.json: a Distributed Map and `reads` in infra/machines.py go together"
        )
    if row.reads is None:
        return []
    bucket, prefix = row.reads
    children = f"{names.arn('states', 'execution:', row.name)}/*"
    reading = allow(["kms:Decrypt"], [key_arn])
    host = f"s3.{Aws.REGION}.{Aws.URL_SUFFIX}"
    reading.add_condition("StringEquals", {"kms:ViaService": [host]})
    return [
        allow(["states:StartExecution"], [names.machine_arn(row.name)]),
        allow(["states:DescribeExecution", "states:StopExecution"], [children]),
        allow(["s3:GetObject"], [f"{names.bucket_arn(bucket)}/{prefix}*"]),
        reading,
    ]


def sync_rule() -> str:
    """The rule by which Step Functions learns that a nested execution has ended."""
    return (
        f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:"
        "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
    )


def describe_logs() -> iam.PolicyStatement:
    """Vended logs are set up by actions that take no resource."""
    actions = (
        "CreateLogDelivery",
        "DeleteLogDelivery",
        "DescribeLogGroups",
        "DescribeResourcePolicies",
        "GetLogDelivery",
        "ListLogDeliveries",
        "PutResourcePolicy",
        "UpdateLogDelivery",
    )
    return allow([f"logs:{a}" for a in actions], ["*"])


def traces() -> iam.PolicyStatement:
    """X-Ray takes no resource either."""
    actions = (
        "GetSamplingRules",
        "GetSamplingTargets",
        "PutTelemetryRecords",
        "PutTraceSegments",
    )
    return allow([f"xray:{a}" for a in actions], ["*"])
