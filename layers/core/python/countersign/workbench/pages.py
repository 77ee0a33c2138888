"""What a desk draws beside the evaluation: plots as files, and how the hyperparameters were found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from countersign.reports import page, plots

MOST_ROWS = 50


def plots_of(document: Mapping[str, Any], search: Mapping[str, Any] | None) -> dict[str, str]:
    """SVG by name: roc, pr, calibration, confusion, importance, cost, scores and search, as far as there are."""
    metrics, threshold = document["metrics"], document.get("threshold") or {}
    value = threshold.get("value")
    made: dict[str, str] = {}
    if document.get("roc"):
        made["roc"] = plots.roc(document["roc"], metrics["auc"]["value"])
        average = metrics["average_precision"]["value"]
        made["pr"] = plots.precision_recall(document["pr"], average, None)
        made["calibration"] = plots.calibration(document["calibration"])
        made["confusion"] = plots.confusion(document["confusion"])
        made["scores"] = plots.score_distribution(document["score_histogram"], value)
        made["cost"] = plots.cost_curve(threshold["cost_curve"], value, "")
    for name, found in (document.get("by_class") or {}).items():
        safe = "".join(c if c.isalnum() else "_" for c in name)
        made[f"roc-{safe}"] = plots.roc(found["roc"], None)
        made[f"calibration-{safe}"] = plots.calibration(found["calibration"])
    if document.get("importance"):
        made["importance"] = plots.importance(document["importance"])
    if search:
        made["search"] = search_history(search)
    return made


def search_history(search: Mapping[str, Any]) -> str:
    """The figure of each try, and the best so far."""
    scoring, better = search["scoring"], search["larger_is_better"]
    tries = [made for made in search["tries"] if made["mean"] is not None]
    numbers, means = [made["n"] for made in tries], [made["mean"] for made in tries]
    best = [max(means[: n + 1]) if better else min(means[: n + 1]) for n in range(len(means))]
    drawing = plots.Drawing(
        f"Search history: {scoring} of each try and the best so far", width=7, height=3
    )
    with drawing as axes:
        axes.scatter(numbers, means, color=plots.GREY, s=16, label="each try")
        axes.step(numbers, best, where="post", color=plots.BLUE, linewidth=2, label="best so far")
        axes.set(xlabel="Try", ylabel=f"{scoring}, mean of the folds")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return drawing.svg


def search_section(search: Mapping[str, Any]) -> Markup:
    """The section of the report: history, folds, and the best tries."""
    better = search["larger_is_better"]
    known = [made for made in search["tries"] if made["mean"] is not None]
    ranked = sorted(known, key=lambda made: -made["mean"] if better else made["mean"])[:MOST_ROWS]
    names = list(search["space"])
    rows = [
        (
            made["n"],
            *(made["hyperparameters"][name] for name in names),
            made["mean"],
            made["std"],
            made["seconds"],
        )
        for made in ranked
    ]
    failed = len(search["tries"]) - len(known)
    note = (
        f"{search['method']}, seed {search['seed']}, {len(search['folds'])} folds of the training rows "
        f"({search['split']}); neither the validation nor the test rows were seen."
        f"{f' {failed} tries could not be fitted.' if failed else ''}"
    )
    return page.section(
        "How the hyperparameters were found",
        page.figure(search_history(search), f"{search['scoring']} of each try"),
        page.table(["Try#", *(f"{name}#" for name in names), "Mean#", "Std#", "Seconds#"], rows),
        note=note,
    )
