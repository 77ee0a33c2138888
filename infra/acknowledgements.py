"""Findings of cdk-nag that are meant, each with its reason, by exact id and on the exact construct."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct

PREFIX = "AwsSolutions::AwsSolutions-"


def acknowledge(scope: IConstruct, findings: Mapping[str, str]) -> None:
    """Acknowledge findings, id → reason, on one construct."""
    rules = [Acknowledgment(id=f"{PREFIX}{id_}", reason=why) for id_, why in findings.items()]
    Validations.of(scope).acknowledge(*rules)


def acknowledge_objects(
    scope: IConstruct, statements: Iterable[iam.PolicyStatement], why: str
) -> None:
    """Acknowledge those resources of statements that end in `*`, each by its own text."""
    stack = Stack.of(scope)
    found = {
        f"IAM5[Resource::{flat(stack.resolve(resource))}]"
        for statement in statements
        for resource in statement.resources
        if "*" in flat(stack.resolve(resource))
    }
    if found:
        acknowledge(scope, dict.fromkeys(sorted(found), why))


def flat(resource: object) -> str:
    """A resource as cdk-nag writes it: references in angle brackets, attributes after a dot."""
    if isinstance(resource, str):
        return resource
    if isinstance(resource, Mapping):
        if "Fn::Join" in resource:
            separator, parts = resource["Fn::Join"]
            return str(separator).join(flat(part) for part in parts)
        if "Fn::ImportValue" in resource:
            return str(resource["Fn::ImportValue"])
        if "Ref" in resource:
            return f"<{resource['Ref']}>"
        if "Fn::GetAtt" in resource:
            return f"<{'.'.join(resource['Fn::GetAtt'])}>"
    return str(resource)
