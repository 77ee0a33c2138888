"""`compare`: two versions side by side, with what stands out."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from countersign.cli import printing
from countersign.cli.deployment import Identity, Output, call
from countersign.cli.models.asking import UseCase, figure, interval, path

STYLES = {"better": "bold green", "worse": "bold red"}


def compare(
    use_case: UseCase,
    version: Annotated[str, typer.Argument(help="Such as 1.2.0; none: the newest.")] = "",
    other: Annotated[str, typer.Option("--with", help="Another version; none: the champion.")] = "",
    identity: Identity = "auditor",
    output: Output = "table",
) -> None:
    """What changed between two versions, and whether their metrics differ by more than chance."""
    asked = {"version": version, "with": other}
    answer = call(identity, "GET", path(use_case, "compare", query=asked))
    if output == "json":
        printing.document(answer)
        return
    mine, theirs = answer["version"], answer["with"]
    highlights(answer)
    printing.table(
        ("metric", mine, "interval", theirs, "interval ", "verdict"),
        [
            (m["metric"], figure(m["version"]), interval(m["version_interval"]),
             figure(m["with"]), interval(m["with_interval"]), m["verdict"] or "")
            for m in answer["metrics"]
        ],
        title=f"{answer['use_case']} {mine} beside {theirs}",
        right=(mine, theirs),
    )  # fmt: skip
    made_of(answer)


def highlights(answer: dict[str, Any]) -> None:
    """The metrics that differ by more than chance, one a line."""
    found = [m for m in answer["metrics"] if m["verdict"] in STYLES]
    for metric in found:
        told = f"{metric['metric']} is {metric['verdict']}: {figure(metric['version'])} against {figure(metric['with'])}"
        printing.say(told, STYLES[metric["verdict"]])
    if not found:
        printing.say("No metric differs by more than its intervals allow for.")
    printing.say()


def made_of(answer: dict[str, Any]) -> None:
    """Features, hyperparameters, windows of the data, threshold."""
    changes, threshold = answer["changes"], answer["threshold"]
    moved = threshold["version"] != threshold["with"]
    printing.facts(
        [
            ("features added", changes.get("features_added")),
            ("features removed", changes.get("features_removed")),
            ("views redefined", answer["views_redefined"]),
            ("algorithm", arrow(changes.get("model_type"))),
            ("training data", "another" if "dataset_digest" in changes else "the same"),
            (
                "threshold",
                f"{figure(threshold['with'])} → {figure(threshold['version'])}" if moved else "",
            ),
            ("environment", "the same" if answer["environment_equal"] else "another"),
        ]
    )
    columns = ("", answer["with"], answer["version"])
    if answer["hyperparameters"]:
        rows = [
            (p["name"], plain(p["with"]), plain(p["version"])) for p in answer["hyperparameters"]
        ]
        printing.table(columns, rows, title="Hyperparameters")
    if answer["windows"]:
        rows = [(w["split"], window(w["with"]), window(w["version"])) for w in answer["windows"]]
        printing.table(columns, rows, title="Data windows")


def arrow(change: dict[str, Any] | None) -> str:
    """`isolation_forest → vote`."""
    return f"{change['from']} → {change['to']}" if change else ""


def plain(value: Any) -> str:
    """A hyperparameter in a line."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def window(part: dict[str, Any] | None) -> str:
    """`1200 rows, 2026-01-31 to 2026-06-30`."""
    if not part:
        return "–"
    span = [str(part[n])[:10] for n in ("from", "to") if part.get(n)]
    return ", ".join([f"{part.get('rows', '?')} rows", *([" to ".join(span)] if span else [])])
