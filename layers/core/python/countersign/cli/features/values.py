"""`countersign features get|history`: what is online now, what was known when."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from countersign.cli import printing
from countersign.cli.deployment import Deployment, Identity, Output
from countersign.cli.features import names, offline
from countersign.clock import iso, parse_iso
from countersign.declare import FeatureView
from countersign.errors import NotFoundError
from countersign.features.freshness import age_of
from countersign.features.packing import microseconds, serve

Entity = Annotated[str, typer.Argument(help="The entity's id, such as W-000123.")]
Stale = Annotated[
    bool, typer.Option("--fail-when-stale", help="Exit 1 when a critical feature is not fresh.")
]


def moment(text: str) -> datetime:
    """A moment as people write it; a day stands for its first instant in UTC. Else wrong usage."""
    whole = f"{text}T00:00:00Z" if len(text) == 10 else text
    try:
        return parse_iso(whole)
    except Exception as error:
        raise typer.BadParameter(
            f"{text!r} is no moment; expected 2026-11-21 or 2026-11-21T05:47:00Z"
        ) from error


At = Annotated[
    str, typer.Option("--at", help="As of then, from history: 2026-06-30 or 2026-06-30T12:00:00Z.")
]


def get(
    view: names.View,
    entity_id: Entity,
    at: At = "",
    fail_when_stale: Stale = False,
    identity: Identity = "ml-engineer",
    output: Output = "table",
) -> None:
    """An entity's values: online now, or as of a moment from the offline store."""
    declared = names.view(view)
    deployed = Deployment.signed_as(identity)
    if at:
        answer = _as_of(deployed, declared, entity_id, moment(at))
    else:
        answer = deployed.call("GET", f"/v1/features/{view}/{quote(entity_id, safe='')}")
    unfit = [n for n, f in answer["freshness"].items() if f["critical"] and f["verdict"] != "fresh"]
    if output == "json":
        printing.document(answer)
    else:
        _print_values(answer, online=not at)
    if fail_when_stale and unfit:
        raise typer.Exit(1)


def history(
    view: names.View,
    entity_id: Entity,
    feature: Annotated[
        list[str] | None,
        typer.Option(help="Only this one; may be repeated.", autocompletion=names.complete_feature),
    ] = None,
    since: Annotated[str, typer.Option(help="Event time from then on.")] = "",
    until: Annotated[str, typer.Option(help="Event time before then.")] = "",
    identity: Identity = "ml-engineer",
    output: Output = "table",
) -> None:
    """What was known when: every row with both clocks, in order, restatements marked."""
    declared = names.view(view)
    chosen = _chosen(declared, feature or [])
    deployed = Deployment.signed_as(identity)
    rows = offline.history_rows(
        deployed.lake(),
        declared,
        entity_id,
        since=moment(since) if since else None,
        until=moment(until) if until else None,
    )
    if not rows:
        raise NotFoundError(f"No history of {view} of this {declared.entity.name} in that time")
    found = [{**row, "values": {n: row["values"][n] for n in chosen}} for row in rows]
    if output == "json":
        printing.document({"view": view, "entity_id": entity_id, "rows": found})
        return
    _print_history(view, entity_id, chosen, found)


def _as_of(deployed: Deployment, view: FeatureView, entity_id: str, at: datetime) -> dict[str, Any]:
    if at > datetime.now(UTC):
        raise typer.BadParameter("that moment lies in the future: nothing is known of it yet")
    row = offline.standing_row(deployed.lake(), view, entity_id, at)
    if row is None:
        raise NotFoundError(f"Nothing of {view.name} was known of this {view.entity.name} then")
    now = microseconds(at)
    fresh = {
        f.name: {
            "age_seconds": (age := age_of(view, f, row.unpacked, now)),
            "sla_seconds": (sla := f.sla.total_seconds()),
            "verdict": "missing" if age is None else "stale" if age > sla else "fresh",
            "critical": f.critical,
        }
        for f in view.features
    }
    return {
        "view": view.name,
        "entity": view.entity.name,
        "entity_id": entity_id,
        "features": serve(view, row.unpacked, at),
        "freshness": fresh,
        "as_of": iso(at),
        "event_time": row.event_time,
        "known_at": row.known_at,
        "built_at": row.built_at,
    }


