"""What must stay: whatever a pointer, a rollback, an experiment or an open approval may still need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from countersign.clock import iso, parse_iso
from countersign.errors import ConflictError
from countersign.governance.pointer import Pointer
from countersign.governance.versions import Version, parse_version

KEEP = 2
RETENTION = timedelta(days=5 * 365 + 2)


def references(
    pointer: Pointer,
    pending: Iterable[tuple[str, str]],
    experiments: Iterable[Mapping[str, Any]],
    *,
    now: datetime,
    time_scale: float,
) -> dict[str, list[str]]:
    """By version, everything that still names it.

    `pending` are (approval, version) of open approvals. An experiment counts while it runs, and after
    its end for as long as its record must be retained.
    """
    found: dict[str, list[str]] = {}

    def name(version: str, reason: str) -> None:
        found.setdefault(version, []).append(reason)

    if pointer["champion"]:
        name(pointer["champion"]["version"], "it is the champion")
    if pointer["rollout"]:
        name(pointer["rollout"]["version"], f"rollout {pointer['rollout']['rollout_id']} serves it")
    for deployed in pointer["previous"]:
        name(deployed["version"], "a rollback may return to it")
    for deployed in pointer["shadows"]:
        name(deployed["version"], "it is a shadow")
    for approval_id, version in pending:
        name(version, f"approval {approval_id} is open")
    for experiment in experiments:
        ended = str(experiment["end_date"])
        if not ended or parse_iso(ended) + RETENTION * time_scale > now:
            for version in (str(experiment["model_a"]), str(experiment["model_b"])):
                name(version, f"experiment {experiment['test_id']} names it")
    return found


def refuse_referenced(
    version: str,
    referenced: Mapping[str, Sequence[str]] | Iterable[str],
    registered: Sequence[str],
    champion: str = "",
) -> None:
    """Raise ConflictError, with the reason, when `version` may not be deleted.

    `referenced` are the versions that something still names, with the reasons where they are known;
    `registered` are all whose bytes still stand. Besides those named, the two newest stay, and the two
    newest below `champion`: two earlier versions of what serves are always loadable.
    """
    reasons = dict(referenced) if isinstance(referenced, Mapping) else dict.fromkeys(referenced, ())
    if version in reasons:
        why = "; ".join(reasons[version]) or "what serves or may serve refers to it"
        raise ConflictError(f"{version} stays: {why}")
    others = sorted((v for v in registered if v not in reasons), key=parse_version, reverse=True)
    earlier = [v for v in others if champion and parse_version(v) < parse_version(champion)]
    if version in {*others[:KEEP], *earlier[:KEEP]}:
        raise ConflictError(f"{version} stays: it is one of the {KEEP} newest earlier versions")


def refuse_retained(version: Version, *, now: datetime, time_scale: float) -> None:
    """Raise ConflictError unless it was archived and its retention has passed."""
    if version.stage != "Archived":
        raise ConflictError(
            f"{version.version} stays: it is in {version.stage}; only an archived version is deleted"
        )
    until = parse_iso(version.archived_at or version.registered_at) + RETENTION * time_scale
    if now < until:
        raise ConflictError(f"{version.version} stays: it is retained until {iso(until)}")
