"""What each human role may do, apart from the routes and machines that name it themselves."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from infra.machines import MACHINES, WATCHERS
from infra.names import BucketName, Names
from infra.permissions import allow
from infra.routes import MODELLERS, PEOPLE, ROLES, Route

SCHEDULES = ("weekly-psi", "daily-features", "daily-checks", "daily-seal")


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects below a prefix that roles may read or write by hand."""

    bucket: BucketName
    prefix: str
    readers: frozenset[str] = frozenset()
    writers: frozenset[str] = frozenset()


# Who reads feature history and training sets as they lie; pay data of single workers is in both.
HISTORIANS = MODELLERS | {"auditor"}
# A leakage audit computes every value again from the sources.
PROVERS = frozenset({"data-scientist", "auditor"})

OBJECTS: tuple[Objects, ...] = (
    Objects("raw", "raw/", writers=frozenset({"operator"})),
    Objects("raw", "quarantine/", readers=frozenset({"operator", "data-scientist", "auditor"})),
    Objects("lake", "reports/", readers=PEOPLE),
    Objects("lake", "quality/", readers=PEOPLE),
    Objects("lake", "offline/", readers=HISTORIANS),
    Objects("lake", "datasets/", readers=HISTORIANS),
    Objects("lake", "sources/", readers=PROVERS),
    Objects("lake", "batch/", readers=frozenset({"operator"}), writers=frozenset({"operator"})),
    Objects("models", "", readers=PEOPLE),
    Objects("seal", "heads/", readers=frozenset({"auditor"})),
)
# Functions that a schedule wakes, for firing one by hand; and the one that fills the online store, whose
# writes never replace a newer value.
BY_HAND = ("monitor", "seal_audit", "materialize")


def statements(
    role: str, *, names: Names, routes: tuple[Route, ...], api_id: str, data_key_arn: str
) -> list[iam.PolicyStatement]:
    """Everything one role may do."""
    found = [api_statement(role, routes, api_id)]
    startable = [names.machine_arn(m.name) for m in MACHINES if role in m.starters]
    if startable:
        found.append(allow(["states:StartExecution"], startable))
    if role in WATCHERS:
        found += watching(names)
    found += objects(role, names, data_key_arn)
    if role == "operator":
        found += operating(names)
    return found


def api_statement(role: str, routes: tuple[Route, ...], api_id: str) -> iam.PolicyStatement:
    """The routes that name this role.

    A `*` of IAM's also matches a slash, so a path that another one of the role matches adds nothing; it
    is left out, for a managed policy holds 6144 characters.
    """
    base = f"arn:{Aws.PARTITION}:execute-api:{Aws.REGION}:{Aws.ACCOUNT_ID}:{api_id}/live"
    mine = [route.arn_path for route in routes if role in route.roles]
    needed = [p for p in mine if not any(p != other and fnmatchcase(p, other) for other in mine)]
    return allow(["execute-api:Invoke"], [f"{base}/{path}" for path in needed])


def watching(names: Names) -> list[iam.PolicyStatement]:
    """Look at machines and their executions."""
    # By prefix: naming each would take a third of what a managed policy may hold.
    machines, executions = f"{names.machine_arn_prefix()}*", names.execution_arn("*")
    return [
        allow(["states:DescribeStateMachine", "states:ListExecutions"], [machines]),
        allow(["states:DescribeExecution", "states:GetExecutionHistory"], [executions]),
    ]


def objects(role: str, names: Names, data_key_arn: str) -> list[iam.PolicyStatement]:
    """The prefixes that name this role, and the data key through S3."""
    readable = [row for row in OBJECTS if role in row.readers]
    writable = [row for row in OBJECTS if role in row.writers]
    found = []
    # One statement for all prefixes: a statement each would not fit into a managed policy.
    for action, rows in (("s3:GetObject", readable), ("s3:PutObject", writable)):
        if rows:
            found.append(allow([action], [below(row, names) for row in rows]))
    for bucket in dict.fromkeys(row.bucket for row in readable):
        found.append(listing([row for row in readable if row.bucket == bucket], names))
    if found:
        uses = ["kms:Decrypt", *(["kms:GenerateDataKey"] if writable else [])]
        key = allow(uses, [data_key_arn])
        key.add_condition("StringEquals", {"kms:ViaService": f"s3.{Aws.REGION}.{Aws.URL_SUFFIX}"})
        found.append(key)
    return found


def below(row: Objects, names: Names) -> str:
    """The ARN of every object of a row."""
    return f"{names.bucket_arn(row.bucket)}/{row.prefix}*"


def listing(rows: list[Objects], names: Names) -> iam.PolicyStatement:
    """List one bucket below the prefixes of its rows."""
    statement = allow(["s3:ListBucket"], [names.bucket_arn(rows[0].bucket)])
    if all(row.prefix for row in rows):
        prefixes = [f"{row.prefix}*" for row in rows]
        statement.add_condition("StringLike", {"s3:prefix": prefixes})
    return statement


def operating(names: Names) -> list[iam.PolicyStatement]:
    """See a schedule, and do now what it does later; bring the online store up to date."""
    rules = [names.arn("events", "rule/", schedule) for schedule in SCHEDULES]
    functions = [names.function_arn(name) for name in BY_HAND]
    return [
        allow(["events:DescribeRule", "events:ListTargetsByRule"], rules),
        allow(["lambda:InvokeFunction"], functions),
    ]


__all__ = ["OBJECTS", "ROLES", "SCHEDULES", "statements"]
