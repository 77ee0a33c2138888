"""What must stay: whatever a pointer, a rollback or an approval may still need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from countersign.errors import ConflictError
from countersign.governance.versions import parse_version

KEEP = 2


def refuse_referenced(version: str, referenced: Iterable[str], registered: Sequence[str]) -> None:
    """Raise ConflictError when `version` may not be deleted.

    `referenced` are the versions that a pointer, a rollback target, an experiment or an open approval
    names. The newest two besides those stay as well, so that two earlier ones are always loadable.
    """
    named = set(referenced)
    if version in named:
        raise ConflictError(f"{version} is referenced by what serves or may serve; it stays")
    others = sorted((v for v in registered if v not in named), key=parse_version, reverse=True)
    if version in others[:KEEP]:
        raise ConflictError(f"{version} is one of the {KEEP} newest earlier versions; it stays")
