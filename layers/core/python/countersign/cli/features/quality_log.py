"""The quality log in the lake, as the commands read it."""

from __future__ import annotations

from typing import Any

from countersign.aws.lake import Lake


def days(lake: Lake, view: str) -> dict[str, str]:
    """The key of each day's log of a view, by day, in order."""
    prefix = f"quality/{view}/date="
    keys = [key for key in lake.keys(prefix) if key.endswith("/quality.json")]
    return {key.removeprefix(prefix).partition("/")[0]: key for key in keys}


def latest_log(lake: Lake, view: str) -> dict[str, Any] | None:
    """The newest day's log of a view; None before the first."""
    found = days(lake, view)
    if not found:
        return None
    document: dict[str, Any] = lake.read_json(found[max(found)])
    return document


def log_of(lake: Lake, view: str, day: str) -> dict[str, Any] | None:
    """The log of a view and day (`2026-11-21`); the newest for an empty day, None without one."""
    if not day:
        return latest_log(lake, view)
    key = days(lake, view).get(day)
    return lake.read_json(key) if key else None
