"""The plots of a model of one score, and of a model of classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from countersign.reports import class_plots, page, plots
from countersign.reports.sections.words import value


def curves(document: Mapping[str, Any]) -> Markup:
    """Whatever was recorded, drawn."""
    drawn = _classes(document) if document.get("by_class") else _score(document)
    if not drawn:
        return page.section("Plots", page.paragraph("No curves were recorded."))
    return page.section("Plots", page.grid(drawn))


def _score(document: Mapping[str, Any]) -> list[Markup]:
    metrics, at = document["metrics"], (document.get("threshold") or {}).get("value")
    test = (document.get("split") or {}).get("test") or {}
    base = test["positives"] / test["rows"] if test.get("rows") else None
    drawn: list[Markup] = []
    if document.get("roc"):
        drawn.append(page.figure(plots.roc(document["roc"], value(metrics, "auc")), "ROC curve"))
    if document.get("pr"):
        svg = plots.precision_recall(document["pr"], value(metrics, "average_precision"), base)
        drawn.append(page.figure(svg, "Precision against recall"))
    if document.get("score_histogram"):
        svg = plots.score_distribution(document["score_histogram"], at)
        drawn.append(page.figure(svg, "Scores, cases and clear rows each on their own scale"))
    if document.get("confusion"):
        svg = plots.confusion(document["confusion"])
        drawn.append(page.figure(svg, f"Decisions at the threshold {page.number(at)}"))
    if document.get("calibration"):
        svg = plots.calibration(document["calibration"])
        drawn.append(page.figure(svg, "Calibration, in groups of equal size"))
    return drawn


def _classes(document: Mapping[str, Any]) -> list[Markup]:
    by_class = document["by_class"]
    areas = {name: value(found, "auc") for name, found in by_class.items()}
    drawn = [
        page.figure(
            class_plots.confusion(document["confusion_matrix"], document["classes"]),
            "Likeliest class against the truth; shades are shares of the true class",
        ),
        page.figure(
            class_plots.roc({n: found["roc"] for n, found in by_class.items()}, areas),
            "ROC curve of each class against the rest",
        ),
    ]
    if any(found.get("pr") for found in by_class.values()):
        svg = class_plots.precision_recall({n: found["pr"] for n, found in by_class.items()})
        drawn.append(page.figure(svg, "Precision against recall of each class"))
    if confidence := document.get("confidence"):
        svg = plots.score_distribution(
            confidence, None, names=("wrong", "right"), label="Probability of the likeliest class"
        )
        drawn.append(page.figure(svg, "How sure it is where it is right, and where it is wrong"))
    drawn += [
        page.figure(plots.calibration(found["calibration"], of=name), f"Calibration of {name}")
        for name, found in by_class.items()
    ]
    return drawn


def importance(document: Mapping[str, Any]) -> Markup:
    """What the model leans on."""
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
