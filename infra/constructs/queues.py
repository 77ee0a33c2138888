"""Queues: encrypted with the data key, TLS only; and where messages end that nobody could handle."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.catalog import Function
from infra.names import Names

RECEIVES = 5


def dead_letters(scope: Construct, name: str, names: Names, key: kms.IKey) -> sqs.Queue:
    """A dead-letter queue; what is in it waits 14 days for a person."""
    return sqs.Queue(
        scope,
        f"Dead-{name}",
        queue_name=names.of(f"{name}-dead"),
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )


def work_queue(
    scope: Construct, name: str, names: Names, key: kms.IKey, *, consumer: Function, dead: sqs.Queue
) -> sqs.Queue:
    """Messages are hidden six times as long as their consumer may take, as Lambda asks."""
    return sqs.Queue(
        scope,
        f"Queue-{name}",
        queue_name=names.of(name),
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=True,
        retention_period=Duration.days(4),
        visibility_timeout=Duration.seconds(6 * consumer.timeout),
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=RECEIVES),
    )
