"""ISO weeks and days: the keys under which checks are recorded."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from countersign.errors import FieldError, RequestError

_WEEK = re.compile(r"(\d{4})-W(\d{2})")


def week_of(day: date) -> str:
    """`2026-W47`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def monday_of(week: str) -> date:
    """The first day of an ISO week. Raises RequestError when there is no such week."""
    found = _WEEK.fullmatch(week)
    try:
        if found is None:
            raise ValueError(week)
        return date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except ValueError as error:
        raise RequestError(
            "A week is written 2026-W47", errors=[FieldError("week", "an ISO week, 2026-W47")]
        ) from error


def days_of(week: str) -> list[date]:
    """Monday to Sunday."""
    monday = monday_of(week)
    return [monday + timedelta(days=n) for n in range(7)]


def is_over(week: str, now: datetime) -> bool:
    """Whether the whole week lies behind us, in UTC."""
    return now.date() > days_of(week)[-1]


def day_or_yesterday(day: str, now: datetime) -> date:
    """The day asked for, or the last whole one. Raises RequestError for what is not a date."""
    if not day:
        return now.date() - timedelta(days=1)
    try:
        return date.fromisoformat(day)
    except ValueError as error:
        raise RequestError(
            "A day is written 2026-11-21", errors=[FieldError("day", "a date, 2026-11-21")]
        ) from error


def month_or_yesterdays(month: str, now: datetime) -> date:
    """The first day of the month asked for, or of yesterday's. Raises RequestError for no month."""
    if not month:
        return (now.date() - timedelta(days=1)).replace(day=1)
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError as error:
        raise RequestError(
            "A month is written 2026-11", errors=[FieldError("month", "a month, 2026-11")]
        ) from error
