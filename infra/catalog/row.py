"""What a row of the catalogue says, and the compositions of layers that rows share."""

from __future__ import annotations

from dataclasses import dataclass, field

from infra.permissions import Permission

# Powertools, for the log line and the metrics of every function, is `base`.
SERVING = ("core", "base", "scoring")
JUDGING = ("core", "base", "scoring", "query")
PLAIN = ("core", "base")
DATA = ("core", "base", "query")


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One Lambda function. `timeout` in seconds, `memory` and `storage` (of /tmp) in MB."""

    name: str
    purpose: str
    layers: tuple[str, ...] = PLAIN
    memory: int = 512
    timeout: int = 30
    storage: int = 512
    permissions: tuple[Permission, ...]
    variables: dict[str, str] = field(default_factory=dict)
