"""What a function says of itself: one structured log line a call, metrics in CloudWatch's embedded format.

Both are lines on standard output, no call to AWS, and hold names, counts and times: never a payload. A line is
stamped when it is written, by the wall clock: CloudWatch drops metrics of another time.
"""

from __future__ import annotations

from collections.abc import Mapping

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

NAMESPACE = "Countersign"

logger = Logger(service="countersign", location=None, utc=True)


def emit(dimensions: Mapping[str, str], values: Mapping[str, float | None]) -> None:
    """Write the values that are known, by `dimensions` (few values each); one that is not says nothing."""
    known = {name: value for name, value in values.items() if value is not None}
    if known:
        write(dimensions, known, MetricUnit.NoUnit)


def count(metric: str, *, times: int = 1, reason: str = "", **dimensions: str) -> None:
    """Count `metric` by `dimensions`, so many times. `reason` is shown beside it, not counted by."""
    write(dimensions, {metric: float(times)}, MetricUnit.Count, reason=reason)


def write(
    dimensions: Mapping[str, str],
    values: Mapping[str, float],
    unit: MetricUnit,
    *,
    reason: str = "",
) -> None:
    """One line of embedded metrics."""
    line = EphemeralMetrics(namespace=NAMESPACE)
    for name, value in dimensions.items():
        line.add_dimension(name=name, value=value)
    for name, number in values.items():
        line.add_metric(name=name, unit=unit, value=number)
    if reason:
        line.add_metadata(key="reason", value=reason)
    line.flush_metrics()
