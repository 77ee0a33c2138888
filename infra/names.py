"""Every physical name and ARN, in one place: stacks refer to each other by name, not by export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aws_cdk import Aws

TableName = Literal["online", "registry", "audit", "predictions"]
BucketName = Literal["raw", "lake", "models", "seal", "logs"]
QueueName = Literal["shadow", "archive", "shadow-dead", "archive-dead", "events-dead"]


@dataclass(frozen=True, slots=True)
class Names:
    """Names of one environment: `countersign-<environment>-<thing>`."""

    environment: str

    def of(self, thing: str) -> str:
        """The name of a thing that its account and region already make unique."""
        return f"countersign-{self.environment}-{thing.replace('_', '-')}"

    def arn(self, service: str, resource: str, thing: str) -> str:
        """The ARN of `resource` (with its separator) named for `thing`, in this account and region."""
        return (
            f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:"
            f"{resource}{self.of(thing)}"
        )

    def bucket(self, bucket: str) -> str:
        """Bucket names are global, so they carry the account and the region."""
        return f"{self.of(bucket)}-{Aws.ACCOUNT_ID}-{Aws.REGION}"

    def bucket_arn(self, bucket: str) -> str:
        """Its ARN."""
        return f"arn:{Aws.PARTITION}:s3:::{self.bucket(bucket)}"

    def table_arn(self, table: str) -> str:
        """A DynamoDB table."""
        return self.arn("dynamodb", "table/", table)

    def function_arn(self, function: str) -> str:
        """A function of the catalogue, by its Python name."""
        return self.arn("lambda", "function:", function)

    def machine_arn(self, machine: str) -> str:
        """A state machine, by its name with dashes."""
        return self.arn("states", "stateMachine:", machine)

    def execution_arn(self, machine: str) -> str:
        """Every execution of a state machine."""
        return f"{self.arn('states', 'execution:', machine)}:*"

    def machine_arn_prefix(self) -> str:
        """What precedes a machine's name in its ARN."""
        return self.machine_arn("")

    def queue_arn(self, queue: str) -> str:
        """An SQS queue."""
        return self.arn("sqs", "", queue)

    def topic_arn(self, topic: str = "notices") -> str:
        """An SNS topic."""
        return self.arn("sns", "", topic)

    def role_arn(self, role: str) -> str:
        """An IAM role. IAM has no region."""
        return f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/{self.of(role)}"

    def log_group_arn(self, log_group: str) -> str:
        """A log group, by its whole name."""
        return f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:{log_group}"
