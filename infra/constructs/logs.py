"""Log groups: kept for as long as the environment says, encrypted with the data key."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.settings import Environment, SettingsError

RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    1827: logs.RetentionDays.FIVE_YEARS,
}


def log_group(
    scope: Construct, name: str, environment: Environment, key: kms.IKey
) -> logs.LogGroup:
    """A log group of this name in `scope`."""
    days = environment.log_retention_days
    if days not in RETENTION:
        raise SettingsError(f"log_retention_days: choose one of {sorted(RETENTION)}, not {days}")
    return logs.LogGroup(
        scope,
        "Logs",
        log_group_name=name,
        retention=RETENTION[days],
        encryption_key=key,
        removal_policy=RemovalPolicy.RETAIN
        if environment.deletion_protection
        else RemovalPolicy.DESTROY,
    )
