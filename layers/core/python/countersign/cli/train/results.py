"""What came of a training, for a person and for a program."""

from __future__ import annotations

from typing import Any

from countersign.cli import printing
from countersign.workbench.story import Ended

_COUNTS = (("", "decided no", "decided yes"), ("is no", "tn", "fp"), ("is yes", "fn", "tp"))


def show(ended: Ended, *, as_json: bool) -> None:
    """Print the run: JSON alone, or tables that end with where it lies."""
    if as_json:
        printing.document({"folder": str(ended.folder), **ended.run})
        return
    run, document = ended.run, ended.document
    printing.facts(
        [
            ("run", run["run_id"]),
            ("model", f"{run['model']} of {run['use_case']}"),
            ("dataset", f"{run['dataset']['dataset_id']} {run['dataset']['dataset_digest'][:12]}"),
            ("split", document["split"]["kind"]),
            ("threshold", run["threshold"] if "confusion" in document else None),
            ("hyperparameters", _chosen(run)),
        ]
    )
    _splits(run)
    _metrics(document)
    _report(ended)
    _rules(document)
    _gates(run)
    failed = ", ".join(run["failed"])
    printing.say(
        "Every gate held." if run["passed"] else f"Gates failed: {failed}.",
        "bold green" if run["passed"] else "bold red",
    )
    printing.say(f"Kept in {ended.folder} (report.html, model.onnx, run.json); not registered.")


def _chosen(run: dict[str, Any]) -> str:
    found = run["search"]
    if not found:
        return "as given"
    best = ", ".join(
        f"{k} {printing.shown(v)}" for k, v in found["best"]["hyperparameters"].items()
    )
    return f"{best} ({found['method']}, {found['tries']} tries, {found['scoring']})"


def _splits(run: dict[str, Any]) -> None:
    rows = [
        (name, f"{part['rows']:,}", f"{part['positives']:,}", *_span(part))
        for name, part in run["split"].items()
        if isinstance(part, dict)
    ]
    printing.table(["split", "rows", "positives", "from", "to"], rows, right=["rows", "positives"])


def _span(part: dict[str, Any]) -> tuple[str, str]:
    return printing.instant(part["from"]), printing.instant(part["to"])


def _metrics(document: dict[str, Any]) -> None:
    rows = [
        (name, figure(found["value"]), _interval(found))
        for name, found in document["metrics"].items()
    ]
    printing.table(["metric", "test", "95 %"], rows, right=["test"])


def figure(value: float | None) -> str:
    """Four digits; a dash where there is none."""
    return "–" if value is None else f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _interval(found: dict[str, Any]) -> str:
    if found["low"] is None:
        return ""
    return f"{figure(found['low'])} to {figure(found['high'])}"


def _report(ended: Ended) -> None:
    rows = [
        (
            row["class"],
            figure(row["precision"]),
            figure(row["recall"]),
            figure(row["f1"]),
            f"{row['support']:,}",
        )
        for row in ended.report
    ]
    columns = ["class", "precision", "recall", "f1", "support"]
    printing.table(columns, rows, right=columns[1:])
    counts = ended.document.get("confusion")
    if counts:
        cells = [(row[0], *(f"{counts[c]:,}" for c in row[1:])) for row in _COUNTS[1:]]
        printing.table(_COUNTS[0], cells, right=_COUNTS[0][1:])


def _rules(document: dict[str, Any]) -> None:
    found = document["rules_comparison"]
    names = [name for name in ("rules", "model", "hybrid") if found.get(name)]
    if not names:
        return
    figures = [
        name
        for name, value in found[names[0]].items()
        if value is None or isinstance(value, int | float)
    ]
    rows = [(name, *(figure(found[n].get(name)) for n in names)) for name in figures]
    printing.table(["", *names], rows, right=names)


def _gates(run: dict[str, Any]) -> None:
    rows = []
    for gate in run["gates"]:
        bounds = [f"at least {gate['at_least']:g}"] if gate["at_least"] is not None else []
        bounds += [f"at most {gate['at_most']:g}"] if gate["at_most"] is not None else []
        verdict = "held" if gate["passed"] else "FAILED"
        rows.append((gate["metric"], " and ".join(bounds), figure(gate["value"]), verdict))
    printing.table(["gate", "must be", "is", ""], rows, right=["is"])
