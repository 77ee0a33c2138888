"""Which versions may answer a request, in order: from the pointer and the request's cohort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class VersionRef:
    """A version pinned by the digest of its manifest."""

    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers: `candidates` in order, none of them for rules only, and why if degraded."""

    epoch: int
    candidates: tuple[VersionRef, ...]
    rules_from: VersionRef | None = None
    degraded: tuple[str, ...] = ()


def route(pointer: Mapping[str, Any] | None, cohort: str) -> Route:
    """The route of a request in `cohort`.

    A cohort that a rollout has reached is answered by the rollout's version, with the champion behind
    it; every other by the champion, with its recorded predecessor behind it. Quarantined versions
    never answer. `rules_from` is the version whose rules stand in when no model may answer.
    """
    if pointer is None:
        return Route(0, (), None, ("no-champion",))
    epoch = int(pointer.get("epoch") or 0)
    quarantined = set(pointer.get("quarantined") or ())
    champion = _ref(pointer.get("champion"))
    predecessors = [_ref(entry) for entry in pointer.get("previous") or ()]
    rollout = pointer.get("rollout") or {}
    if cohort in (rollout.get("cohorts") or ()):
        wanted = [_ref(rollout), champion, *predecessors]
    else:
        wanted = [champion, *predecessors] if champion else []
    standing = [ref for ref in wanted if ref is not None and ref.version not in quarantined]
    rules_from = standing[0] if standing else None
    if pointer.get("kill_switch"):
        return Route(epoch, (), rules_from, ("kill-switch",))
    if not standing:
        return Route(epoch, (), None, ("no-champion",))
    reasons = () if standing[0] == wanted[0] else ("champion-quarantined",)
    return Route(epoch, tuple(standing[:2]), rules_from, reasons)


def shadows(pointer: Mapping[str, Any] | None) -> tuple[VersionRef, ...]:
    """The versions that score every prediction without being shown."""
    entries = (pointer or {}).get("shadows") or ()
    return tuple(ref for ref in (_ref(entry) for entry in entries) if ref is not None)


def served(pointer: Mapping[str, Any] | None) -> tuple[VersionRef, ...]:
    """The versions that the pointer lets answer: the champion, and a rollout's candidate."""
    entries = ((pointer or {}).get("champion"), (pointer or {}).get("rollout"))
    return tuple(ref for ref in (_ref(entry) for entry in entries) if ref is not None)


def _ref(entry: Mapping[str, Any] | None) -> VersionRef | None:
    return VersionRef(str(entry["version"]), str(entry["digest"])) if entry else None
