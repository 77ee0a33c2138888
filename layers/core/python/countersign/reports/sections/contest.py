"""Rules alone, model alone, and both as they would be served: what they find, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from countersign.reports import page, plots
from countersign.reports.sections.words import CONTESTANTS, WORDS, unit, word


def contest(document: Mapping[str, Any]) -> Markup:
    """The table of the three, and whether the differences are chance."""
    title, found = "Model against rules", document.get("rules_comparison") or {}
    columns = [name for name in CONTESTANTS if found.get(name)]
    if not columns:
        return page.section(title, page.paragraph("No comparison with the rules was recorded."))
    names = [name for name in WORDS if any(name in found[column] for column in columns)]
    rows = [(word(name), *(_figure(found[column], name) for column in columns)) for name in names]
    parts = [page.table(["Metric", *(f"{c.capitalize()}#" for c in columns)], rows)]
    for name, count, p in (
        ("model", "discordant", "p"),
        ("hybrid", "hybrid_discordant", "hybrid_p"),
    ):
        if pair := found.get(count):
            parts.append(page.paragraph(_disagreement(name, pair, found.get(p))))
    return page.section(title, *parts, note=_note(found))


def _figure(figures: Mapping[str, Any], name: str) -> str:
    low, high = (figures.get("intervals") or {}).get(name, (None, None))
    return page.interval({"value": figures.get(name), "low": low, "high": high})


def _disagreement(name: str, pair: Mapping[str, int], p: float | None) -> str:
    mine, theirs = pair[f"{name}_only"], pair["rules_only"]
    told = (
        f"Where rules and {name} disagree about a row, the {name} is right {mine} times and the rules "
        f"{theirs} times"
    )
    if p is None:
        return f"{told}."
    so = "more than chance would explain" if p < 0.05 else "no more than chance would explain"
    return f"{told}: {so} (McNemar p {page.probability(p)})."


def _note(found: Mapping[str, Any]) -> str:
    over = f" on the {page.number(found['rows'])} test rows" if found.get("rows") else ""
    if "threshold" in found["rules"]:
        return (
            f"Each at its own cheapest threshold of the validation rows, judged{over}. Being right counts a "
            "false alarm as much as a miss; the costs do not."
        )
    return f"The rules alone recommend what they know, and else what stands when nothing decides; judged{over}."


def threshold(document: Mapping[str, Any]) -> Markup:
    """Where a score becomes a decision, what that costs, and what other costs would make of it."""
    title, found = "Threshold and cost", document.get("threshold") or {}
    if document.get("by_class"):
        return page.section(
            title,
            page.paragraph(
                "A model of classes has no threshold of yes or no, and no cost by class is declared."
            ),
        )
    if not found:
        return page.section(title, page.paragraph("No threshold was recorded."))
    parts = [page.paragraph(_stands(found))]
    if found.get("cost_curve"):
        svg = plots.cost_curve(found["cost_curve"], found.get("value"), unit(found.get("currency")))
        parts.append(page.grid([page.figure(svg, _costs(found))]))
    parts += _spent(document.get("rules_comparison") or {})
    parts += _sensitivity(found)
    parts.append(
        page.paragraph(
            "The threshold is sealed with the version. Another one is another version: it goes through "
            "promotion, where whoever signs sees what changed."
        )
    )
    return page.section(title, *parts)


def _stands(found: Mapping[str, Any]) -> str:
    on = f", the cheapest on the {found['chosen_on']}" if found.get("chosen_on") else ""
    told = f"A row is selected at a score of {page.number(found['value'], 4)} or more{on}."
    if found.get("model_only") is not None:
        told += (
            f" The model alone would select at {page.number(found['model_only'], 4)}, the rules alone at "
            f"{page.number(found['rules_only'], 4)}."
        )
    return told


def _costs(found: Mapping[str, Any]) -> str:
    miss, alarm = found.get("cost_false_negative"), found.get("cost_false_positive")
    if miss is None or alarm is None:
        return "Total cost of the test rows by threshold"
    told = f"Total cost of the test rows by threshold: a miss costs {page.number(miss)}, a false alarm {page.number(alarm)}"
    if found.get("cost_true_positive"):
        told += f", a case that is found {page.number(found['cost_true_positive'])}"
    return f"{told} {unit(found.get('currency'))}".rstrip()


def _spent(found: Mapping[str, Any]) -> list[Markup]:
    """Cost per 1 000 rows, of each contestant and of nobody or everybody looking."""
    columns = [n for n in CONTESTANTS if (found.get(n) or {}).get("cost_per_1000") is not None]
    if not columns:
        return []
    saved = found.get("saved_per_1000") or {}
    rows: list[tuple[Any, ...]] = [
        (name, _figure(found[name], "cost_per_1000"), page.interval(saved.get(name)))
        for name in columns
    ]
    unaided = found.get("unaided") or {}
    rows += [
        (words, page.number(unaided[name]), None)
        for name, words in (
            ("review_none", "nobody looks"),
            ("review_all", "every row is looked at"),
        )
        if name in unaided
    ]
    told = f"Expected cost of 1 000 rows, {unit(found.get('currency'))}".rstrip(", ")
    return [page.table(["Who decides", "Cost#", "Saved against the rules#"], rows, caption=told)]


def _sensitivity(found: Mapping[str, Any]) -> list[Markup]:
    rows = [
        (
            row["if"],
            page.number(row["threshold"], 4),
            page.percent(row["selection_rate"]),
            page.percent(row["recall"]),
            page.percent(row["precision"]),
        )
        for row in found.get("sensitivity") or []
    ]
    if not rows:
        return []
    return [
        page.table(
            ["If", "Threshold#", "Selected#", "Recall#", "Precision#"],
            rows,
            caption="Where other costs would put the threshold, and what that would do to the test rows",
        )
    ]
