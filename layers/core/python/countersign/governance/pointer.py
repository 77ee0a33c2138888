"""The pointer: which version of a use case serves whom, and every way it may move, as pure functions.

A pointer is a plain mapping, exactly the registry's item. Each transition returns a new one; the
registry stores it in one transaction that is conditional on the epoch of the one it was made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, cast

from countersign.errors import ConflictError, EpochConflictError


class Deployed(TypedDict):
    """A version pinned by the SHA-256 of its manifest."""

    version: str
    digest: str


class RolloutState(TypedDict):
    """A candidate that serves some cohorts. `step` counts from 1."""

    rollout_id: str
    version: str
    digest: str
    cohorts: list[str]
    step: int


class Pointer(TypedDict):
    """`previous` holds the recorded predecessors, newest first; `epoch` grows with every change."""

    epoch: int
    champion: Deployed | None
    previous: list[Deployed]
    rollout: RolloutState | None
    shadows: list[Deployed]
    kill_switch: bool
    quarantined: list[str]
    updated_at: str


MAX_PREVIOUS = 10


def empty() -> Pointer:
    """The pointer of a use case that was never deployed."""
    return Pointer(
        epoch=0,
        champion=None,
        previous=[],
        rollout=None,
        shadows=[],
        kill_switch=False,
        quarantined=[],
        updated_at="",
    )


def referenced(pointer: Pointer) -> set[str]:
    """Every version that the pointer names and that must stay loadable."""
    named = [*pointer["previous"], *pointer["shadows"]]
    named += [pointer["champion"]] if pointer["champion"] else []
    versions = {deployed["version"] for deployed in named}
    return versions | ({pointer["rollout"]["version"]} if pointer["rollout"] else set())


def add_shadow(pointer: Pointer, candidate: Deployed) -> Pointer:
    """The candidate scores every answered request too, unseen. Adding it twice adds it once."""
    refuse_unfit(pointer, candidate["version"])
    others = [s for s in pointer["shadows"] if s["version"] != candidate["version"]]
    return _moved(pointer, {"shadows": [*others, candidate]})


def remove_shadow(pointer: Pointer, version: str) -> Pointer:
    """The version no longer shadows."""
    return _moved(pointer, {"shadows": [s for s in pointer["shadows"] if s["version"] != version]})


def serve_cohorts(
    pointer: Pointer, candidate: Deployed, *, rollout_id: str, cohorts: Sequence[str], step: int
) -> Pointer:
    """The candidate serves `cohorts`; the champion keeps the rest.

    Raises EpochConflictError when another rollout is under way or this one has moved past `step`.
    """
    refuse_unfit(pointer, candidate["version"])
    current = pointer["rollout"]
    if current and current["rollout_id"] != rollout_id:
        raise EpochConflictError(f"Rollout {current['rollout_id']} is under way; it must end first")
    if step != (current["step"] if current else 0) + 1:
        raise EpochConflictError(f"Rollout {rollout_id} is not at the step before {step}")
    state = RolloutState(
        rollout_id=rollout_id,
        version=candidate["version"],
        digest=candidate["digest"],
        cohorts=list(cohorts),
        step=step,
    )
    return _moved(pointer, {"rollout": state})


def promote(pointer: Pointer, candidate: Deployed, *, rollout_id: str) -> Pointer:
    """The candidate of `rollout_id` becomes champion; the old one heads the recorded predecessors.

    Raises EpochConflictError unless that rollout is the one under way, with that candidate.
    """
    refuse_unfit(pointer, candidate["version"])
    rollout = pointer["rollout"]
    if rollout is None or rollout["rollout_id"] != rollout_id:
        raise EpochConflictError(f"Rollout {rollout_id} is no longer under way")
    if (rollout["version"], rollout["digest"]) != (candidate["version"], candidate["digest"]):
        raise EpochConflictError(f"Rollout {rollout_id} rolls out {rollout['version']}")
    champion = pointer["champion"]
    recorded = [p for p in pointer["previous"] if p["version"] != candidate["version"]]
    return _moved(
        pointer,
        {
            "champion": candidate,
            "previous": ([champion, *recorded] if champion else recorded)[:MAX_PREVIOUS],
            "rollout": None,
            "shadows": [s for s in pointer["shadows"] if s["version"] != candidate["version"]],
        },
    )


def rollback_target(pointer: Pointer) -> tuple[str, Deployed | None]:
    """What a rollback would quarantine, and what would serve after it.

    During a rollout the bad version is the candidate and the champion serves on (None when the first
    version ever is rolling out); otherwise the bad version is the champion and the newest recorded
    predecessor takes over. Raises ConflictError when there is nothing to go back to.
    """
    if pointer["rollout"]:
        return pointer["rollout"]["version"], pointer["champion"]
    if pointer["champion"] is None:
        raise ConflictError("Nothing is deployed, so nothing can be rolled back")
    if not pointer["previous"]:
        raise ConflictError(
            "No predecessor is recorded; use the kill switch to answer by rules only"
        )
    return pointer["champion"]["version"], pointer["previous"][0]


def roll_back(pointer: Pointer) -> Pointer:
    """Go to the recorded predecessor, quarantine the bad version, reset rollout and shadows."""
    bad, target = rollback_target(pointer)
    recorded = pointer["previous"] if pointer["rollout"] else pointer["previous"][1:]
    return _moved(
        pointer,
        {
            "champion": target,
            "previous": [p for p in recorded if p["version"] != bad],
            "rollout": None,
            "shadows": [],
            "quarantined": sorted({*pointer["quarantined"], bad}),
        },
    )


def switch(pointer: Pointer, *, rules_only: bool) -> Pointer:
    """Set the kill switch: while it is on, every answer comes from the rules alone."""
    return _moved(pointer, {"kill_switch": rules_only})


def refuse_unfit(pointer: Pointer, version: str) -> None:
    """Raise ConflictError for a candidate that a rollback has put away, or that is the champion."""
    if version in pointer["quarantined"]:
        raise ConflictError(f"{version} is quarantined by a rollback; register a fixed version")
    if pointer["champion"] and pointer["champion"]["version"] == version:
        raise ConflictError(f"{version} is the champion; it cannot be its own challenger")


class _Changes(TypedDict, total=False):
    champion: Deployed | None
    previous: list[Deployed]
    rollout: RolloutState | None
    shadows: list[Deployed]
    kill_switch: bool
    quarantined: list[str]


def _moved(pointer: Pointer, changes: _Changes) -> Pointer:
    return cast("Pointer", {**pointer, **changes, "epoch": pointer["epoch"] + 1})
