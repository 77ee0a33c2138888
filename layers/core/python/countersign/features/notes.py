"""A feature's point-in-time note: which facts count at a moment, in words, with a worked moment."""

from __future__ import annotations

from datetime import datetime, timedelta

from countersign.clock import iso
from countersign.declare import Feature, FeatureView, Window

_TICK = timedelta(microseconds=1)


def span(window: Window | None, moment: datetime) -> tuple[datetime | None, datetime]:
    """The event times that count at `moment`: from the first one (None: ever) until before the second."""
    window = window or Window()
    anchor = moment - window.delay
    end = anchor + _TICK if window.include_current else anchor
    if window.months:
        first = anchor.year * 12 + anchor.month - window.months
        year, month = divmod(first, 12)
        return _midnight(anchor, year, month + 1), end
    if window.year_to_date:
        return _midnight(anchor, anchor.year, 1), end
    if window.duration:
        return end - window.duration, end
    return None, end


def note(view: FeatureView, feature: Feature, moment: datetime) -> str:
    """What the value as of `moment` is made of, and what it is not."""
    window = feature.window or Window()
    start, end = span(window, moment)
    since = f"from {_short(start)} " if start else ""
    source = "every source of the view" if feature.source == "*" else feature.source
    until = f"before {_short(end)}"
    if window.include_current:
        until = f"up to and with {_short(end - _TICK)}"
    late = f" Younger facts wait {_days(window.delay)}." if window.delay else ""
    return (
        f"As of {_short(moment)} it counts the facts of {source or view.source.name} with an event time "
        f"{since}{until}, each in the version known by {_short(moment)}; what was known later, a "
        f"correction too, changes later values only.{late} Null when the newest fact of the view is "
        f"more than {_days(view.ttl)} old."
    )


def _midnight(moment: datetime, year: int, month: int) -> datetime:
    return moment.replace(year=year, month=month, day=1, hour=0, minute=0, second=0, microsecond=0)


def _short(moment: datetime) -> str:
    return iso(moment).replace(".000000Z", "Z").replace(":00Z", "Z").replace("T", " ")


def _days(length: timedelta) -> str:
    days = length / timedelta(days=1)
    return f"{days:g} days" if days != 1 else "1 day"
