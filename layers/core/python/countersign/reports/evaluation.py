"""The evaluation report: one HTML page from `evaluation.json`.

The shape of `evaluation.json`, version 1. The learning room writes it, this module reads it. Every number
is finite or null; a key marked `?` may be absent and its section then says so. Nothing else is needed.

```
{"schema": 1, "use_case": str, "run_id": str, "created_at": ISO-8601 UTC,
 "model": {"kind": str, "hyperparameters"?: {name: value}, "seed"?: int},
 "passed": bool,                       all gates hold and the fairness verdict is not FAIL
 "dataset": {"dataset_id": str, "dataset_digest": str, "as_of": ISO, "rows": int, "positives": int,
             "features": int, "synthetic": bool, …any further fact: str, number, bool},
 "split": {"kind": "time"|"stratified",
           "train"|"valid"|"test": {"rows": int, "positives": int, "from": ISO|null, "to": ISO|null}},
 "metrics": {name: {"value": x|null, "low": x|null, "high": x|null}},     95 % intervals; names below
 "gates": [{"metric": str, "at_least": x|null, "at_most": x|null, "value": x|null, "passed": bool}],
 "threshold": {"value": x, "cost_false_negative"?: x, "cost_false_positive"?: x, "currency"?: str,
               "cost_curve": [{"threshold": x, "cost": x}]},                ascending; minor units of currency
 "roc": [[false positive rate, true positive rate]],                      from [0,0] to [1,1]
 "pr": [[recall, precision]],
 "calibration": [{"low": x, "high": x, "n": int, "mean_score": x, "rate": x, "rate_low": x, "rate_high": x}],
 "confusion": {"tp": int, "fp": int, "fn": int, "tn": int},              on the test rows, at the threshold
 "score_histogram": {"edges": [x], "negatives": [int], "positives": [int]},   len(edges) = len(counts) + 1
 "importance": [{"feature": str, "value": x}],                             any order; what it measures ↓
 "importance_kind"?: str,                                                  e.g. "permutation, drop in AUC"
 "fairness": {"verdict": "PASS"|"FAIL"|"INSUFFICIENT", "reasons": [str],
              "groups": {"country": {"rows": [{"value": str, "n": int, "positives": int, "judged": bool,
                                               "selection_rate"|"tpr"|"fpr"|"fnr": {"value","low","high"}}],
                                     "selection_rate_ratio": x|null, "fpr_gap": x|null, "fnr_gap": x|null,
                                     "verdict": "PASS"|"FAIL"|"INSUFFICIENT"}}},
 "rules_comparison": {"rules"|"model"|"hybrid": {metric: x|null},
                      "discordant"?: {"model_only": int, "rules_only": int}, "p"?: x}}
```

Metric names: `auc`, `average_precision`, `precision`, `recall`, `f1`, `false_positive_rate`, `brier`, `cost`.
`statistics.classification` and `statistics.proportions.group_rates` return most of these parts as they are:
`roc_points`, `pr_points`, `calibration_bins`, `confusion`, `score_histogram`, `cost_curve`, `group_rates`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from countersign.reports import page, plots

WORDS = {
    "auc": "AUC (ROC)",
    "average_precision": "Average precision",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "false_positive_rate": "False positive rate",
    "brier": "Brier score",
    "cost": "Cost, minor units",
    "score_psi": "PSI of the score, validation to test",
    "latency_p95_ms": "Latency, 95th percentile, ms",
}
RATES = {
    "selection_rate": "Selected",
    "tpr": "Recall",
    "fpr": "False positives",
    "fnr": "Missed",
}


def render(document: Mapping[str, Any]) -> str:
    """The HTML of an evaluation. Sections whose part is absent say so; a wrong shape raises KeyError."""
    return page.page(
        f"Evaluation of {document['use_case']}, run {document['run_id']}",
        subtitle=_subtitle(document),
        body=[
            _verdict(document),
            _gates(document),
            _metrics(document),
            _plots(document),
            _importance(document),
            _fairness(document),
            _rules(document),
            _lineage(document),
        ],
        footer="Countersign. Intervals are 95 %. Measured on the test rows, which neither training nor the "
        "choice of the threshold has seen.",
    )


def _subtitle(document: Mapping[str, Any]) -> Markup:
    said = [page.moment(document.get("created_at")), (document.get("model") or {}).get("kind")]
    parts = [page.shown(part) for part in said if part]
    if (document.get("dataset") or {}).get("synthetic"):
        parts.append(Markup('<span class="badge warn">synthetic data</span>'))
    return page.join(parts, " · ")


def _verdict(document: Mapping[str, Any]) -> Markup:
    failed = [_word(gate["metric"]) for gate in document["gates"] if not gate["passed"]]
    fairness = (document.get("fairness") or {}).get("verdict", "INSUFFICIENT")
    if document["passed"]:
        text = f"Every gate holds. Fairness: {fairness}."
    else:
        text = f"Held back by {', '.join(failed)}." if failed else "Every gate holds."
        text += f" Fairness: {fairness}."
    return page.banner("passed" if document["passed"] else "failed", text)


def _gates(document: Mapping[str, Any]) -> Markup:
    rows = [
        (
            _word(gate["metric"]),
            _bound(gate),
            gate["value"],
            page.badge("passed" if gate["passed"] else "failed"),
        )
        for gate in document["gates"]
    ]
    return page.section(
        "Gates",
        page.table(["Metric", "Must be", "Is#", "Verdict"], rows),
        note="A metric that is missing or not a number never passes.",
    )


def _bound(gate: Mapping[str, Any]) -> str:
    low, high = gate.get("at_least"), gate.get("at_most")
    parts = [f"at least {page.number(low)}"] if low is not None else []
    parts += [f"at most {page.number(high)}"] if high is not None else []
    return " and ".join(parts) or "known"


def _metrics(document: Mapping[str, Any]) -> Markup:
    rows = [
        (_word(name), m.get("value"), m.get("low"), m.get("high"))
        for name, m in document["metrics"].items()
    ]
    return page.section(
        "Metrics",
        page.table(["Metric", "Value#", "From#", "To#"], rows),
        note="With 95 % confidence intervals. A wide interval means few errors in the test rows.",
    )


def _plots(document: Mapping[str, Any]) -> Markup:
    threshold = document.get("threshold") or {}
    value, metrics = threshold.get("value"), document["metrics"]
    test = (document.get("split") or {}).get("test") or {}
    base = test["positives"] / test["rows"] if test.get("rows") else None
    drawn: list[Markup] = []
    if document.get("roc"):
        drawn.append(page.figure(plots.roc(document["roc"], _value(metrics, "auc")), "ROC curve"))
    if document.get("pr"):
        svg = plots.precision_recall(document["pr"], _value(metrics, "average_precision"), base)
        drawn.append(page.figure(svg, "Precision against recall"))
    if document.get("score_histogram"):
        svg = plots.score_distribution(document["score_histogram"], value)
        drawn.append(page.figure(svg, "Scores by class, each class on its own scale"))
    if document.get("confusion"):
        svg = plots.confusion(document["confusion"])
        drawn.append(page.figure(svg, f"Decisions at the threshold {page.number(value)}"))
    if threshold.get("cost_curve"):
        svg = plots.cost_curve(threshold["cost_curve"], value, _unit(threshold))
        drawn.append(page.figure(svg, _costs(threshold)))
    if document.get("calibration"):
        svg = plots.calibration(document["calibration"])
        drawn.append(page.figure(svg, "Calibration, in groups of equal size"))
    if not drawn:
        return page.section("Plots", page.paragraph("No curves were recorded."))
    return page.section("Plots", page.grid(drawn))


def _costs(threshold: Mapping[str, Any]) -> str:
    miss, alarm = threshold.get("cost_false_negative"), threshold.get("cost_false_positive")
    if miss is None or alarm is None:
        return "Total cost by threshold"
    return (
        f"Total cost by threshold: a miss costs {page.number(miss)}, a false alarm "
        f"{page.number(alarm)} {_unit(threshold)}".rstrip()
    )


def _unit(threshold: Mapping[str, Any]) -> str:
    currency = threshold.get("currency")
    return f"minor units of {currency}" if currency else ""


def _importance(document: Mapping[str, Any]) -> Markup:
    rows = document.get("importance") or []
    if not rows:
        return page.section(
            "Feature importance", page.paragraph("No feature importance was recorded.")
        )
    return page.section(
        "Feature importance",
        page.figure(plots.importance(rows)),
        note=str(document.get("importance_kind", "")),
    )


def _fairness(document: Mapping[str, Any]) -> Markup:
    fairness = document.get("fairness") or {}
    parts = [page.banner(fairness.get("verdict", "INSUFFICIENT"), _reasons(fairness))]
    for group, found in (fairness.get("groups") or {}).items():
        parts.append(Markup("<h3>{} {}</h3>").format(group, page.badge(found["verdict"])))
        parts.append(
            page.table(
                ["Group", "Rows#", "Errors#", *(f"{word}#" for word in RATES.values()), "Judged"],
                [_group(row) for row in found["rows"]],
                caption=f"Lowest selection rate over highest: {page.number(found['selection_rate_ratio'])} · "
                f"gap in false positives: {page.percent(found['fpr_gap'])} · "
                f"gap in misses: {page.percent(found['fnr_gap'])}",
            )
        )
    return page.section(
        "Fairness",
        *parts,
        note="Rates with 95 % intervals. Groups under the minimum size are shown and not judged.",
    )


def _reasons(fairness: Mapping[str, Any]) -> str:
    return " ".join(fairness.get("reasons") or []) or "By group, as declared."


def _group(row: Mapping[str, Any]) -> tuple[Any, ...]:
    rates = (page.interval(row[name], as_percent=True) for name in RATES)
    return (row["value"], row["n"], row["positives"], *rates, bool(row["judged"]))


def _rules(document: Mapping[str, Any]) -> Markup:
    found = document.get("rules_comparison") or {}
    columns = [name for name in ("rules", "model", "hybrid") if found.get(name)]
    if not columns:
        return page.section(
            "Model against rules", page.paragraph("No comparison with the rules was recorded.")
        )
    names = [name for name in WORDS if any(name in found[column] for column in columns)]
    rows = [(_word(name), *(found[column].get(name) for column in columns)) for name in names]
    parts = [page.table(["Metric", *(f"{c.capitalize()}#" for c in columns)], rows)]
    if pair := found.get("discordant"):
        parts.append(
            page.paragraph(
                f"Of the rows on which they disagree, the model alone is right on {pair['model_only']} and the "
                f"rules alone on {pair['rules_only']} (McNemar p {page.probability(found.get('p'))})."
            )
        )
    return page.section("Model against rules", *parts)


def _lineage(document: Mapping[str, Any]) -> Markup:
    splits = document.get("split") or {}
    rows = [
        (
            name,
            part.get("rows"),
            part.get("positives"),
            page.moment(part.get("from")),
            page.moment(part.get("to")),
        )
        for name, part in splits.items()
        if isinstance(part, Mapping)
    ]
    model = document.get("model") or {}
    known: dict[str, Any] = {name.replace("_", " "): v for name, v in document["dataset"].items()}
    known["as of"] = page.moment(known.get("as of"))
    for name in ("dataset id", "dataset digest"):
        if name in known:
            known[name] = page.code(known[name])
    settings = model.get("hyperparameters") or {}
    trained = {"model": model.get("kind"), "seed": model.get("seed"), **settings}
    return page.section(
        "Dataset and lineage",
        page.facts(known),
        page.table(
            ["Split", "Rows#", "Errors#", "From", "To"],
            rows,
            caption=f"Split by {splits.get('kind', 'time')}",
        ),
        Markup("<h3>Training</h3>"),
        page.facts(trained),
    )


def _word(name: str) -> str:
    return WORDS.get(name, name.replace("_", " "))


def _value(metrics: Mapping[str, Any], name: str) -> float | None:
    value: float | None = (metrics.get(name) or {}).get("value")
    return value