def _print_values(answer: dict[str, Any], *, online: bool) -> None:
    where = "online" if online else "offline"
    printing.say(f"{answer['view']} of {answer['entity']} {answer['entity_id']}, {where}", "bold")
    printing.facts(
        [
            ("as of", printing.instant(answer["as_of"])),
            ("event time", printing.instant(answer["event_time"])),
            ("known at", printing.instant(answer["known_at"])),
            ("written at", printing.instant(answer["written_at"]) if online else ""),
            ("built at", "" if online else printing.instant(answer["built_at"])),
        ]
    )
    if not answer.get("current_definition", True):
        printing.say(
            "Packed under another definition of the view: it is not served until materialized.",
            "bold red",
        )
    printing.table(
        ("feature", "value", "age", "at most", "", "crit"),
        [
            (
                name,
                value,
                printing.duration(answer["freshness"][name]["age_seconds"]),
                printing.duration(answer["freshness"][name]["sla_seconds"]),
                answer["freshness"][name]["verdict"],
                answer["freshness"][name]["critical"],
            )
            for name, value in answer["features"].items()
        ],
        right=("value", "age", "at most"),
    )


def _print_history(
    view: str, entity_id: str, chosen: list[str], rows: list[dict[str, Any]]
) -> None:
    if len(chosen) <= 3:
        printing.table(
            ("event time", "known at", "", *chosen),
            [
                (
                    printing.instant(row["event_time"]),
                    printing.instant(row["known_at"]),
                    row["status"],
                    *(row["values"][name] for name in chosen),
                )
                for row in rows
            ],
            title=f"{view} of {entity_id}",
            right=chosen,
        )
    else:
        _print_steps(view, entity_id, rows)
    for name in chosen if len(chosen) <= 3 else ():
        printing.say(f"{sparkline([row['values'][name] for row in rows])}  {name}")
    printing.say(
        f"{len(rows)} rows, {sum(row['status'] == 'restated' for row in rows)} restated", "dim"
    )


def _print_steps(view: str, entity_id: str, rows: list[dict[str, Any]]) -> None:
    """Many features: a line for each row, and below it what is another than in the row before."""
    printing.say(f"{view} of {entity_id}", "bold")
    before: dict[str, Any] = {}
    for row in rows:
        known = printing.instant(row["known_at"])
        printing.say(f"{printing.instant(row['event_time'])}  known {known}  {row['status']}")
        changed = [n for n, v in row["values"].items() if n not in before or before[n] != v]
        printing.facts(
            (f"  {name}", _step(before.get(name), row["values"][name], name in before))
            for name in changed
        )
        before = row["values"]


def _step(before: float | None, now: float | None, follows: bool) -> str:
    return f"{printing.shown(before)} → {printing.shown(now)}" if follows else printing.shown(now)


def _chosen(view: FeatureView, wanted: list[str]) -> list[str]:
    declared = [f.name for f in view.features]
    strange = [name for name in wanted if name not in declared]
    if strange:
        raise typer.BadParameter(
            f"{view.name} has no {', '.join(strange)}; it has {', '.join(declared)}"
        )
    return wanted or declared


def sparkline(values: Iterable[float | None]) -> str:
    """Eight heights; a gap for a null."""
    every = list(values)
    known = [v for v in every if v is not None and math.isfinite(v)]
    if not known:
        return ""
    low, reach = min(known), (max(known) - min(known)) or 1.0
    return "".join(" " if v is None else "▁▂▃▄▅▆▇█"[round(7 * (v - low) / reach)] for v in every)
