"""Retraining by the calendar: proposed once in a period, started by nobody."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from countersign.clock import iso, parse_iso
from countersign.errors import ForbiddenError
from countersign.governance.cadence import MONTHS, due_after, newest_due
from countersign.steps import monitor
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.monitoring.cloud import Duty
from tests.unit.registry.world import USE_CASE

FIRST, LAST = datetime(2020, 1, 1), datetime(2035, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
MOMENTS = st.datetimes(min_value=FIRST, max_value=LAST, timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("trained", "cadence", "periods", "due"),
    [
        ("2026-01-31", "monthly", 1, "2026-02-28"),
        ("2026-01-31", "monthly", 2, "2026-03-31"),
        ("2026-11-30", "quarterly", 1, "2027-02-28"),
        ("2026-10-05", "quarterly", 4, "2027-10-05"),
        ("2028-02-29", "monthly", 12, "2029-02-28"),
    ],
)
def test_a_period_is_counted_by_the_calendar(
    trained: str, cadence: Any, periods: int, due: str
) -> None:
    start = datetime.fromisoformat(f"{trained}T05:47:00+00:00")
    assert due_after(start, cadence, periods).isoformat() == f"{due}T05:47:00+00:00"


@given(trained=MOMENTS, now=MOMENTS, cadence=st.sampled_from(sorted(MONTHS)))
def test_the_newest_due_moment_is_the_last_that_has_passed(
    trained: datetime, now: datetime, cadence: Any
) -> None:
    every = [due_after(trained, cadence, n) for n in range(1, 200)]
    assert every == sorted(every)
    assert newest_due(trained, cadence, now) == max((m for m in every if m <= now), default=None)


def check(duty: Duty) -> dict[str, Any]:
    found = monitor.run(monitor.Request("cadence"), duty.stores)
    json.dumps(found, allow_nan=False)
    result: dict[str, Any] = found["results"][USE_CASE]
    return result


def at_age(duty: Duty, months: int, *, day: int = 0) -> None:
    """Let the clock stand so many months after the champion was trained."""
    record = duty.stores.registry.version(USE_CASE, duty.version).record
    trained = parse_iso(record.training_date)
    duty.world.clock.at = due_after(trained, "monthly", months) + timedelta(days=day)


def test_before_it_is_due_only_the_date_is_written_down(duty: Duty) -> None:
    at_age(duty, 2)
    found = check(duty)
    assert (found["due"], found["trigger_id"]) == (False, None)
    assert duty.stores.registry.triggers(USE_CASE) == []
    version = duty.stores.registry.version(USE_CASE, duty.version)
    trained = parse_iso(version.record.training_date)
    assert version.next_retrain == iso(due_after(trained, "quarterly"))


def test_a_due_retraining_is_proposed_and_told_once_in_its_period(duty: Duty) -> None:
    at_age(duty, 3)
    first = check(duty)
    duty.world.later(timedelta(days=1))
    assert check(duty)["trigger_id"] == first["trigger_id"]
    (trigger,) = duty.stores.registry.triggers(USE_CASE)
    assert (trigger["trigger_type"], trigger["status"]) == ("scheduled", "PROPOSED")
    assert trigger["model_id"] == f"{USE_CASE}/{duty.version}"
    assert trigger["facts"]["cadence"] == "quarterly"
    (notice,) = duty.notices()
    assert "due" in notice["Subject"]


def test_the_next_period_proposes_again_and_the_missed_date_stays(duty: Duty) -> None:
    at_age(duty, 3)
    first = check(duty)
    at_age(duty, 6)
    second = check(duty)
    assert second["trigger_id"] != first["trigger_id"]
    assert second["next_retrain"] == first["next_retrain"]
    assert len(duty.stores.registry.triggers(USE_CASE)) == 2


def test_while_a_retraining_is_under_way_no_other_is_proposed(duty: Duty) -> None:
    at_age(duty, 3)
    trigger = check(duty)["trigger_id"]
    key = f"trigger#{trigger}"
    standing = duty.stores.registry.trigger(USE_CASE, trigger)
    duty.stores.registry.put(f"model#{USE_CASE}", key, {**standing, "status": "STARTED"})
    at_age(duty, 6)
    found = check(duty)
    assert (found["due"], found["trigger_id"]) == (True, None)
    assert "STARTED" in found["reason"]


def test_what_the_calendar_proposed_trains_nothing_without_an_approval(duty: Duty) -> None:
    at_age(duty, 3)
    trigger = check(duty)["trigger_id"]
    with pytest.raises(ForbiddenError, match="only approved ones train"):
        duty.stores.registry.start_trigger(USE_CASE, trigger, "arn:execution")
