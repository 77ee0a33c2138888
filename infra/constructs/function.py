"""A Lambda function from its row in the catalogue: role, log group, layers, environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.acknowledgements import acknowledge, acknowledge_objects
from infra.assets import function_code
from infra.catalog import Function
from infra.constructs.logs import log_group
from infra.permissions import Wiring, allow, data_key_statement
from infra.settings import Environment

RUNTIME = lambda_.Runtime.PYTHON_3_13


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all functions of an environment share."""

    environment: Environment
    wiring: Wiring
    data_key: kms.IKey
    layers: Mapping[str, lambda_.ILayerVersion]


class CatalogueFunction(Construct):
    """One row of the catalogue, deployed. `target` is what callers invoke."""

    def __init__(self, scope: Construct, row: Function, shared: Surroundings) -> None:
        super().__init__(scope, row.name)
        names = shared.wiring.names
        self.row = row
        self.log_group = log_group(
            self, f"/aws/lambda/{names.of(row.name)}", shared.environment, shared.data_key
        )
        self.role = self._role(shared)
        self.function = self._function(shared)
        self.function.node.add_dependency(self.role)
        acknowledge(
            self.function,
            {
                "L1": "Python 3.13 is the newest for which every locked dependency has wheels "
                "for arm64; the lock file's requires-python says so"
            },
        )

    def _function(self, shared: Surroundings) -> lambda_.Function:
        """The function itself."""
        row, names = self.row, shared.wiring.names
        return lambda_.Function(
            self,
            "Function",
            function_name=names.of(row.name),
            description=row.purpose,
            code=function_code(row.name),
            handler="handler.handler",
            runtime=RUNTIME,
            architecture=architecture(shared.environment),
            layers=[shared.layers[weight] for weight in row.layers],
            memory_size=row.memory,
            timeout=Duration.seconds(row.timeout),
            ephemeral_storage_size=Size.mebibytes(row.storage),
            # The catalogue grants; the CDK's own additions are kept out.
            role=self.role.without_policy_updates(),
            environment=variables(row, shared),
            tracing=lambda_.Tracing.ACTIVE,
            log_group=self.log_group,
        )

    def _role(self, shared: Surroundings) -> iam.Role:
        """Exactly the row's permissions, and writing its own log and traces."""
        row, wiring = self.row, shared.wiring
        granted = [s for p in row.permissions for s in p.statements(wiring)]
        own = [
            *granted,
            *data_key_statement(row.permissions, wiring.data_key_arn),
            allow(["logs:CreateLogStream", "logs:PutLogEvents"], [self.log_group.log_group_arn]),
            allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], ["*"]),
        ]
        role = iam.Role(
            self,
            "Role",
            role_name=wiring.names.of(f"fn-{row.name}"),
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"{row.name}: {row.purpose}",
        )
        policy = iam.Policy(self, "Policy", statements=own)
        policy.attach_to_role(role)
        acknowledge_objects(
            policy,
            own,
            "Objects and streams below one named resource; X-Ray, metrics and task tokens take no resource",
        )
        return role


def variables(row: Function, shared: Surroundings) -> dict[str, str]:
    """The row's environment: names of what it may use, and nothing else."""
    found = {
        "COUNTERSIGN_ENVIRONMENT": shared.environment.name,
        "COUNTERSIGN_TIME_SCALE": str(shared.environment.time_scale),
        **row.variables,
    }
    for permission in row.permissions:
        found |= permission.variables(shared.wiring)
    return found


def architecture(environment: Environment) -> lambda_.Architecture:
    """arm64 on AWS; the local cloud runs on its host."""
    arm = environment.target == "aws"
    return lambda_.Architecture.ARM_64 if arm else lambda_.Architecture.X86_64
