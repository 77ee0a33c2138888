"""What a desk draws beside the report: each of its plots as a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from countersign.reports import plots


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
        known = [each for each in search["tries"] if each["mean"] is not None]
        made["search"] = plots.search_history(
            known, search["scoring"], larger_is_better=search["larger_is_better"]
        )
    return made
