"""Are groups treated alike? In sentences first, so that nobody needs statistics to read it; then the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from countersign.reports import group_plots, page

_MOST_NAMED = 12
_GAPS = {
    "selected": {
        "fpr": ("False alarms", " rows in which nothing was wrong"),
        "fnr": ("Missed cases (equal opportunity)", " cases"),
    },
    "decided right": {"fnr": ("Wrong recommendations", " rows")},
}
_SHORT = {
    "selected": {
        "selection_rate": "Selected#", "tpr": "Cases found#", "fpr": "False alarms#", "fnr": "Missed#",
    },
    "decided right": {"selection_rate": "Decided right#"},
}  # fmt: skip


def fairness(document: Mapping[str, Any]) -> Markup:
    """The verdict, each declared column in words, a drawing and a table."""
    found = document.get("fairness") or {}
    about = found.get("about", "selected")
    parts = [page.banner(found.get("verdict", "INSUFFICIENT"), _overall(found))]
    for column, figures in (found.get("groups") or {}).items():
        parts += _column(column, figures, about, found)
        parts += _recommended((document.get("recommended_by_group") or {}).get(column))
    return page.section("Fairness", *parts, note=_note(found, about))


def _overall(found: Mapping[str, Any]) -> str:
    verdict = found.get("verdict", "INSUFFICIENT")
    if verdict == "PASS":
        return "No declared group is treated differently from another by more than the rules allow."
    if verdict == "FAIL":
        reasons = [f"{reason[:1].upper()}{reason[1:]}." for reason in found.get("reasons") or []]
        return " ".join(["A group is treated worse, and not by chance.", *reasons])
    groups = found.get("groups") or {}
    undecided = [_plain(name) for name, each in groups.items() if each["verdict"] == "INSUFFICIENT"]
    by = f" by {' and by '.join(undecided)}" if undecided else ""
    return f"The numbers{by} alone do not decide it: people must weigh them, as told below."


def _note(found: Mapping[str, Any], about: str) -> str:
    if about == "selected":
        told = "Being selected costs a person time; being missed costs somebody else money. Both are compared by group."
    else:
        told = "Compared is how often the recommendation is right in each group."
    told += " A column fails when a group is below four fifths of another and, among rows alike, errors differ "
    told += "widely and beyond chance. Groups under the minimum size are shown and not judged."
    if cluster := found.get("cluster"):
        told += (
            f" Intervals (95 %) and p allow for the rows of one {_plain(cluster)} being alike; a p also "
            "for the groups named being the furthest apart of all, an interval does not."
        )
    tests = found.get("comparisons", 0)
    if tests > 1:
        told += f" {tests} comparisons were made, so each p is also given adjusted ({found['adjustment']}): "
        told += "among many comparisons one stands out by chance."
    return told


def _plain(name: str) -> str:
    return name.removesuffix("_id").replace("_", " ")


def _column(
    column: str, found: Mapping[str, Any], about: str, audit: Mapping[str, Any]
) -> list[Markup]:
    title = _plain(column)
    lines = [*_selection(found, about), *_gaps(found, about), *_small(found)]
    judged = [row for row in found["rows"] if row["judged"]]
    parts = [
        Markup("<h3>By {} {}</h3>").format(title, page.badge(found["verdict"])),
        page.paragraph(_meaning(found, about)),
    ]
    parts += [page.listing(lines)] if lines else []
    if judged:
        words = "Selected" if about == "selected" else "Decided right"
        svg = group_plots.rates(column, found["rows"], words)
        parts.append(page.figure(svg, f"{words} by {title}; grey groups are too small to judge"))
    return [*parts, _table(found["rows"], about, audit)]


def _meaning(found: Mapping[str, Any], about: str) -> str:
    least = page.percent(found.get("minimum_ratio", 0.8), 0)
    done = "selected" if about == "selected" else "decided right"
    if found["verdict"] == "PASS":
        return f"Every group is {done} at least {least} as often as the one {done} most."
    if found["verdict"] == "FAIL":
        return f"A group is {done} less than {least} as often as another, and among rows alike it fares worse."
    if found["selection_rate_ratio"] is None:
        rows = found.get("minimum_rows", "enough")
        return f"There is too little to go by: at least two groups of {rows} rows are needed."
    return (
        f"A group is {done} less than {least} as often as another, but it is not shown that rows alike are "
        "treated differently: too few rows, or a small difference."
    )


def _selection(found: Mapping[str, Any], about: str) -> list[str]:
    ends = found.get("selection")
    if not ends:
        return []
    rates = {row["value"]: row["selection_rate"]["value"] for row in found["rows"]}
    done = "are selected" if about == "selected" else "are decided right"
    low, high = rates[ends["lowest"]], rates[ends["highest"]]
    told = f"Of 1 000 rows of {ends['highest']}, {_of_1000(high)} {done}; of {ends['lowest']}, {_of_1000(low)}: "
    told += f"{page.percent(ends['ratio'], 0)} as many"
    if ends["low"] is not None:
        told += f" (between {page.percent(ends['low'], 0)} and {page.percent(ends['high'], 0)} is plausible)"
    return [f"{told}. At least {page.percent(found.get('minimum_ratio', 0.8), 0)} is asked for."]


def _of_1000(rate: float) -> str:
    return page.number(round(rate * 1_000)) if rate * 1_000 >= 1 or rate == 0 else "fewer than 1"


def _gaps(found: Mapping[str, Any], about: str) -> list[str]:
    lines = []
    for name, (title, base) in _GAPS[about].items():
        gap = found.get(name)
        if not isinstance(gap, Mapping):
            continue
        told = (
            f"{title}, in share of all{base}: {_end(gap, 'highest')}, {_end(gap, 'lowest')}. The gap is "
            f"{_points(gap['gap'])} (between these two {_points(gap['low'])} to {_points(gap['high'])} is plausible)"
        )
        lines.append(f"{told}{_chance(gap, sum(row['judged'] for row in found['rows']))}.")
    return lines


def _end(gap: Mapping[str, Any], end: str) -> str:
    rows = gap.get(f"{end}_rows")
    of = "" if rows is None else f" of {page.number(rows)}"
    return f"{gap[end]} {page.percent(gap[f'{end}_rate'])}{of}"


def _chance(gap: Mapping[str, Any], groups: int) -> str:
    if gap.get("p") is None:
        return ""
    p, adjusted = page.probability(gap["p"]), page.probability(gap["p_adjusted"])
    more = "more" if gap["p_adjusted"] < 0.01 else "no more"
    return f". Such a spread among {groups} groups is {more} than chance gives (p {p}, adjusted {adjusted})"


def _points(share: float | None) -> str:
    return page.UNKNOWN if share is None else f"{share * 100:.1f} points"


def _small(found: Mapping[str, Any]) -> list[Markup]:
    small = found.get("too_small") or []
    if not small:
        return []
    named = ", ".join(f"{group['value']} ({group['n']})" for group in small[:_MOST_NAMED])
    more = f" and {len(small) - _MOST_NAMED} more" if len(small) > _MOST_NAMED else ""
    return [
        Markup("{} too small to judge, under {} rows: {}{}.").format(
            page.badge("INSUFFICIENT"), found["minimum_rows"], named, more
        )
    ]


def _table(rows: Sequence[Mapping[str, Any]], about: str, audit: Mapping[str, Any]) -> Markup:
    short = _SHORT[about]
    entities = f"{_plain(audit['cluster']).capitalize()}s#" if audit.get("cluster") else "Entities#"
    cases = ["Cases#"] if about == "selected" else []
    scored = ["Mean score#", "Case rate#"] if about == "selected" else ["Mean confidence#"]
    return page.table(
        ["Group", "Rows#", entities, *cases, *short.values(), *scored],
        [_group(row, about, list(short)) for row in rows],
        caption="Rates with 95 % intervals. A score that means the same in every group stands in the same "
        "relation to the rate beside it.",
    )


def _group(row: Mapping[str, Any], about: str, names: Sequence[str]) -> tuple[Any, ...]:
    rates = (page.interval(row[name], as_percent=True) for name in names)
    cases = [row["positives"]] if about == "selected" else []
    outcome = (
        [page.interval(row.get("outcome_rate"), as_percent=True)] if about == "selected" else []
    )
    name = page.shown(row["value"])
    if not row["judged"]:
        name += Markup(" ") + page.badge("INSUFFICIENT")
    return (name, row["n"], row.get("clusters"), *cases, *rates, row.get("mean_score"), *outcome)


def _recommended(rows: Sequence[Mapping[str, Any]] | None) -> list[Markup]:
    if not rows:
        return []
    names = list(rows[0]["shares"])
    table = page.table(
        ["Group", "Rows#", *(f"{name}#" for name in names)],
        [(r["value"], r["n"], *(page.percent(r["shares"][n]) for n in names)) for r in rows],
        caption="What is recommended to whom",
    )
    return [table]
