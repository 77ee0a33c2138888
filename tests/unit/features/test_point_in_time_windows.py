"""Where each kind of window begins and ends: calendar months, the year so far, durations, delays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from countersign.declare import Window

from .lab import DAY, TICK, Lab, feature, row, utc, view


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def days(lab: Lab, *texts: str) -> None:
    """A fact at each moment, worth 1, 10, 100, …: a sum tells which of them counted."""
    lab.deliver(*(row(text, text, 10**n) for n, text in enumerate(texts)))


def asked(lab: Lab, moments: list[str], **window: object) -> list[object]:
    return lab.values(view(feature("sum", window=Window(**window))), *moments)  # type: ignore[arg-type]


def test_one_calendar_month_is_the_month_of_the_moment(lab: Lab) -> None:
    days(lab, "2026-04-30T23:59:59.999999", "2026-05-01", "2026-05-30")
    assert asked(lab, ["2026-05-31", "2026-05-31T23:59:59.999999"], months=1) == [110, 110]
    assert asked(lab, ["2026-06-01", "2026-06-01T00:00:00.000001"], months=1) == [None, None]


def test_months_from_the_31st_of_january_reach_whole_months_back(lab: Lab) -> None:
    """Two months of 31 January begin on 1 December: no day 31 of a shorter month is needed."""
    days(lab, "2025-11-30T23:59:59.999999", "2025-12-01", "2025-12-31", "2026-01-30")
    assert asked(lab, ["2026-01-31"], months=2) == [1110]
    assert asked(lab, ["2026-01-31"], months=3) == [1111]


@pytest.mark.parametrize(("year", "last"), [(2024, 29), (2025, 28)])
def test_february_has_its_own_length_in_a_leap_year(lab: Lab, year: int, last: int) -> None:
    days(lab, f"{year}-01-31", f"{year}-02-01", f"{year}-02-{last}", f"{year}-03-01")
    assert asked(lab, [f"{year}-02-{last}T12:00:00"], months=1) == [110]
    assert asked(lab, [f"{year}-03-31"], months=2) == [1110]
    assert asked(lab, [f"{year}-03-01"], months=2) == [110]  # 1 March itself does not count yet


def test_months_across_the_end_of_a_year(lab: Lab) -> None:
    days(lab, "2025-10-31", "2025-11-01", "2025-12-31T23:59:59.999999", "2026-01-01")
    assert asked(lab, ["2026-01-15"], months=3) == [1110]
    assert asked(lab, ["2026-01-01"], months=3) == [110]
    assert asked(lab, ["2025-12-31T23:59:59.999999"], months=3) == [11]


def test_june_s_six_months_are_january_to_june(lab: Lab) -> None:
    days(lab, "2025-12-31", "2026-01-01", "2026-03-31", "2026-06-15")
    assert asked(lab, ["2026-06-30"], months=6) == [1110]
    assert asked(lab, ["2026-07-01"], months=6) == [1100]


def test_the_year_to_date_begins_on_1_january(lab: Lab) -> None:
    days(lab, "2025-12-31T23:59:59.999999", "2026-01-01", "2026-06-30")
    moments = ["2025-12-31T23:59:59.999999", "2026-01-01", "2026-01-01T00:00:00.000001", "2026-12-31"]  # fmt: skip
    assert asked(lab, moments, year_to_date=True) == [None, None, 10, 110]
    assert asked(lab, moments, year_to_date=True, include_current=True) == [1, 10, 10, 110]


def test_a_duration_without_the_current_event_is_closed_at_its_far_end(lab: Lab) -> None:
    """lo <= t < moment: what happened exactly seven days ago counts, what happens now does not."""
    at = utc("2026-06-01")
    lab.deliver(row("f1", at))
    week = Window(duration=7 * DAY)
    moments = [at, at + TICK, at + 7 * DAY, at + 7 * DAY + TICK]
    assert lab.values(view(feature("sum", window=week)), *moments) == [None, 1, 1, None]


def test_a_duration_with_the_current_event_is_open_at_its_far_end(lab: Lab) -> None:
    at = utc("2026-06-01")
    lab.deliver(row("f1", at))
    window = Window(duration=7 * DAY, include_current=True)
    moments = [at - TICK, at, at + 7 * DAY - TICK, at + 7 * DAY]
    assert lab.values(view(feature("sum", window=window)), *moments) == [None, 1, 1, None]


def test_a_duration_counts_through_a_leap_day(lab: Lab) -> None:
    days(lab, "2024-01-31", "2024-02-01")
    assert asked(lab, ["2024-03-01", "2024-03-02"], duration=30 * DAY) == [11, 10]


def test_all_history_has_no_beginning(lab: Lab) -> None:
    days(lab, "1970-01-01", "1999-12-31", "2026-06-01")
    ever = view(feature("sum", window=Window()), ttl=40_000 * DAY)
    assert lab.values(ever, "2026-06-01", "2026-06-01T00:00:01") == [11, 111]


def test_facts_before_1970_count_too(lab: Lab) -> None:
    """Their microseconds are negative: the order of moments must not turn at zero."""
    days(lab, "1960-05-31T23:59:59.999999", "1969-12-31T23:59:59.999999", "1970-01-01T00:00:00.000001")  # fmt: skip
    ever = view(feature("sum"), feature("last", name="newest"), ttl=40_000 * DAY)
    moments = ["1960-06-01", "1970-01-01", "1970-01-02"]
    assert lab.answers(ever, [("a", moment) for moment in moments]) == [(1, 1), (11, 10), (111, 100)]  # fmt: skip


@pytest.mark.parametrize("include", [False, True])
def test_a_delay_moves_the_whole_duration_back(lab: Lab, include: bool) -> None:
    """Late-known labels: seven days that end two days before the moment."""
    at, delay = utc("2026-06-01"), 2 * DAY
    lab.deliver(row("f1", at))
    window = Window(duration=7 * DAY, delay=delay, include_current=include)
    first = at + delay + (0 * TICK if include else TICK)
    moments = [first - TICK, first, first + 7 * DAY - TICK, first + 7 * DAY]
    assert lab.values(view(feature("sum", window=window)), *moments) == [None, 1, 1, None]


def test_a_delayed_month_is_the_month_of_the_moment_less_the_delay(lab: Lab) -> None:
    days(lab, "2026-04-30", "2026-05-01", "2026-05-31")
    window = {"months": 1, "delay": 10 * DAY}
    assert asked(lab, ["2026-06-10T23:59:59"], **window) == [110]
    assert asked(lab, ["2026-06-11"], **window) == [None]
    assert asked(lab, ["2026-05-20", "2026-05-11"], **window) == [10, None]


def test_a_delayed_year_to_date_turns_late(lab: Lab) -> None:
    days(lab, "2025-12-30", "2026-01-02")
    window = {"year_to_date": True, "delay": 5 * DAY}
    assert asked(lab, ["2026-01-05", "2026-01-06", "2026-01-08"], **window) == [1, None, 10]


def test_a_fact_that_no_window_has_reached_yet_does_not_renew_the_time_to_live(lab: Lab) -> None:
    """The newest fact of a value is the newest that counts in any of the view's windows."""
    days(lab, "2026-06-01", "2026-06-08")
    delayed = view(feature("sum", window=Window(delay=3 * DAY)), ttl=9 * DAY)
    assert lab.values(delayed, "2026-06-10", "2026-06-10T00:00:01") == [1, None]
    assert lab.values(delayed, "2026-06-11T00:00:01") == [11]


def test_a_value_leaves_its_window_without_a_new_fact(lab: Lab) -> None:
    """History has a row for the moment a fact leaves: nothing needs to happen for a value to change."""
    at = utc("2026-06-01")
    lab.deliver(row("f1", at, 1), row("f2", at + timedelta(hours=12), 10))
    day = view(feature("sum", window=Window(duration=DAY)))
    noon = at + DAY + timedelta(hours=12)
    moments = [at + DAY, at + DAY + TICK, noon, noon + TICK]
    assert lab.values(day, *moments) == [11, 10, 10, None]


def test_a_late_fact_enters_windows_that_have_passed_only_for_who_asks_later(lab: Lab) -> None:
    """Asked on the 20th, a fact of the 1st that was learned on the 15th is out of the week's reach."""
    lab.deliver(row("f1", "2026-06-01", 1), row("f2", "2026-06-02", 10, known_at="2026-06-05"), row("f3", "2026-06-03", 100, known_at="2026-06-15"))  # fmt: skip
    week = view(feature("sum", window=Window(duration=7 * DAY)))
    assert lab.values(week, "2026-06-04", "2026-06-06", "2026-06-14", "2026-06-16") == [1, 11, None, None]  # fmt: skip
