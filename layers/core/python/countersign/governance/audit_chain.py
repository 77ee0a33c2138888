"""A hash chain of what was done, and the search for the first thing wrong with one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

GENESIS = "0" * 64
Problem = Literal["", "edited", "dropped", "reordered", "truncated", "rewritten"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One link. `facts` is canonical JSON text, hashed as it stands; `seq` counts from 1."""

    scope: str
    seq: int
    prev_hash: str
    at: str
    actor: str
    action: str
    facts: str
    hash: str

    def computed_hash(self) -> str:
        """SHA-256 over everything else in the entry."""
        return link_hash({k: v for k, v in asdict(self).items() if k != "hash"})

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON with the facts decoded."""
        return {**asdict(self), "facts": json.loads(self.facts)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last link of a chain when it was sealed."""

    seq: int
    hash: str
    sealed_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """Whether a chain holds, or the first `seq` at which it does not, and why."""

    scope: str
    valid: bool
    entries: int
    sealed_to: int
    head: str
    problem: Problem = ""
    at_seq: int | None = None
    detail: str = ""


def link_hash(fields: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of an entry's fields."""
    text = json.dumps(fields, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def link(
    *, scope: str, last: Entry | None, at: str, actor: str, action: str, facts: Mapping[str, Any]
) -> Entry:
    """The entry that follows `last`."""
    body: dict[str, Any] = {
        "scope": scope,
        "seq": last.seq + 1 if last else 1,
        "prev_hash": last.hash if last else GENESIS,
        "at": at,
        "actor": actor,
        "action": action,
        "facts": json.dumps(facts, sort_keys=True, allow_nan=False, separators=(",", ":")),
    }
    return Entry(**body, hash=link_hash(body))


def verify_chain(scope: str, entries: Sequence[Entry], sealed: Sequence[Head]) -> ChainReport:
    """Walk a chain in the order of `seq` and hold it against its sealed heads.

    An edit shows in the entry's own hash, a drop in a gap of `seq`, a reorder in the link to the
    previous entry, and a truncation or a chain rewritten whole only in the heads that were sealed
    where nobody can change them.
    """
    sealed_to = max((head.seq for head in sealed), default=0)
    wrong = _first_broken_link(entries) or _first_broken_seal(entries, sealed)
    head = entries[-1].hash if entries else GENESIS
    if wrong is None:
        return ChainReport(
            scope=scope, valid=True, entries=len(entries), sealed_to=sealed_to, head=head
        )
    problem, at_seq, detail = wrong
    return ChainReport(
        scope=scope,
        valid=False,
        entries=len(entries),
        sealed_to=sealed_to,
        head=head,
        problem=problem,
        at_seq=at_seq,
        detail=detail,
    )


def _first_broken_link(entries: Sequence[Entry]) -> tuple[Problem, int, str] | None:
    expected, previous = 1, GENESIS
    named = {entry.prev_hash for entry in entries}
    for entry in entries:
        if entry.seq != expected:
            return "dropped", expected, f"Entry {expected} is missing; {entry.seq} follows"
        if entry.computed_hash() != entry.hash:
            return "edited", entry.seq, f"Entry {entry.seq} differs from its own hash"
        if entry.prev_hash != previous:
            if previous in named:  # so the entry before stands, and this one is out of its place
                return "reordered", entry.seq, f"Entry {entry.seq} stood elsewhere in the chain"
            return (
                "edited",
                max(entry.seq - 1, 1),
                f"Entry {entry.seq} names another entry before it",
            )
        expected, previous = expected + 1, entry.hash
    return None


def _first_broken_seal(
    entries: Sequence[Entry], sealed: Sequence[Head]
) -> tuple[Problem, int, str] | None:
    for head in sorted(sealed, key=lambda h: h.seq):
        if head.seq > len(entries):
            return (
                "truncated",
                len(entries) + 1,
                f"Sealed up to {head.seq} on {head.sealed_at}; {len(entries)} entries are left",
            )
        if head.seq and entries[head.seq - 1].hash != head.hash:
            return (
                "rewritten",
                head.seq,
                f"Entry {head.seq} is not the one sealed on {head.sealed_at}",
            )
    return None
