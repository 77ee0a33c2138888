"""The page of a training set: what is in it, that it cannot leak, and how it differs from the champion's.

Drawn from the manifest and from the evidence that `freeze_dataset` kept beside the page:
{comparison, champion, duplicates} and, once somebody asked for it, {audit} of every value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from countersign.reports import page, plots

MOST_DRAWN = 12
MOST_LISTED = 50
REASONS = {
    "leak": "holds values that were known or true only after the as-of time",
    "differs": "is not what the declaration gives at the as-of time",
    "suspicious": "tells the label too well to be honest",
}


def render(manifest: Mapping[str, Any], evidence: Mapping[str, Any]) -> str:
    """The HTML of a dataset. Parts that were not measured say so."""
    audit = manifest["leakage_audit"]
    proof = evidence.get("audit")
    return page.page(
        f"Training set {manifest['dataset_id']}",
        subtitle=_subtitle(manifest),
        body=[
            _verdict(audit, evidence),
            _content(manifest),
            _comparison(evidence),
            leakage(audit, proof),
            _duplicates(manifest["checks"]),
            _critical(manifest["checks"]),
        ],
        footer="Countersign. Made of the manifest that training was given; approvers sign its digest.",
    )


def leakage(audit: Mapping[str, Any], proof: Mapping[str, Any] | None) -> Markup:
    """Bars of what each input alone tells of the label, and a table per column."""
    judged = dict(audit.get("judged") or {})
    if proof:
        judged |= {
            row["column"]: row["separation"] for row in proof["columns"] if row["separation"]
        }
    bars = [
        {"column": name, **found} for name, found in judged.items() if found.get("auc") is not None
    ]
    parts = (
        [
            page.figure(
                plots.single_column_auc(bars),
                "Area under the ROC curve of one column alone, with its interval",
            )
        ]
        if bars
        else []
    )
    rows = proof["columns"] if proof else _from_join(audit, judged)
    return page.section(
        "Leakage audit",
        *parts,
        page.table(
            ["Column", "From", "Verdict", "Compared#", "Differing#", "Newest known, before as-of#", "AUC#", "AUC of null#", "Why"],
            [_column(row) for row in rows],
        ),
        note=(
            "Every value was computed again from the sources, by the definition, at its row's as-of time. "
            if proof
            else "Held by the clocks of the joined values; ask for an audit to have every value computed again. "
        )
        + "The nearest that any row's newest fact became known before its as-of time is shown per column. "
        "A column that cannot be computed again is unknown: nothing is proven of it.",
    )  # fmt: skip


def _from_join(audit: Mapping[str, Any], judged: Mapping[str, Any]) -> list[dict[str, Any]]:
    views = audit["views"]
    joined = {name: found["view"] for name, found in audit["columns"].items()}
    rows = []
    for name in dict.fromkeys([*joined, *judged]):
        view = joined.get(name, "")
        found = views.get(view) or {}
        slack = audit["columns"].get(name, {}).get("latest_known_seconds")
        told = (judged.get(name) or {}).get("verdict")
        rows.append(
            {
                "column": name,
                "origin": view or "request",
                "verdict": "suspicious" if told == "suspicious" else "proven",
                "compared": found.get("rows"),
                "differing": found.get("violations", 0),
                "slack_seconds": None if slack is None else -slack,
                "separation": judged.get(name),
            }
        )
    return rows


def _column(row: Mapping[str, Any]) -> tuple[Any, ...]:
    found = row.get("separation") or {}
    why = row.get("why") or REASONS.get(row["verdict"], "")
    return (
        page.code(row["column"]),
        row["origin"],
        page.badge(row["verdict"]),
        row.get("compared"),
        row.get("differing"),
        _duration(row.get("slack_seconds")),
        page.interval({"value": found.get("auc"), **{k: found.get(k) for k in ("low", "high")}}),
        found.get("null_auc"),
        why,
    )


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return page.UNKNOWN
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if abs(seconds) >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.6g} s"


def _subtitle(manifest: Mapping[str, Any]) -> Markup:
    told = page.shown(f"{manifest['use_case']} as of {page.moment(manifest['as_of'])}")
    if manifest["synthetic"]:
        told = told + Markup(' · <span class="badge warn">synthetic data</span>')
    return told


def _verdict(audit: Mapping[str, Any], evidence: Mapping[str, Any]) -> Markup:
    proof, comparison = evidence.get("audit"), evidence.get("comparison")
    wrong = list(proof["leaks"]) if proof else []
    odd = list(dict.fromkeys([*audit["suspicious"], *(proof["suspicious"] if proof else [])]))
    told = [
        f"{', '.join(wrong)}: not what was known at the as-of time." if wrong else "No value leaks."
    ]
    told += [f"Suspicious: {', '.join(odd)}."] if odd else []
    if comparison:
        told.append(f"Against the champion's training set: {comparison['status']}.")
    status = "failed" if wrong else "watch" if odd else (comparison or {}).get("status", "passed")
    return page.banner(status, " ".join(told))


def _content(manifest: Mapping[str, Any]) -> Markup:
    files = manifest["files"]
    known = {
        "rows": manifest["rows"],
        "positives": manifest["positives"],
        **{f"{name} rows": files[f"{name}.parquet"]["rows"] for name in ("train", "valid", "test")},
        "split": manifest["split"]["order"],
        "validation from": page.moment(manifest["split"].get("valid_from")),
        "test from": page.moment(manifest["split"].get("test_from")),
        "features": len(manifest["features"]),
        "feature code": page.code(manifest["feature_code_digest"]),
    }
    return page.section("What is in it", page.facts(known))


def _comparison(evidence: Mapping[str, Any]) -> Markup:
    found, champion = evidence.get("comparison"), evidence.get("champion")
    title = "Before and after: against the champion's training set"
    if not found:
        return page.section(
            title, page.paragraph("There is no champion with a training set to compare with.")
        )
    rows = [
        (
            page.code(row["feature"]),
            page.badge(row["verdict"]),
            row["psi"],
            row["critical"],
            page.probability(row["p"]),
            f"{page.number(row.get('mean_reference'))} → {page.number(row.get('mean'))}",
            row.get("mean_shift_std"),
            f"{page.percent(row['null_share_reference'])} → {page.percent(row['null_share'])}",
        )
        for row in found["features"]
    ]
    table = page.table(
        ["Feature", "Verdict", "PSI#", "Critical#", "p#", "Mean, then → now#", "Shift / std#", "Null, then → now#"],
        rows,
        caption=f"n {page.number(found['n'])} rows, m {page.number(found['m'])} rows of {(champion or {}).get('version', '')}",
    )  # fmt: skip
    moved = [row for row in found["features"] if row["verdict"] in {"alert", "watch"}]
    drawn = [
        page.figure(plots.reference_and_current(row["feature"], row["histogram"]), row["feature"])
        for row in moved[:MOST_DRAWN]
        if row["histogram"]["labels"]
    ]
    return page.section(
        title,
        table,
        *([page.grid(drawn)] if drawn else []),
        note="PSI over the bins frozen with the champion. An alert needs a PSI of 0.2 that stands out at "
        "this many rows and among this many features; it does not stop training, it is told to whoever signs.",
    )


def _duplicates(checks: Mapping[str, Any]) -> Markup:
    keys = checks.get("duplicate_keys") or []
    if not checks["duplicates"]:
        return page.section("Duplicates", page.paragraph("No row repeats another under a new key."))
    rows = [(page.code(found["key"]), page.code(found["repeats"])) for found in keys[:MOST_LISTED]]
    return page.section(
        "Duplicates",
        page.table(["Key", "Repeats"], rows),
        note=f"{checks['duplicates']} rows equal another in everything but key, clocks and revision.",
    )


def _critical(checks: Mapping[str, Any]) -> Markup:
    rates = checks["critical_null_rates"]
    rows = [(page.code(name), page.percent(rate, 2)) for name, rate in rates.items()]
    return page.section(
        "Critical features",
        page.table(["Feature", "Null#"], rows),
        note="Among rows whose entity had a fresh fact; 1 % at most, or there is no training.",
    )
