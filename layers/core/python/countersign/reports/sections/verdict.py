"""Passed or rejected, and by what: the top of the page, the gates, the metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from countersign.reports import page
from countersign.reports.sections.words import bound, word

_CERTAIN = {
    (True, "beyond chance"): "holds over its whole interval",
    (True, "within chance"): "holds, but its interval reaches past the bound",
    (False, "beyond chance"): "fails over its whole interval",
    (False, "within chance"): "fails, though its interval reaches the bound",
}


def subtitle(document: Mapping[str, Any]) -> Markup:
    """When, what kind of model, and whether on synthetic data."""
    said = [page.moment(document.get("created_at")), (document.get("model") or {}).get("kind")]
    parts = [page.shown(part) for part in said if part]
    if (document.get("dataset") or {}).get("synthetic"):
        parts.append(Markup('<span class="badge warn">synthetic data</span>'))
    return page.join(parts, " · ")


def banner(document: Mapping[str, Any]) -> Markup:
    """REJECTED, with every gate that did it, or passed, with what chance might have decided."""
    fairness = document.get("fairness") or {}
    told = f"Fairness: {fairness.get('verdict', 'INSUFFICIENT')}."
    if not document["passed"]:
        by = [_failure(gate) for gate in document["gates"] if not gate["passed"]]
        if fairness.get("verdict") == "FAIL":
            columns = [n for n, f in fairness.get("groups", {}).items() if f["verdict"] == "FAIL"]
            by.append(f"fairness by {', '.join(columns) or 'group'}")
        return page.banner("REJECTED", f"Held back by {'; '.join(by)}. {told}")
    text = f"Every gate holds. {told}"
    close = [word(g["metric"]) for g in document["gates"] if g.get("certainty") == "within chance"]
    if close:
        text += f" Too close for certainty on these rows: {', '.join(close)}."
    return page.banner("passed", text)


def _failure(gate: Mapping[str, Any]) -> str:
    now = "is not known" if gate["value"] is None else f"is {page.number(gate['value'])}"
    return f"{word(gate['metric'])}, which {now} and must be {bound(gate)}"


def gates(document: Mapping[str, Any]) -> Markup:
    """What must hold, what was found and within which interval, and how sure that is."""
    rows = [
        (
            word(gate["metric"]),
            bound(gate),
            gate["value"],
            _interval(gate),
            page.badge("passed" if gate["passed"] else "failed"),
            _certainty(gate),
        )
        for gate in document["gates"]
    ]
    return page.section(
        "Gates",
        page.table(["Metric", "Must be", "Is#", "95 % interval#", "Verdict", "How sure"], rows),
        note="The verdict is by the value. A metric that is missing or not a number never passes.",
    )


def _interval(found: Mapping[str, Any]) -> str:
    low, high = found.get("low"), found.get("high")
    if low is None or high is None:
        return "none"
    return f"{page.number(low)} to {page.number(high)}"


def _certainty(gate: Mapping[str, Any]) -> str | None:
    sure = gate.get("certainty")
    if sure == "unknown":
        return "not measured"
    if sure == "no interval":
        return f"cannot be said: {str(gate.get('method', '')).removeprefix('none: ')}"
    return _CERTAIN.get((bool(gate["passed"]), str(sure)))


def metrics(document: Mapping[str, Any]) -> Markup:
    """Every figure with its interval and how that was made."""
    rows = [
        (word(name), found.get("value"), _interval(found), found.get("method"))
        for name, found in document["metrics"].items()
    ]
    parts = [page.table(["Metric", "Value#", "95 % interval#", "Interval by"], rows)]
    if report := document.get("class_report"):
        parts += [Markup("<h3>Classification report</h3>"), _report(report, document)]
    return page.section(
        "Metrics",
        *parts,
        note="A wide interval means few cases among the test rows. Intervals here count every row as a witness "
        "of its own; where one entity has many rows they are somewhat too narrow.",
    )


def _report(report: Sequence[Mapping[str, Any]], document: Mapping[str, Any]) -> Markup:
    names = ("precision", "recall", "f1")
    rows: list[tuple[Any, ...]] = [
        (row["class"], *(_with(row, name) for name in names), row["support"]) for row in report
    ]
    averages = document.get("class_averages") or {}
    total = sum(row["support"] for row in report)
    for kind, label in (("macro", "mean of the classes"), ("weighted", "mean by support")):
        if found := averages.get(kind):
            rows.append((label, *(found[name] for name in names), total))
    return page.table(["Class", "Precision#", "Recall#", "F1#", "Support#"], rows)


def _with(row: Mapping[str, Any], name: str) -> str:
    low, high = (row.get("intervals") or {}).get(name, (None, None))
    return page.interval({"value": row[name], "low": low, "high": high})
