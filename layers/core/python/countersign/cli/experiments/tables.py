"""Runs as tables for a person and as documents for a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from countersign.cli import printing
from countersign.cli.train.results import figure

_SHOWN = ("auc", "average_precision", "recall", "f1")
_OF_CLASSES = ("accuracy", "auc_macro", "macro_f1")


def show_list(runs: Sequence[Mapping[str, Any]], folder: Path, *, as_json: bool) -> None:
    """One line a run: when, what, how well, whether its gates held."""
    if as_json:
        kept = ("run_id", "use_case", "model", "created_at", "passed", "failed", "folder")
        printing.document([{**{n: run[n] for n in kept}, "metrics": _values(run)} for run in runs])
        return
    if not runs:
        printing.say(f"No runs in {folder}; `countersign train --dataset FILE` makes one.")
        return
    rows = []
    for run in runs:
        names = _SHOWN if "auc" in run["metrics"] else _OF_CLASSES
        told = ", ".join(f"{n} {figure(_values(run).get(n))}" for n in names)
        verdict = "held" if run["passed"] else f"FAILED {', '.join(run['failed'])}"
        rows.append((run["run_id"], run["use_case"], run["model"], told, verdict))
    printing.table(["run", "use case", "model", "on the test rows", "gates"], rows)


def _values(run: Mapping[str, Any]) -> dict[str, Any]:
    return {name: found["value"] for name, found in run["metrics"].items()}


def show_one(run: Mapping[str, Any], *, as_json: bool) -> None:
    """Everything on record of a run."""
    if as_json:
        printing.document(run)
        return
    dataset = run["dataset"]
    printing.facts(
        [
            ("run", run["run_id"]), ("use case", run["use_case"]), ("model", run["model"]),
            ("at", printing.instant(run["created_at"])), ("file", dataset.get("file")),
            ("dataset", dataset["dataset_id"]), ("digest", dataset["dataset_digest"]),
            ("gates", "held" if run["passed"] else f"FAILED {', '.join(run['failed'])}"),
            ("seconds", run["seconds"]), ("folder", run.get("folder")),
        ]
    )  # fmt: skip
    printing.table(["parameter", "value"], run["parameters"].items())
    if found := run["search"]:
        told = {k: v for k, v in found.items() if k not in {"space", "best"}}
        printing.facts([("search", told), ("best", found["best"]["hyperparameters"])])
    rows = [
        (
            name,
            figure(f["value"]),
            "" if f["low"] is None else f"{figure(f['low'])} to {figure(f['high'])}",
        )
        for name, f in run["metrics"].items()
    ]
    printing.table(["metric", "test", "95 %"], rows, right=["test"])
    files = [(n, printing.size(f["bytes"]), f["sha256"][:16]) for n, f in run["artifacts"].items()]
    if files:
        printing.table(["artifact", "bytes", "sha256"], files, right=["bytes"])


def show_comparison(found: Mapping[str, Any], *, every: bool, as_json: bool) -> None:
    """Side by side; what differs stands out, the best of a figure is green."""
    if as_json:
        printing.document(found)
        return
    same = 0
    for part in ("facts", "parameters", "metrics"):
        rows = [row for row in found[part] if every or row["differs"]]
        same += len(found[part]) - len(rows)
        if rows:
            _side_by_side(part, found["runs"], rows)
    if same:
        printing.say(f"{same} more are the same; --all shows them.", "dim")


def _side_by_side(title: str, runs: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    made.add_column(title, no_wrap=True)
    for run in runs:
        made.add_column(run, justify="right", overflow="fold")
    for row in rows:
        cells = [Text(_cell(value), style=_style(row, n)) for n, value in enumerate(row["values"])]
        name = Text(f"{'≠ ' if row['differs'] else '  '}{row['name']}")
        made.add_row(name, *cells)
    printing.console().print(made)
    printing.say()


def _style(row: Mapping[str, Any], place: int) -> str:
    if row.get("best") == place:
        return "bold green"
    return "yellow" if row["differs"] else ""


def _cell(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    return figure(value) if isinstance(value, float) else str(value)[:64]
