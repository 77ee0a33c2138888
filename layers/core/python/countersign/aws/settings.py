"""What differs between environments, read once from the function's environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from countersign.errors import CountersignError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Names of resources. A name that a function was not given is empty, and using it is an error.

    `time_scale` multiplies every declared wait (rollout, soak, deadlines): 1 on AWS, small locally.
    """

    environment: str
    online_table: str = ""
    registry_table: str = ""
    audit_table: str = ""
    predictions_table: str = ""
    raw_bucket: str = ""
    lake_bucket: str = ""
    models_bucket: str = ""
    seal_bucket: str = ""
    signing_key_arn: str = ""
    notices_topic_arn: str = ""
    shadow_queue_url: str = ""
    archive_queue_url: str = ""
    machine_arn_prefix: str = ""
    serving_function: str = ""
    time_scale: float = 1.0

    def require(self, name: str) -> str:
        """The setting `name`, or an error that names the missing environment variable."""
        value: str = getattr(self, name)
        if not value:
            raise CountersignError(
                f"{name.upper()} is not set for this function; grant it in infra/catalog.py"
            )
        return value

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] | None = None) -> Settings:
        """Read `COUNTERSIGN_ENVIRONMENT`, `COUNTERSIGN_TIME_SCALE` and the upper-cased field names."""
        source = os.environ if variables is None else variables
        names = {f.name for f in fields(cls)} - {"environment", "time_scale"}
        environment = source.get("COUNTERSIGN_ENVIRONMENT", "")
        if not environment:
            raise CountersignError("COUNTERSIGN_ENVIRONMENT is not set")
        return cls(
            environment=environment,
            time_scale=float(source.get("COUNTERSIGN_TIME_SCALE", "1")),
            **{name: source[name.upper()] for name in names if source.get(name.upper())},
        )
