"""SageMaker as the training backend: the role of its jobs, their code, and what the machine may do with them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from infra.acknowledgements import acknowledge_objects
from infra.assets import training_code
from infra.names import Names
from infra.permissions import allow
from infra.settings import Environment

MACHINE = "training"
# States of statemachines/training.asl.json that only this backend has; the choice's default replaces them.
CHOICE = "WhereToTrain?"
STATES = (CHOICE, "TrainOnSageMaker", "CollectTraining")
LOGS = "/aws/sagemaker/TrainingJobs"


def definition_for(definition: Mapping[str, Any], environment: Environment) -> dict[str, Any]:
    """The training machine as this environment runs it: with its own bound, or without SageMaker."""
    made: dict[str, Any] = copy.deepcopy(dict(definition))
    states = made["States"]
    if environment.training_backend == "sagemaker":
        states[CHOICE]["Choices"][0]["NumericGreaterThanEquals"] = environment.sagemaker_from_rows
        return made
    instead = states[CHOICE]["Default"]
    for name in STATES:
        del states[name]
    for state in states.values():
        if state.get("Next") == CHOICE:
            state["Next"] = instead
    return made


class TrainingJobs(Construct):
    """What the jobs of one environment need; `tokens` and `statements` are for the training machine."""

    def __init__(
        self,
        scope: Construct,
        *,
        environment: Environment,
        names: Names,
        key: kms.IKey,
        placeholder: bool,
    ) -> None:
        super().__init__(scope, "TrainingJobs")
        self.names = names
        self.key = key
        self.environment = environment
        self.code = assets.Asset(self, "Code", path=training_code(placeholder=placeholder))
        self.image = environment.training_image.replace("{region}", Aws.REGION)
        self.role = iam.Role(
            self,
            "Role",
            role_name=names.of("training-job"),
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            ),
            description="A training job: reads datasets and its code, writes its archive",
        )
        granted = [*self._data(), *self._surroundings()]
        policy = iam.Policy(self, "Policy", statements=granted)
        policy.attach_to_role(self.role)
        acknowledge_objects(
            policy,
            granted,
            "Objects below a prefix, log streams of jobs; metrics and tokens take none",
        )

    def _data(self) -> list[iam.PolicyStatement]:
        """Frozen datasets and the code to read, the archives of runs to write, with the data key."""
        lake, models = self.names.bucket_arn("lake"), self.names.bucket_arn("models")
        listing = allow(["s3:ListBucket"], [lake])
        listing.add_condition("StringLike", {"s3:prefix": ["datasets/*"]})
        own = allow(["s3:ListBucket"], [self.code.bucket.bucket_arn])
        own.add_condition("StringLike", {"s3:prefix": [f"{self.code.s3_object_key}*"]})
        through = allow(["kms:Decrypt", "kms:GenerateDataKey"], [self.key.key_arn])
        through.add_condition(
            "StringEquals", {"kms:ViaService": [f"s3.{Aws.REGION}.{Aws.URL_SUFFIX}"]}
        )
        volume = allow(["kms:CreateGrant"], [self.key.key_arn])
        volume.add_condition("Bool", {"kms:GrantIsForAWSResource": "true"})
        return [
            allow(["s3:GetObject"], [f"{lake}/datasets/*"]),
            listing,
            allow(["s3:GetObject"], [self.code.bucket.arn_for_objects(self.code.s3_object_key)]),
            own,
            allow(["s3:PutObject"], [f"{models}/*/runs/*/sagemaker/*"]),
            through,
            volume,
        ]

    def _surroundings(self) -> list[iam.PolicyStatement]:
        """The image to pull, the log and the metrics of jobs to write."""
        account, _, rest = self.image.partition(".dkr.ecr.")
        repository = rest.partition("/")[2].partition(":")[0].partition("@")[0]
        registry = f"arn:{Aws.PARTITION}:ecr:{Aws.REGION}:{account}:repository/{repository}"
        metrics = allow(["cloudwatch:PutMetricData"], ["*"])
        metrics.add_condition("StringEquals", {"cloudwatch:namespace": LOGS})
        pull = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
        write = ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
        return [
            allow([f"ecr:{action}" for action in pull], [registry]),
            allow(["ecr:GetAuthorizationToken"], ["*"]),
            allow([f"logs:{a}" for a in write], [f"{self.names.log_group_arn(LOGS)}:*"]),
            metrics,
        ]

    def tokens(self) -> dict[str, str]:
        """What the definition asks for by name."""
        return {
            "TrainingJobPrefix": self.names.of(""),
            "TrainingRoleArn": self.role.role_arn,
            "TrainingImage": self.image,
            "TrainingInstance": self.environment.training_instance,
            "TrainingCodeUri": self.code.s3_object_url,
            "TrainingCodeFile": self.code.s3_object_key,
            "EnvironmentName": self.environment.name,
            "DataKeyArn": self.key.key_arn,
        }

    def statements(self) -> list[iam.PolicyStatement]:
        """Create, watch and stop jobs of this environment, as this one role, and hear of their end."""
        jobs = f"arn:{Aws.PARTITION}:sagemaker:{Aws.REGION}:{Aws.ACCOUNT_ID}:training-job/"
        actions = ("AddTags", "CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob")
        passing = allow(["iam:PassRole"], [self.role.role_arn])
        passing.add_condition("StringEquals", {"iam:PassedToService": "sagemaker.amazonaws.com"})
        rule = (
            f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:"
            "rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"
        )
        return [
            allow([f"sagemaker:{a}" for a in actions], [f"{jobs}{self.names.of('')}*"]),
            passing,
            allow(["events:DescribeRule", "events:PutRule", "events:PutTargets"], [rule]),
        ]
