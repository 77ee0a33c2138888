"""What a row of the catalogue says, and the compositions of layers that rows share."""

from __future__ import annotations

from dataclasses import dataclass, field

from infra.permissions import Permission

SERVING = ("core", "scoring")
JUDGING = ("core", "scoring", "query")
PLAIN = ("core",)
DATA = ("core", "query")


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
