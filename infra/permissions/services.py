"""Keys, notices, queues, state machines, functions, metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aws_cdk import aws_iam as iam

from infra.names import QueueName
from infra.permissions.base import Permission, Wiring, allow


@dataclass(frozen=True, slots=True)
class Sign(Permission):
    """Sign model manifests."""

    def statements(self, wiring: Wiring) -> list[iam.PolicyStatement]:
        """Only this action; verifying is granted apart."""
        return [allow(["kms:Sign"], [wiring.signing_key_arn])]

    def variables(self, wiring: Wiring) -> dict[str, str]:
        """The key."""
        return {"SIGNING_KEY_ARN": wiring.signing_key_arn}


@dataclass(frozen=True, slots=True)
class Verify(Permission):
    """Verify signatures of model manifests."""

    def statements(self, wiring: Wiring) -> list[iam.PolicyStatement]:
        """Only this action."""
        return [allow(["kms:Verify"], [wiring.signing_key_arn])]

    def variables(self, wiring: Wiring) -> dict[str, str]:
        """The key."""
        return {"SIGNING_KEY_ARN": wiring.signing_key_arn}


@dataclass(frozen=True, slots=True)
class Publish(Permission):
    """Send notices to people."""

    def statements(self, wiring: Wiring) -> list[iam.PolicyStatement]:
        """To the one topic."""
        return [allow(["sns:Publish"], [wiring.names.topic_arn()])]

    def variables(self, wiring: Wiring) -> dict[str, str]:
        """The topic."""
        return {"NOTICES_TOPIC_ARN": wiring.names.topic_arn()}

    def encrypted_by(self) -> tuple[str, Literal["read", "write"]] | None:
        """SNS encrypts for the caller."""
        return "sns", "write"


@dataclass(frozen=True, slots=True)
class QueuePermission(Permission):
    """Actions on one queue."""

    queue: QueueName


@dataclass(frozen=True, slots=True)
class Send(QueuePermission):
    """Send to a queue."""

    def statements(self, wiring: Wiring) -> list[iam.PolicyStatement]:
        """Batches are the same action."""
        return [allow(["sqs:SendMessage"], [wiring.names.queue_arn(self.queue)])]

    def variables(self, wiring: Wiring) -> dict[str, str]:
        """`SHADOW_QUEUE_URL` and its like."""
        return {f"{self.queue.upper()}_QUEUE_URL": wiring.queue_urls[self.queue]}

    def encrypted_by(self) -> tuple[str, Literal["read", "write"]] | None:
        """SQS encrypts for the caller."""
        return "sqs", "write"


@dataclass(frozen=True, slots=True)
class Consume(QueuePermission):
    """Be the consumer of a queue: what Lambda's poller does with the function's role."""

    def statements(self, wiring: Wiring) -> list[iam.PolicyStatement]:
        """The poller's four actions."""
        actions = (
            "ChangeMessageVisibility",
            "DeleteMessage",
            "GetQueueAttributes",
            "ReceiveMessage",
        )
        return [allow([f"sqs:{a}" for a in actions], [wiring.names.queue_arn(self.queue)])]

    def encrypted_by(self) -> tuple[str, Literal["read", "write"]] | None:
        """SQS decrypts for the caller."""
        return "sqs", "read"


@dataclass(frozen=True, slots=True)
class MachinePermission(Permission):
    """Actions on one state machine, by its name with dashes."""

    machine: str

    def variables(self, wiring: Wiring) -> dict[str, str]:
        """What precedes a machine's name."""
        return {"MACHINE_ARN_PREFIX": wiring.names.machine_arn_prefix()}


@dataclass(frozen=True, slots=True)
class StartMachine(MachinePermission):
    """Start executions of a state machine, and see how they went."""

    def statements(self, wiring: Wiring) -> list[iam.PolicyStatement]:
        """Starting is on the machine, describing on its executions."""
        names = wiring.names
        return [
            allow(["states:StartExecution"], [names.machine_arn(self.machine)]),
            allow(["states:DescribeExecution"], [names.execution_arn(self.machine)]),
        ]


@dataclass(frozen=True, slots=True)
class ResumeTask(Permission):
    """Wake a task that waits with a token. The token is the capability: these actions take no resource."""

    def statements(self, wiring: Wiring) -> list[iam.PolicyStatement]:
        """Succeed it, fail it, or say that it lives."""
        actions = ("SendTaskFailure", "SendTaskHeartbeat", "SendTaskSuccess")
        return [allow([f"states:{a}" for a in actions], ["*"])]

    def variables(self, wiring: Wiring) -> dict[str, str]:
        """What precedes a machine's name: the code asks for it before it speaks to any."""
        return {"MACHINE_ARN_PREFIX": wiring.names.machine_arn_prefix()}


@dataclass(frozen=True, slots=True)
class Invoke(Permission):
    """Invoke the scoring function, to see what is being served."""

    function: str

    def statements(self, wiring: Wiring) -> list[iam.PolicyStatement]:
        """The function and its `live` alias."""
        arn = wiring.names.function_arn(self.function)
        return [allow(["lambda:InvokeFunction"], [arn, f"{arn}:live"])]

    def variables(self, wiring: Wiring) -> dict[str, str]:
        """The function's name, with its alias where there is one."""
        return {"SERVING_FUNCTION": wiring.serving}


@dataclass(frozen=True, slots=True)
class PutMetrics(Permission):
    """Write metrics under our namespace. CloudWatch has no resource to name: a condition does it."""

    namespace: str = "Countersign"

    def statements(self, wiring: Wiring) -> list[iam.PolicyStatement]:
        """Only this namespace."""
        statement = allow(["cloudwatch:PutMetricData"], ["*"])
        statement.add_condition("StringEquals", {"cloudwatch:namespace": self.namespace})
        return [statement]
