"""What was in production on date D? Answered from the deployment ledger alone (requirement D6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from countersign.clock import iso, parse_iso
from countersign.errors import DataError, FieldError, RequestError


def period(text: str, now: datetime) -> tuple[str, str]:
    """The stored moments between which `text` lies: a date is a whole day in UTC, a timestamp is itself.

    Raises RequestError for what is neither, and for what has not happened yet.
    """
    wanted = FieldError("date", "2026-11-21, or 2026-11-21T05:47:00Z; not in the future")
    try:
        if len(text) == len("2026-11-21"):
            start = datetime.combine(date.fromisoformat(text), time(), tzinfo=UTC)
            end = start + timedelta(days=1) - timedelta(microseconds=1)
        else:
            start = end = parse_iso(text)
    except (ValueError, DataError) as error:
        raise RequestError("Not a date, nor a moment in UTC", errors=[wanted]) from error
    if start > now:
        raise RequestError("That has not happened yet", errors=[wanted])
    return iso(start), iso(min(end, now))


def in_production(rows: Sequence[Mapping[str, Any]], start: str, end: str) -> dict[str, Any]:
    """What stood at `end`, what changed since `start`, and everything that served in between.

    `rows` are the ledger's, oldest first. `standing` is null before the first deployment. Each of
    `served` has its version, digest, the cohorts it answered for, from when until when; `cohorts` null
    is all of them, but for those in `but`. A kill switch appears as a version of null: rules only.
    """
    known = [row for row in rows if str(row["timestamp"]) <= end]
    # At a moment, what changed at that very moment stands already.
    before = [r for r in known if str(r["timestamp"]) < start or start == end]
    inside = known[len(before) :]
    return {
        "from": start,
        "until": end,
        "standing": standing(known[-1]) if known else None,
        "changes": [_change(row) for row in inside],
        "served": _served([*before[-1:], *inside], start, end),
    }


def standing(row: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that served from this row of the ledger on, until the next one."""
    rollout = row.get("rollout")
    return {
        "since": row["timestamp"],
        "epoch": row["epoch"],
        "champion": row["champion"],
        "rollout": dict(rollout) if rollout else None,
        "shadows": list(row.get("shadows") or ()),
        "kill_switch": bool(row.get("kill_switch")),
        "quarantined": list(row.get("quarantined") or ()),
        "answers": answers(row),
    }


def answers(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Who answered which cohorts."""
    if row.get("kill_switch"):
        return [{"version": None, "digest": None, "cohorts": None, "but": []}]
    rollout, champion = row.get("rollout"), row["champion"]
    cohorts = list(rollout["cohorts"]) if rollout else []
    found = []
    if champion:
        found.append({**champion, "cohorts": None, "but": cohorts})
    if rollout:
        pinned = {"version": rollout["version"], "digest": rollout["digest"]}
        found.append({**pinned, "cohorts": cohorts, "but": []})
    return found


def _served(rows: Sequence[Mapping[str, Any]], start: str, end: str) -> list[dict[str, Any]]:
    """The answers of each row, joined where nothing of them changed."""
    open_now: list[dict[str, Any]] = []
    closed: list[dict[str, Any]] = []
    for row in rows:
        at = max(str(row["timestamp"]), start)
        wanted = answers(row)
        kept = [o for o in open_now if _bare(o) in wanted]
        closed += [{**o, "until": at} for o in open_now if o not in kept]
        new = [{**w, "from": at} for w in wanted if w not in [_bare(k) for k in kept]]
        open_now = [*kept, *new]
    every = [*closed, *({**o, "until": end} for o in open_now)]
    lasted = [one for one in every if one["from"] < one["until"] or start == end]
    return sorted(lasted, key=lambda one: (one["from"], one["until"]))


def _bare(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "from"}


def _change(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("timestamp", "epoch", "action", "triggered_by", "model_version", "previous_version")
    facts = row.get("facts") or {}
    return {**{name: row.get(name) for name in names}, "facts": dict(facts)}
