"""Metrics as CloudWatch's embedded format: one line on standard output, no call."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime

NAMESPACE = "Countersign"


def emit(at: datetime, dimensions: Mapping[str, str], values: Mapping[str, float | None]) -> None:
    """Write the values that are known; one that is not says nothing."""
    known = {name: value for name, value in values.items() if value is not None}
    if not known:
        return
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": "None"} for name in known],
    }
    meta = {"Timestamp": int(at.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    sys.stdout.write(json.dumps({"_aws": meta, **dimensions, **known}) + "\n")
    sys.stdout.flush()
