"""Counts as CloudWatch's embedded metric format: one line of JSON, no call, no payload."""

from __future__ import annotations

import json
from datetime import datetime

NAMESPACE = "Countersign"


def count(metric: str, now: datetime, *, reason: str = "", **dimensions: str) -> None:
    """Count one `metric` by `dimensions` (few values each). `reason` is shown, not counted by."""
    line = {
        "_aws": {
            "Timestamp": int(now.timestamp() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [list(dimensions)],
                    "Metrics": [{"Name": metric, "Unit": "Count"}],
                }
            ],
        },
        metric: 1,
        **({"reason": reason} if reason else {}),
        **dimensions,
    }
    print(json.dumps(line), flush=True)  # noqa: T201 - a Lambda's standard output is its log
