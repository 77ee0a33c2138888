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

_SHOWN = {"AUC": "auc", "AP": "average_precision", "recall": "recall", "F1": "f1"}
_OF_CLASSES = {"AUC": "auc_macro", "accur.": "accuracy", "F1": "macro_f1"}


def show_list(runs: Sequence[Mapping[str, Any]], folder: Path, *, as_json: bool) -> None:
    """One line a run: when, what, how well, whether its gates held."""
    if as_json:
        kept = ("run_id", "use_case", "model", "created_at", "passed", "failed", "folder")
        printing.document([{**{n: run[n] for n in kept}, "metrics": _values(run)} for run in runs])
        return
    if not runs:
        printing.say(f"No runs in {folder}; `countersign train --dataset FILE` makes one.")
        return
    for figures in (_SHOWN, _OF_CLASSES):
        rows = [
            (
                run["run_id"],
                f"{run['use_case']}, {run['model']}",
                *(_short(_values(run).get(name)) for name in figures.values()),
                "held" if run["passed"] else f"FAILED {len(run['failed'])}",
            )
            for run in runs
            if ("auc" in run["metrics"]) == (figures is _SHOWN)
        ]
        if rows:
            columns = ["run", "use case, model", *figures, "gates"]
            printing.table(columns, rows, right=list(figures))


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


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
