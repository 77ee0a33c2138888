"""Is the feature store there? Probed every five minutes; the month's error budget is kept from it.

A day's probes are one record in the lake, by time slot: the record must not live in the store it is about,
and a probe that fires twice is one probe.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from countersign.aws import canary
from countersign.aws.raised import raise_once
from countersign.aws.stores import Stores
from countersign.aws.telemetry import emit
from countersign.errors import NotFoundError
from countersign.monitoring.availability import judge_availability
from countersign.steps.monitor import period

EVERY = timedelta(minutes=5)
FOLDER = "reports/platform/availability"
SCOPE = "platform"
STORE = {"store": "online"}


def run(stores: Stores) -> dict[str, Any]:
    """Probe once: write, read back, look up; tell by metrics, and keep the day's record."""
    now = stores.clock.now()
    found = canary.probe(stores.online, now)
    # The metrics first: they need no store.
    emit(
        STORE,
        {
            "Available": float(found.available),
            "WriteMs": found.write_ms,
            "ConsistentReadMs": found.consistent_ms,
            "LookupMs": found.lookup_ms,
        },
    )
    minute = now.minute - now.minute % (EVERY.seconds // 60)
    day, slot = now.date().isoformat(), f"{now:%H}:{minute:02d}"
    record = _probes(stores, day)
    record[slot] = asdict(found)
    stores.lake.write_json(f"{FOLDER}/{day}.json", {"day": day, "probes": record})
    return {"day": day, "slot": slot, **asdict(found)}


def availability(stores: Stores, month: str) -> dict[str, Any]:
    """The availability of a month, by default the one of yesterday, and what is left of its budget."""
    now = stores.clock.now()
    first = period.month_or_yesterdays(month, now)
    days = [first + timedelta(days=n) for n in range(monthrange(first.year, first.month)[1])]
    outcomes = [
        bool(probe["available"])
        for day in days
        if day <= now.date()
        for probe in _probes(stores, day.isoformat()).values()
    ]
    minutes = len(days) * 24 * 60.0
    judged = judge_availability(
        outcomes,
        probe_minutes=EVERY.total_seconds() / 60,
        month_minutes=minutes,
        due=_due(first, days[-1], now),
    )
    name = f"{first:%Y-%m}"
    stores.lake.write_json(f"{FOLDER}/month={name}.json", {"month": name, **judged})
    spent = judged["spent_minutes"] / judged["budget_minutes"]
    emit(STORE, {"AvailableShare": judged["available_share"]["value"], "ErrorBudgetSpent": spent})
    if judged["verdict"] == "exhausted":
        _tell(stores, name, judged)
    return {"month": name, **judged}


def _probes(stores: Stores, day: str) -> dict[str, Any]:
    try:
        probes: dict[str, Any] = stores.lake.read_json(f"{FOLDER}/{day}.json")["probes"]
    except NotFoundError:
        return {}
    return probes


def _due(first: date, last: date, now: datetime) -> int:
    """How many probes the part of the month that is over should have."""
    start = datetime.combine(first, time(), tzinfo=UTC)
    end = datetime.combine(last + timedelta(days=1), time(), tzinfo=UTC)
    return max(timedelta(0), min(now, end) - start) // EVERY


def _tell(stores: Stores, month: str, judged: dict[str, Any]) -> None:
    raise_once(
        stores,
        use_case=SCOPE,
        kind="availability",
        key=month,
        subject=f"The feature store's error budget of {month} is spent",
        severity="high",
        what=f"The feature store failed {judged['failed']} of {judged['probes']} probes in {month}.",
        facts={
            "available": judged["available_share"],
            "budget, minutes": judged["budget_minutes"],
            "spent, minutes": judged["spent_minutes"],
            "probes not made": judged["missed"],
        },
        to_do="Put off risky changes until the month is over; look for throttling and for what changed.",
        runbook="docs/runbooks/feature-store.md",
    )
