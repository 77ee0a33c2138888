"""Which row a moment is given: boundaries, time to live, ties, duplicates, nothing at all."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from countersign.declare import Window
from countersign.errors import DataError
from countersign.features import asof, pointintime
from countersign.features.history import create_history

from .lab import DAY, LAST, NOW, NOW_TOO, TICK, Lab, feature, row, utc, view

COUNT = view(feature("count", "1", window=NOW_TOO))
BEFORE = view(feature("last"))
SHORT = view(feature("last", window=NOW_TOO), ttl=timedelta(days=10))


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_only_future_rows_keep_the_spine_row_with_nulls(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-06-02", 5), row("f2", "2026-07-01", 6))
    wide = view(feature("last", window=NOW_TOO), feature("sum", name="sum"), feature("mean", name="mean"))  # fmt: skip
    assert lab.answers(wide, [("a", "2026-06-01")]) == [(None, None, None)]


def test_an_entity_nobody_heard_of_keeps_the_spine_row_with_nulls(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-06-02", 5))
    assert lab.answers(LAST, [("z", "2026-06-03"), ("a", "2026-06-03")]) == [(None,), (5,)]


def test_all_rows_outside_the_time_to_live_keep_the_spine_row_with_nulls(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-06-01", 5), row("f2", "2026-06-02", 6))
    assert lab.answers(SHORT, [("a", "2026-06-20")]) == [(None,)]


def test_the_time_to_live_ends_after_its_last_microsecond(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-06-01", 5))
    last = utc("2026-06-11")
    assert lab.values(SHORT, last - TICK, last, last + TICK) == [5, 5, None]


def test_a_count_past_the_time_to_live_is_null_and_not_zero(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-06-01"))
    counted = view(feature("count", "1", window=Window(duration=DAY)), ttl=10 * DAY)
    assert lab.values(counted, "2026-06-05", "2026-06-12") == [0, None]


def test_the_event_at_the_moment_does_not_renew_what_does_not_count_it(lab: Lab) -> None:
    """An exclusive value is as old as the newest fact before the moment."""
    short = view(feature("last"), ttl=10 * DAY)
    lab.deliver(row("f1", "2026-06-01", 5), row("f2", "2026-06-20", 6))
    assert lab.values(short, "2026-06-20", utc("2026-06-20") + TICK) == [None, 6]


def test_a_late_row_that_left_its_window_does_not_outrank_a_newer_event(lab: Lab) -> None:
    """What became visible last is a row of the past; the row of the newer event stands."""
    lab.deliver(row("f1", "2026-06-04", 6), row("f2", "2026-06-01", 5, known_at="2026-06-05"))
    day = view(feature("sum", window=Window(duration=2 * DAY)))
    assert lab.values(day, "2026-06-04T12:00:00", "2026-06-05T12:00:00") == [6, 6]


@pytest.mark.parametrize("order", ["_built_at", "_built_at DESC"])
def test_of_two_history_rows_with_the_same_clocks_the_last_built_stands(
    lab: Lab, order: str
) -> None:
    """A build that corrects an earlier one appends; in which file its row lies makes no difference."""
    lab.deliver(row("f1", "2026-06-01", 5))
    history = create_history(lab.connection, LAST, as_of=NOW, built_at=NOW)
    again = "value + 1 AS value, _built_at + INTERVAL 1 DAY AS _built_at"
    lab.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE both_builds AS SELECT * FROM (SELECT * FROM {history} UNION ALL "
        f"BY NAME SELECT * REPLACE ({again}) FROM {history}) ORDER BY {order}"
    )
    lab.spine([("a", "2026-06-02")])
    joined = asof.join_sql(lab.connection, "asked", [(LAST, "both_builds")])
    assert lab.connection.execute(f"SELECT value FROM ({joined})").fetchall() == [(6,)]


def test_duplicate_spine_rows_are_kept(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-06-01", 5))
    asked = [("a", "2026-06-02"), ("a", "2026-06-02"), ("b", "2026-06-02"), ("a", "2026-06-02")]
    assert lab.answers(LAST, asked) == [(5,), (5,), (None,), (5,)]


def test_a_row_delivered_twice_counts_once(lab: Lab) -> None:
    first = row("f1", "2026-06-01", 5)
    assert lab.deliver(first, first).duplicates == 1
    lab.deliver(first)
    assert lab.value(COUNT, "2026-06-02") == 1


def test_of_two_facts_at_one_moment_the_one_known_later_is_the_last(lab: Lab) -> None:
    """Of sixteen entities, so that the content digests are on either side."""
    everyone = [f"e{n:02}" for n in range(16)]
    for who in everyone:
        lab.deliver(
            row(f"{who}-1", "2026-06-01", 5, who=who, known_at="2026-06-03"),
            row(f"{who}-2", "2026-06-01", 6, who=who, known_at="2026-06-02"),
        )
    wide = view(feature("last", window=NOW_TOO), feature("percent_change", name="moved", window=NOW_TOO))  # fmt: skip
    assert lab.answers(wide, [(who, "2026-06-02") for who in everyone]) == [(6, 0)] * 16
    moved = pytest.approx(-100 / 6)
    assert lab.answers(wide, [(who, "2026-06-04") for who in everyone]) == [(5, moved)] * 16


@pytest.mark.parametrize("reverse", [False, True], ids=["first file first", "last file first"])
def test_of_two_facts_tied_in_both_clocks_the_content_digest_decides_never_the_file(
    lab: Lab, reverse: bool
) -> None:
    lab.deliver(row("f1", "2026-06-01", 5))
    lab.deliver(row("f2", "2026-06-01", 6))
    lab.register(reverse=reverse)
    assert lab.value(LAST, "2026-06-02") == greatest_digest(lab)


@pytest.mark.parametrize("reverse", [False, True], ids=["first file first", "last file first"])
def test_of_two_versions_of_one_fact_tied_in_known_at_the_content_digest_decides(
    lab: Lab, reverse: bool
) -> None:
    for amount in (5, 6, 7):
        lab.deliver(row("f1", "2026-06-01", amount))
    lab.register(reverse=reverse)
    assert lab.value(LAST, "2026-06-02") == greatest_digest(lab)
    assert lab.value(COUNT, "2026-06-02") == 1


def greatest_digest(lab: Lab) -> int:
    """The amount of the row with the greatest content digest."""
    found = lab.connection.execute("SELECT arg_max(amount, _digest) FROM source_pay").fetchone()
    return int(found[0])


def test_an_inclusive_window_holds_the_event_at_its_own_microsecond(lab: Lab) -> None:
    at = utc("2026-06-01T12:00:00")
    lab.deliver(row("f1", at, 5))
    assert lab.values(LAST, at - TICK, at, at + TICK) == [None, 5, 5]


def test_an_exclusive_window_holds_the_event_from_the_next_microsecond(lab: Lab) -> None:
    at = utc("2026-06-01T12:00:00")
    lab.deliver(row("f1", at, 5))
    assert lab.values(BEFORE, at - TICK, at, at + TICK) == [None, None, 5]


def test_a_newest_value_that_is_null_stays_null(lab: Lab) -> None:
    """The value before it is not the last: that the newest is unknown is what is known."""
    lab.deliver(row("f1", "2026-06-01", 5), row("f2", "2026-06-02", None))
    assert lab.values(LAST, "2026-06-01T12:00:00", "2026-06-03") == [5, None]


def test_a_null_stays_out_of_every_aggregate_that_adds_up(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-06-01", 5), row("f2", "2026-06-02", None))
    names = ("sum", "mean", "min", "max", "count", "distinct")
    wide = view(*(feature(name, name=f"n_{name}") for name in names))
    assert lab.answers(wide, [("a", "2026-06-03")]) == [(5, 5, 5, 5, 1, 1)]


def test_facts_of_other_entities_never_count(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-06-01", 5), row("f2", "2026-06-01", 9, who="b"))
    assert lab.answers(view(feature("sum")), [("a", "2026-06-02"), ("b", "2026-06-02")]) == [(5,), (9,)]  # fmt: skip


def test_the_scored_payslip_stays_outside_its_own_baseline(lab: Lab) -> None:
    """Its event time is the as-of moment: an exclusive window of any kind ends before it."""
    lab.deliver(row("f1", "2026-04-30", 100), row("f2", "2026-05-31", 200), row("f3", "2026-06-30", 9_000))  # fmt: skip
    spans = (
        Window(), Window(months=6), Window(year_to_date=True), Window(duration=180 * DAY),
        Window(months=6, delay=TICK),
    )  # fmt: skip
    wide = view(*(feature("mean", name=f"m{n}", window=span) for n, span in enumerate(spans)))
    assert lab.answers(wide, [("a", "2026-06-30")]) == [(150,) * 5]
    assert lab.answers(wide, [("a", utc("2026-06-30") + 2 * TICK)]) == [(3100,) * 5]


def test_the_scored_payslip_stays_outside_though_it_was_known_ahead(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-05-31", 100), row("f2", "2026-06-30", 9_000, known_at="2026-06-20"))
    mean = view(feature("mean", window=Window(months=6)))
    assert lab.values(mean, "2026-06-25", "2026-06-30") == [100, 100]


def test_keys_that_are_numbers_are_refused_and_001_is_not_1(lab: Lab) -> None:
    """DuckDB alone would turn "001" into 1 to compare them, and find a value of somebody else."""
    lab.deliver(row("f1", "2026-06-01", 5, who="001"), row("f2", "2026-06-01", 6, who="1"))
    assert lab.answers(LAST, [("001", "2026-06-02"), ("1", "2026-06-02"), ("01", "2026-06-02")]) == [(5,), (6,), (None,)]  # fmt: skip
    for number in ("1", "1.0", "1::BIGINT"):
        error = refused(lab, f"SELECT {number} AS who, now() AS as_of")
        assert [found.field for found in error.errors] == ["who"]


def test_a_spine_row_without_a_time_or_with_a_naive_one_is_refused(lab: Lab) -> None:
    for moment in ("NULL::TIMESTAMPTZ", "TIMESTAMP '2026-06-01 00:00:00'", "DATE '2026-06-01'", "'2026-06-01'"):  # fmt: skip
        error = refused(lab, f"SELECT 'a' AS who, {moment} AS as_of")
        assert [found.field for found in error.errors] == ["as_of"]
    assert "1 rows of the spine have no 'who'" in refused(lab, "SELECT NULL::VARCHAR AS who, now() AS as_of").detail  # fmt: skip
    assert "no column 'as_of'" in refused(lab, "SELECT 'a' AS who").detail


def refused(lab: Lab, spine: str) -> DataError:
    history = create_history(lab.connection, LAST, as_of=NOW, built_at=NOW)
    with pytest.raises(DataError) as error:
        asof.join_sql(lab.connection, f"({spine})", [(LAST, history)])
    return error.value


def test_extra_columns_and_their_types_are_kept(lab: Lab) -> None:
    lab.deliver(row("f1", "2026-06-01", 5))
    lab.connection.execute(
        "CREATE OR REPLACE TEMP TABLE wide AS SELECT 'a' AS who, TIMESTAMPTZ '2026-06-02 00:00:00+00' "
        "AS as_of, 7::TINYINT AS small, NULL::DATE AS day, 1.25::DECIMAL(9, 2) AS price, [1, 2] AS pair"
    )
    history = create_history(lab.connection, LAST, as_of=NOW, built_at=NOW)
    joined = asof.join_sql(lab.connection, "wide", [(LAST, history)])
    lab.connection.execute(f"CREATE OR REPLACE TEMP TABLE found AS {joined}")
    columns = "SELECT who, as_of, small, day, price, pair FROM"
    assert (
        lab.connection.execute(f"DESCRIBE {columns} found").fetchall()
        == lab.connection.execute(f"DESCRIBE {columns} wide").fetchall()
    )
    found = lab.connection.execute("SELECT small, price, pair, value FROM found").fetchall()
    assert found == [(7, Decimal("1.25"), [1, 2], 5)]


def test_carried_ids_of_a_tie_follow_known_at_and_a_null_names_nobody(lab: Lab) -> None:
    everyone = [f"e{n:02}" for n in range(16)]
    for who in everyone:
        lab.deliver(
            row(f"{who}-1", "2026-06-01", who=who, team="red", known_at="2026-06-03"),
            row(f"{who}-2", "2026-06-01", who=who, team="blue", known_at="2026-06-02"),
            row(f"{who}-3", "2026-06-02", who=who, known_at="2026-06-04"),
        )
    carrying = view(feature("count", "1", window=NOW_TOO), carries=("team",))
    history = create_history(lab.connection, carrying, as_of=NOW, built_at=NOW)
    for moment, team in (("2026-06-02", "blue"), ("2026-06-03", "red"), ("2026-06-05", "red")):
        at = f"TIMESTAMPTZ '{moment} 00:00:00+00'"
        latest = pointintime.latest_sql(carrying, history, at)
        found = lab.connection.execute(f"SELECT _id_team FROM ({latest})").fetchall()
        assert found == [(team,)] * 16
