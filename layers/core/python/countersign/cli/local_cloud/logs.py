"""The log lines of functions and of the emulator itself."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from countersign.cli.local_cloud.client import Cloud

GROUPS = "/aws/lambda/"
FOLLOW_SECONDS = 1.0
Line = tuple[int, str, str]


def function_lines(cloud: Cloud, only: str | None = None, since_ms: int = 0) -> list[Line]:
    """(epoch ms, function, text) in order of time; of one function, or of all."""
    logs = cloud.client("logs")
    wanted = [cloud.outputs["functions"][only]] if only else cloud.outputs["functions"].values()
    found: list[Line] = []
    for name in wanted:
        try:
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=GROUPS + name, startTime=since_ms
            )
            for page in pages:
                found += [
                    (event["timestamp"], name, event["message"].rstrip())
                    for event in page["events"]
                    if event["message"].strip()
                ]
        except logs.exceptions.ResourceNotFoundException:
            continue
    return sorted(found, key=lambda line: line[0])


def follow(cloud: Cloud, only: str | None = None, since_ms: int = 0) -> Iterator[Line]:
    """Every line from `since_ms` on, until somebody interrupts."""
    told: list[Line] = []
    while True:
        fresh = [line for line in function_lines(cloud, only, since_ms) if line not in told]
        yield from fresh
        since_ms = max([since_ms, *(line[0] for line in fresh)])
        told = [line for line in told + fresh if line[0] >= since_ms]
        time.sleep(FOLLOW_SECONDS)


def emulator_lines(log: Path, count: int) -> list[str]:
    """The last lines that the emulator wrote."""
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]


def as_text(line: Line) -> str:
    """`06:15:48.120 countersign-local-score  text`."""
    at, name, text = line
    clock = datetime.fromtimestamp(at / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    return f"{clock} {name}  {text}"
