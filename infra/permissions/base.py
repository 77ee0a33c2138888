"""What every word of the vocabulary shares: statements, environment variables, use of the data key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from infra.names import Names


@dataclass(frozen=True, slots=True)
class Wiring:
    """What cannot be derived from a name: keys, URLs of queues, and what the API invokes to score."""

    names: Names
    data_key_arn: str
    signing_key_arn: str
    queue_urls: dict[str, str]
    serving: str


@dataclass(frozen=True, slots=True)
class Permission:
    """A statement's worth of actions on named resources. Subclasses say which."""

    def statements(self, wiring: Wiring) -> list[iam.PolicyStatement]:
        """The IAM statements that grant it."""
        raise NotImplementedError

    def variables(self, wiring: Wiring) -> dict[str, str]:
        """The environment variables that name what it grants."""
        return {}

    def encrypted_by(self) -> tuple[str, Literal["read", "write"]] | None:
        """The service through which the data key is used, and how; None when it is not."""
        return None


def allow(actions: Iterable[str], resources: Iterable[str]) -> iam.PolicyStatement:
    """An Allow statement. Raises ValueError for a wildcard action."""
    actions = sorted(actions)
    if any("*" in action for action in actions):
        raise ValueError(f"Name the actions instead of a wildcard: {actions}")
    return iam.PolicyStatement(actions=actions, resources=list(resources))


def data_key_statement(
    permissions: Iterable[Permission], key_arn: str
) -> list[iam.PolicyStatement]:
    """The data key, only through the services in which these permissions use it."""
    uses = [use for use in (p.encrypted_by() for p in permissions) if use is not None]
    if not uses:
        return []
    writes = any(how == "write" for _, how in uses)
    actions = ["kms:Decrypt", *(["kms:GenerateDataKey"] if writes else [])]
    statement = allow(actions, [key_arn])
    services = sorted({service for service, _ in uses})
    hosts = [f"{service}.{Aws.REGION}.{Aws.URL_SUFFIX}" for service in services]
    statement.add_condition("StringEquals", {"kms:ViaService": hosts})
    return [statement]
