"""The quality page of a day: from the quality logs alone, the last thirty days beside each feature.

A document is one view's `quality.json`: {view, as_of, entities, …, features: [row], findings, alerts}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from countersign.reports import page, sparks

DAYS = 30
HEADERS = (
    "Feature", "Rows#", "Null rate#", "", "Mean#", "", "Std#", "Min#", "Max#", "Out of range#", "Values",
)  # fmt: skip


def render(day: str, views: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The HTML of `day`. `views`: by name the documents of each view, oldest first, the last the day's."""
    today = {name: documents[-1] for name, documents in sorted(views.items())}
    found = [finding for document in today.values() for finding in _findings(document)]
    features = sum(len(document["features"]) for document in today.values())
    needs = (
        "1 finding needs a person." if len(found) == 1 else f"{len(found)} findings need a person."
    )
    told = needs if found else "Nothing needs a person."
    return page.page(
        f"Feature quality of {day}",
        subtitle=f"{features} features of {len(today)} views",
        body=[
            page.banner("alert" if found else "passed", told),
            _alerts(found),
            _views(today),
            *(_features(name, views[name]) for name in today if today[name]["features"]),
            _method(),
        ],
        footer="Countersign. Drawn from the quality log of the lake; it holds no value of any person.",
    )


def _findings(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A log written before findings were structured has texts alone."""
    if "findings" in document:
        return list(document["findings"])
    return [
        {"view": document["view"], "feature": text.split(":")[0], "check": "", "text": text}
        for text in document.get("alerts", [])
    ]


def _alerts(found: Sequence[Mapping[str, Any]]) -> Markup:
    if not found:
        return Markup()
    rows = [(f["view"], page.code(f["feature"] or "–"), f["check"], f["text"]) for f in found]
    return page.section("Alerts", page.table(["View", "Feature", "Check", "What"], rows))


def _views(today: Mapping[str, Mapping[str, Any]]) -> Markup:
    rows = [(page.code(name), *_facts(document)) for name, document in today.items()]
    return page.section(
        "Views",
        page.table(
            ["View", "Entities#", "Day before#", "Change#", "Volume", "Newest fact, days#", "Age"],
            rows,
        ),
        note="Entities with a value that is served; a view without any has no history yet. A volume alert is a change of 30 % that a Poisson "
        "count would show less than once in a thousand days.",
    )


def _facts(document: Mapping[str, Any]) -> tuple[Any, ...]:
    volume = document.get("volume") or {}
    age, limit = document.get("newest_fact_age_days"), document.get("stale_after_days")
    late = age is not None and limit is not None and age > limit
    return (
        document.get("entities"),
        document.get("entities_before"),
        page.percent(volume.get("change")),
        page.badge(volume.get("verdict", "insufficient data")),
        age,
        page.badge("watch") if late else page.shown("within the SLA" if age is not None else None),
    )


def _features(view: str, documents: Sequence[Mapping[str, Any]]) -> Markup:
    history = documents[-DAYS:]
    rows = [_feature(row, history) for row in documents[-1]["features"]]
    dates = [str(document["as_of"])[:10] for document in history]
    return page.section(
        view,
        page.table(HEADERS, rows),
        note=f"Small lines: null rate and mean of the {len(dates)} days on record from {dates[0]} to "
        f"{dates[-1]}. Values: their distribution from the 1st to the 99th percentile.",
    )


def _feature(row: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
    name = row["feature_name"]
    past = [_named(document, name) for document in history]
    nulls = [p["null_rate"] if p and p["rows"] else None for p in past]
    means = [p["mean"] if p else None for p in past]
    bins = row.get("histogram") or {}
    outside = row["out_of_range_count"]
    return (
        page.code(name) + (Markup(" ") + page.badge("critical") if row["critical"] else Markup()),
        row["rows"],
        page.percent(row["null_rate"] if row["rows"] else None, 2),
        sparks.line(nulls, f"null rate of {name}"),
        row["mean"],
        sparks.line(means, f"mean of {name}"),
        row["std"],
        row["min"],
        row["max"],
        Markup('<strong class="bad">{}</strong>').format(outside) if outside else outside,
        sparks.bars(bins.get("counts", []), f"distribution of {name}"),
    )


def _named(document: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    return next((row for row in document["features"] if row["feature_name"] == name), None)


def _method() -> Markup:
    return page.section(
        "How this was measured",
        page.paragraph(
            "Each feature is measured over the entities whose newest fact is within the feature's SLA: "
            "who left a year ago has no pay, and that is no defect. A critical feature may be null for "
            "1 % of them; its values must lie in the declared range. Either finding is an alert, which "
            "blocks scoring until somebody has acknowledged it."
        ),
    )
