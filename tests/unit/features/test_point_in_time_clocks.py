"""What was known when: late rows, corrections, tombstones, precision, time zones, rows that have no time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from countersign.declare import Window
from countersign.errors import DataError
from countersign.features import duck

from .lab import DAY, LAST, NOW, NOW_TOO, PAY, TICK, Lab, feature, row, utc, view

COUNT = view(feature("count", "1", window=NOW_TOO))
SUM = view(feature("sum", window=NOW_TOO))
BERLIN, NEW_YORK, KOLKATA, ADELAIDE = (
    ZoneInfo(name)
    for name in ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Adelaide")
)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_a_late_row_is_invisible_before_it_was_known(lab: Lab) -> None:
    known = utc("2026-06-05T09:30:00")
    lab.deliver(row("f1", "2026-06-01", 5, known_at=known))
    assert lab.values(LAST, "2026-06-01", known - TICK, known, known + TICK) == [None, None, 5, 5]


def test_a_late_row_does_not_outrank_a_newer_event(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-06-02", 6), row("f2", "2026-06-01", 5, known_at="2026-06-05"))
    assert lab.values(LAST, "2026-06-04", "2026-06-06") == [6, 6]
    assert lab.values(SUM, "2026-06-04", "2026-06-06") == [6, 11]


def test_a_row_announced_ahead_counts_from_its_event_time(lab: Lab) -> None:
    at = utc("2026-06-10")
    lab.deliver(row("f1", at, 5, known_at="2026-06-01"))
    assert lab.values(LAST, "2026-06-05", at - TICK, at) == [None, None, 5]


def test_a_correction_is_visible_only_after_it_was_known(lab: Lab) -> None:
    fixed = utc("2026-06-08T12:00:00")
    lab.deliver(row("f1", "2026-06-01", 500))
    lab.deliver(row("f1", "2026-06-01", 50, known_at=fixed))
    assert lab.values(SUM, "2026-06-02", fixed - TICK, fixed, "2026-07-01") == [500, 500, 50, 50]


def test_a_correction_that_was_delivered_first_changes_nothing(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-06-01", 50, known_at="2026-06-08"))
    lab.deliver(row("f1", "2026-06-01", 500))
    assert lab.values(SUM, "2026-06-07", "2026-06-09") == [500, 50]


def test_a_correction_may_move_a_fact_in_time_and_to_another_entity(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-06-01", 5), row("f1", "2026-06-03", 5, known_at="2026-06-08"))
    assert lab.values(view(feature("days_since", "1")), "2026-06-04", "2026-06-09") == [3, 6]
    lab.deliver(row("f1", "2026-06-03", 5, known_at="2026-06-10", who="b"))
    asked = [("a", "2026-06-09"), ("a", "2026-06-11"), ("b", "2026-06-09"), ("b", "2026-06-11")]
    assert lab.answers(LAST, asked) == [(5,), (None,), (None,), (5,)]


def test_a_tombstone_withdraws_a_fact_from_when_it_was_known(lab: Lab) -> None:
    gone = utc("2026-06-08")
    lab.deliver(row("f1", "2026-06-01", 5), row("f2", "2026-06-02", 6))
    lab.deliver(row("f2", "2026-06-02", 6, known_at=gone, _deleted=True))
    assert lab.values(LAST, gone - TICK, gone) == [6, 5]
    assert lab.values(SUM, gone - TICK, gone) == [11, 5]


def test_a_tombstone_of_a_fact_never_seen_changes_nothing(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-06-01", 5), row("f9", "2026-06-02", 6, _deleted=True))
    assert lab.values(SUM, "2026-06-03") == [5]


def test_withdrawing_the_only_fact_leaves_nulls(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-06-01", 5), row("f1", "2026-06-01", 5, known_at="2026-06-08", _deleted=True))  # fmt: skip
    wide = view(feature("sum"), feature("count", "1", name="n"))
    assert lab.answers(wide, [("a", "2026-06-07"), ("a", "2026-06-09")]) == [(5, 1), (None, None)]


def test_deleted_and_hired_again(lab: Lab) -> None:
    """Withdrawn, then delivered again: a third version of the fact, which stands once more."""
    lab.deliver(row("hire", "2026-01-01", 1))
    lab.deliver(row("hire", "2026-01-01", 1, known_at="2026-03-01", _deleted=True))
    lab.deliver(row("hire", "2026-05-01", 2, known_at="2026-05-01"))
    tenure = view(feature("days_since", "1", window=NOW_TOO))
    assert lab.values(tenure, "2026-02-01", "2026-04-01", "2026-05-11") == [31, None, 10]
    assert lab.values(LAST, "2026-02-01", "2026-04-01", "2026-05-11") == [1, None, 2]


def test_rows_without_a_time_are_counted_and_put_aside(lab: Lab) -> None:
    rows = [row(f"f{n}", "2026-06-01") for n in range(40)]
    rows += [row("x", "2026-06-01") | {"at": None}, row("y", "2026-06-01") | {"known_at": None}]
    verdict = lab.deliver(*rows)
    assert (verdict.rows, verdict.bad_rows, verdict.refused) == (42, 2, "")
    assert {(f.column, f.expected, f.rows) for f in verdict.findings} == {
        ("at", "a value", 1), ("known_at", "a value", 1),
    }  # fmt: skip
    assert lab.value(COUNT, "2026-06-02") == 40


def test_naive_timestamps_are_put_aside(lab: Lab) -> None:
    rows = [row(f"f{n}", "2026-06-01") for n in range(40)]
    verdict = lab.deliver(*rows, row("x", "2026-06-01") | {"at": "2026-06-01T00:00:00"})
    assert verdict.bad_rows == 1
    assert "with its time zone" in verdict.findings[0].expected
    assert lab.value(COUNT, "2026-06-02") == 40


def test_a_parquet_file_of_naive_timestamps_is_refused_whole(lab: Lab) -> None:
    verdict = lab.deliver_parquet(table(pa.timestamp("us")))
    assert verdict.bad_rows == verdict.rows == 1
    assert verdict.refused


def test_future_dated_rows_are_put_aside(lab: Lab) -> None:
    rows = [row(f"f{n}", "2026-06-01") for n in range(60)]
    ahead = row("x", NOW + timedelta(days=1), known_at=NOW)
    learned = row("y", "2026-06-01", known_at=NOW + timedelta(hours=1))
    verdict = lab.deliver(*rows, ahead, learned)
    assert verdict.bad_rows == 2
    assert {f.column for f in verdict.findings} == {"at", "known_at"}
    assert lab.value(COUNT, NOW + 2 * DAY) == 60


def table(clock: Any, *, at: Any = "2026-06-01T10:00:00.123456789", fact: str = "f1") -> pa.Table:
    """One row whose clocks have the Arrow type `clock`."""
    import pandas as pd

    moment = pd.Timestamp(at, tz="UTC")
    if clock.tz is None:
        moment = moment.tz_localize(None)
    moments = pa.array([moment.floor(clock.unit)], type=clock)
    texts = {name: pa.array([None], pa.string()) for name in ("team",)}
    return pa.table(
        {"fact": [fact], "who": ["a"], "amount": [5], "base": [1.5], "flag": [True], **texts}
        | {"at": moments, "known_at": moments}
    )


def test_nanoseconds_microseconds_and_milliseconds_mix(lab: Lab) -> None:
    """Microseconds are what the store counts; finer is cut off, on both sides of every comparison."""
    for unit in ("ns", "us", "ms", "s"):
        lab.deliver_parquet(table(pa.timestamp(unit, tz="UTC"), fact=unit))
    base = utc("2026-06-01T10:00:00")
    moments = [base - TICK, base, base + timedelta(milliseconds=123), base + timedelta(microseconds=123_456)]  # fmt: skip
    assert lab.values(COUNT, *moments) == [None, 1, 2, 4]


def test_digits_finer_than_a_microsecond_are_cut_off_in_text_too(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-06-01") | {"at": "2026-06-01T10:00:00.999999999Z", "known_at": "2026-06-01T10:00:00.999999Z"})  # fmt: skip
    last = utc("2026-06-01T10:00:00.999999")
    assert lab.values(COUNT, last - TICK, last) == [None, 1]


def test_one_moment_in_many_zones_is_one_moment(lab: Lab) -> None:
    at = utc("2026-06-30T22:00:00")
    for zone in (BERLIN, NEW_YORK, KOLKATA, ADELAIDE):
        lab.deliver(row(zone.key, at.astimezone(zone)))
    assert lab.values(COUNT, at - TICK, at) == [None, 4]
    assert lab.value(COUNT, at.astimezone(KOLKATA)) == 4


def test_the_hour_that_comes_twice_in_autumn_is_two_hours(lab: Lab) -> None:
    """Berlin, 26 October 2025: 02:30 happens at 00:30 and again at 01:30 UTC."""
    first = datetime(2025, 10, 26, 2, 30, tzinfo=BERLIN)
    lab.deliver(row("f1", first, 1), row("f2", first.replace(fold=1), 2))
    moments = ["2025-10-26T00:29:59.999999", "2025-10-26T00:30:00", "2025-10-26T01:29:59.999999", "2025-10-26T01:30:00"]  # fmt: skip
    assert lab.values(LAST, *moments) == [None, 1, 1, 2]


@pytest.mark.parametrize(
    ("zone", "sprung", "fell"),
    [(BERLIN, (2026, 3, 29), (2025, 10, 26)), (NEW_YORK, (2026, 3, 8), (2025, 11, 2))],
    ids=["Berlin", "New York"],
)
def test_a_day_is_24_hours_through_every_change_of_clocks(
    lab: Lab, zone: ZoneInfo, sprung: tuple[int, int, int], fell: tuple[int, int, int]
) -> None:
    """A duration counts exactly: noon to noon is 23 hours in spring and 25 in autumn."""
    day = view(feature("count", "1", window=Window(duration=DAY, include_current=True)))
    for change, counted in ((sprung, 1), (fell, 0)):
        noon = datetime(*change, 12, tzinfo=zone)
        eve = noon - timedelta(days=1)  # the same wall clock, the day before
        lab.deliver(row(f"{change}", eve))
        assert lab.value(day, noon) == counted


def test_the_hour_that_spring_skips_is_read_by_its_offset(lab: Lab) -> None:
    """02:30 at +01:00 on 29 March 2026 is 01:30 UTC, which Berlin's clocks show as 03:30."""
    lab.deliver(row("f1", "2026-03-29T02:30:00+01:00", 5))
    shown = datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN)
    assert lab.values(LAST, shown - TICK, shown) == [None, 5]


