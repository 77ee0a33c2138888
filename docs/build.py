"""Render what is generated in docs/. `python docs/build.py`; a test says when it was forgotten."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from countersign import use_cases
from countersign.declare import Feature, FeatureView, RequestFeature, UseCase, Window
from countersign.features.definition import computation

DOCS = Path(__file__).parent
CHAPTERS = {
    "A": "Features", "B": "Data quality", "C": "Training", "D": "Registry",
    "E": "Validation, approval, promotion", "F": "Serving", "G": "Experiments", "H": "Rollback",
    "I": "Monitoring", "J": "Platform",
}  # fmt: skip
# The twenty payroll features of requirement A2: thirteen it names, seven of our design.
PAYROLL_PACK = (
    "worker_gross_pay_6m_mean", "worker_gross_pay_6m_std", "worker_net_to_gross_ratio_trend",
    "country_avg_gross_pay", "client_error_rate_12m", "country_regulatory_change_count_ytd",
    "current_payslip_gross_pay", "current_payslip_z_score", "has_change_this_period",
    "days_since_last_payroll", "error_count_rolling_3m", "exception_count_rolling_6m",
    "headcount_change_rolling_3m_pct",
    "gross_to_usual_log_ratio", "net_to_gross_delta", "period_overlap_share", "raise_not_paid",
    "days_after_leaving", "gross_to_country_log_ratio", "exception_count_rolling_10d",
)  # fmt: skip
COLUMNS = "| feature | what it says | computation | source | point in time | at most | null | valid | models |"


def requirements() -> dict[str, dict[str, Any]]:
    """The machine-readable twin: id → title, status, tests."""
    declared: dict[str, dict[str, Any]] = yaml.safe_load((DOCS / "requirements.yaml").read_text())
    return declared


def requirements_page() -> str:
    """docs/requirements.md."""
    lines = [
        "# Requirements and where they stand",
        "",
        "Generated from `requirements.yaml` by `make docs`. A line is *done* only with a test behind it.",
    ]
    chapter = ""
    for name, entry in requirements().items():
        if name[0] != chapter:
            chapter = name[0]
            lines += ["", f"## {chapter}. {CHAPTERS[chapter]}", "", "| | demand | status | tests |"]
            lines += ["|---|---|---|---|"]
        tests = "<br>".join(f"`{test}`" for test in entry["tests"])
        lines += [f"| {name} | {entry['title']} | {entry['status']} | {tests} |"]
    return "\n".join(lines) + "\n"


def features_page() -> str:
    """docs/features.md: every declared feature, once."""
    cases = [*use_cases.all_use_cases().values(), *use_cases.trained_only().values()]
    views = {view.name: view for case in cases for view in case.views}
    lines = [
        "# The features",
        "",
        (
            "Generated from the declarations by `make docs`. *Point in time* says which facts count at an "
            "as-of moment; always only those that were known by then "
            "([both clocks, with an example](point-in-time.md)). *At most* is how old the newest fact may "
            "be when a request is scored. A **critical** feature that is older, or missing, blocks the score."
        ),
        "",
        "The payroll pack of requirement A2: " + ", ".join(f"`{n}`" for n in PAYROLL_PACK) + ".",
    ]
    for view in views.values():
        lines += _view(view, cases)
    for case in cases:
        if case.request_features:
            lines += _request(case)
    return "\n".join(lines) + "\n"


def _view(view: FeatureView, cases: list[UseCase]) -> Iterator[str]:
    sources = ", ".join(f"`{source.name}`" for source in view.sources())
    yield from ("", f"## `{view.name}`", "", f"{view.description}.", "")
    yield (
        f"Of `{view.entity.key}`, from {sources}; {view.kind}, {view.refresh}; owner `{view.owner}`; "
        f"a value lives {_days(view.ttl)} after its newest fact."
    )
    yield from ("", COLUMNS, "|---" * 9 + "|")
    for feature in view.features:
        source = {"": view.source.name, "*": "all"}.get(feature.source, feature.source)
        yield _row(
            feature,
            (computation(view, feature), source, _span(feature.window), _days(feature.sla)),
            [case.name for case in cases if feature.name in case.inputs and view in case.views],
        )


def _request(case: UseCase) -> Iterator[str]:
    yield from ("", f"## At request time: `{case.name}`", "")
    yield "Made of the request and of the features above by one function each, the same in training."
    yield from ("", COLUMNS, "|---" * 9 + "|")
    for feature in case.request_features:
        computed = (
            f"{feature.compute.__module__.removeprefix('countersign.')}.{feature.compute.__name__}"
        )
        used = [case.name] if feature.name in case.inputs else []
        yield _row(feature, (computed, "the request", "the request itself", "real-time"), used)


def _row(feature: Feature | RequestFeature, cells: tuple[str, ...], models: list[str]) -> str:
    logic, source, span, age = cells
    critical = " **critical**" if feature.critical else ""
    low, high = ("" if math.isinf(bound) else f"{bound:g}" for bound in feature.valid)
    null = f"fill {feature.fill:g}" if feature.nulls == "fill" else feature.nulls
    every = (
        f"`{feature.name}`{critical}", feature.description, f"`{logic}`", source, span, age, null,
        f"{low} … {high}", ", ".join(dict.fromkeys(models)) or "–",
    )  # fmt: skip
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in every) + " |"


def _span(window: Window | None) -> str:
    """Which facts count at a moment, in words."""
    window = window or Window()
    span = "all history"
    if window.months:
        span = f"{window.months} calendar months with that of the moment"
    elif window.year_to_date:
        span = "since 1 January"
    elif window.duration:
        span = f"{_days(window.duration)}"
    delay = f" that end {_days(window.delay)} before it" if window.delay else ""
    edge = "the moment counts" if window.include_current else "before the moment"
    return f"{span}{delay}; {edge}"


def _days(span: timedelta) -> str:
    hours = span / timedelta(hours=1)
    return f"{hours:g} h" if hours < 24 or hours % 24 else f"{hours / 24:g} d"


if __name__ == "__main__":
    (DOCS / "requirements.md").write_text(requirements_page())
    (DOCS / "features.md").write_text(features_page())
