"""Which models are in production, and which weeks of theirs are due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from countersign.aws.stores import Stores
from countersign.steps.monitor import archive, period

CATCH_UP_WEEKS = 4


def run(stores: Stores) -> dict[str, Any]:
    """One item per model and due week: each finished week not yet checked whole, else the week so far.

    `week` is the newest due one. A firing that was missed is caught up by the next, four weeks back.
    """
    items = [
        {"use_case": use_case, "version": version, "week": week}
        for use_case, version in stores.registry.production()
        for week in due_weeks(stores, use_case)
    ]
    weeks = [item["week"] for item in items]
    return {
        "week": max(weeks, default=period.week_of(stores.clock.now().date())),
        "items": sorted(items, key=lambda item: item["week"], reverse=True),
    }


def due_weeks(stores: Stores, use_case: str) -> list[str]:
    """Finished weeks that had predictions, or follow one that was checked, and have no whole report."""
    today = stores.clock.now().date()
    past = [period.week_of(today - timedelta(weeks=n)) for n in range(CATCH_UP_WEEKS, 0, -1)]
    due = []
    watched = False
    for week in past:
        key = report_key(use_case, week)
        if stores.lake.exists(key):
            watched = True
            if stores.lake.read_json(key)["complete"]:
                continue
        if watched or archive.keys_of(stores.lake, use_case, period.days_of(week)):
            due.append(week)
            watched = True
    return due or [period.week_of(today)]


def report_key(use_case: str, week: str) -> str:
    """Where a week's drift record lies."""
    return f"reports/{use_case}/drift/{week}.json"