def test_a_zone_of_half_an_hour(lab: Lab) -> None:
    """Midnight of 1 July in Kolkata is 18:30 of 30 June: a month is a month of UTC."""
    lab.deliver(row("f1", "2026-07-01T00:00:00+05:30", 5), row("f2", "2026-07-01T05:30:00+05:30", 6))  # fmt: skip
    month = view(feature("sum", window=Window(months=1)))
    assert lab.values(month, "2026-06-30T23:00:00", "2026-07-02") == [5, 6]


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "DATE", "VARCHAR"])
def test_stored_files_with_naive_clocks_are_refused(lab: Lab, tmp_path: Path, kind: str) -> None:
    """A file made by hand, beside a good one: DuckDB alone would take its times for UTC."""
    for name, known in (("good", "TIMESTAMPTZ"), ("naive", kind)):
        lab.connection.execute(
            f"COPY (SELECT 'f1' AS fact, 'a' AS who, TIMESTAMPTZ '2026-06-01 00:00:00+00' AS event_time, "
            f"'2026-06-01'::{known} AS known_at) TO '{tmp_path / name}.parquet' (FORMAT parquet)"
        )
    duck.register_source(lab.connection, PAY, [tmp_path / "good.parquet"])
    with pytest.raises(DataError) as error:
        duck.register_source(lab.connection, PAY, sorted(tmp_path.glob("*.parquet")))
    assert [found.field for found in error.value.errors] == ["known_at"]
