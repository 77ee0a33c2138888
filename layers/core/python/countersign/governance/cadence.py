"""When a model's retraining is due by the calendar: monthly for volatile ones, quarterly for stable ones."""

from __future__ import annotations

import calendar
from datetime import datetime
from typing import Literal

Cadence = Literal["monthly", "quarterly"]
MONTHS = {"monthly": 1, "quarterly": 3}


def due_after(trained_at: datetime, cadence: Cadence, periods: int = 1) -> datetime:
    """The moment `periods` periods after training; a day that a month lacks is its last.

    Every period counts from the training, so that a 31st does not wander to the 28th for good.
    """
    months = trained_at.month - 1 + periods * MONTHS[cadence]
    year, month = trained_at.year + months // 12, months % 12 + 1
    day = min(trained_at.day, calendar.monthrange(year, month)[1])
    return trained_at.replace(year=year, month=month, day=day)


def newest_due(trained_at: datetime, cadence: Cadence, now: datetime) -> datetime | None:
    """The newest due moment that has passed; None when none has."""
    passed, periods = None, 1
    while (moment := due_after(trained_at, cadence, periods)) <= now:
        passed, periods = moment, periods + 1
    return passed
