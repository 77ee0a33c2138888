"""One tuned boto3 client per service and worker."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

# Short connect, bounded reads and two retries: inside a scoring deadline a fresh try beats a long wait.
_SERVING = Config(
    connect_timeout=1,
    read_timeout=5,
    retries={"total_max_attempts": 3, "mode": "standard"},
    tcp_keepalive=True,
    max_pool_connections=16,
    # Our own types say what is sent; checking every field again is a fifth of a request's own time.
    parameter_validation=False,
    user_agent="countersign",
)
_SLOW = Config(connect_timeout=2, read_timeout=60, retries={"total_max_attempts": 4})
_SLOW_SERVICES = frozenset({"s3", "stepfunctions", "lambda"})


@cache
def client(service: str) -> Any:
    """The worker's client for `service`; the endpoint comes from AWS_ENDPOINT_URL when it is set."""
    return boto3.client(service, config=_SLOW if service in _SLOW_SERVICES else _SERVING)  # type: ignore[call-overload]
