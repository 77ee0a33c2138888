"""Every aggregation by hand: usual rows, nulls, one row, no row, ties, zeros, negatives, large amounts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from countersign.declare import Aggregation, Feature

from .lab import NOW_TOO, Lab, feature, row, utc, view

LARGE = 10**13
T0 = utc("2026-06-01")
ASKED = "2026-06-11"
# Per aggregation: amounts by day (None is a null), and the value ten days after the first.
CASES: list[tuple[str, Sequence[int | None], float | None]] = [
    ("mean", [10, 20, 60], 30),
    ("mean", [10, None, 20], 15),
    ("mean", [7], 7),
    ("mean", [None], None),
    ("mean", [-10, 4], -3),
    ("mean", [LARGE, LARGE - 1], LARGE - 0.5),
    ("mean", [-LARGE, LARGE, 3], 1),
    ("sum", [10, 20, 60], 90),
    ("sum", [10, None, -20], -10),
    ("sum", [7], 7),
    ("sum", [None], None),
    ("sum", [0, 0], 0),
    ("sum", [LARGE] * 900 + [1], 900 * LARGE + 1),  # within the 53 bits of a double: exact
    ("sum", [LARGE, -LARGE, 1], 1),
    ("std", [2, 4, 4, 4, 5, 5, 7, 9], math.sqrt(32 / 7)),
    ("std", [1, None, 3], math.sqrt(2)),
    ("std", [5], None),
    ("std", [5, None], None),
    ("std", [5, 5, 5], 0),
    ("std", [-3, 3], math.sqrt(18)),
    ("std", [-LARGE, LARGE], math.sqrt(2) * LARGE),
    ("count", [1, None, 3], 2),
    ("count", [None], 0),
    ("count", [0], 1),
    ("min", [3, -1, None, 2], -1),
    ("min", [None], None),
    ("min", [LARGE, -LARGE], -LARGE),
    ("max", [3, -1, None, 2], 3),
    ("max", [-4, -3], -3),
    ("max", [None], None),
    ("max", [LARGE, -LARGE], LARGE),
    ("distinct", [5, 5, 6, None, 5], 2),
    ("distinct", [None], 0),
    ("distinct", [LARGE, LARGE - 1], 2),
    ("last", [3, 9, 4], 4),
    ("last", [3, None], None),
    ("last", [None, 3], 3),
    ("last", [1, -LARGE], -LARGE),
    # one more a day is thirty more in thirty days
    ("trend", [1, 2, 3, 4], 30),
    ("trend", [4, 3, 2], -30),
    ("trend", [1, None, 3], 30),
    ("trend", [5, 5, 5], 0),
    ("trend", [5], None),
    ("trend", [5, None], None),
    ("trend", [-LARGE, LARGE], 60 * LARGE),
    ("percent_change", [40, 45, 44], 10),
    ("percent_change", [50, 25], -50),
    ("percent_change", [50], 0),
    ("percent_change", [0, 25], None),
    ("percent_change", [50, 0], -100),
    ("percent_change", [None, 50], None),
    ("percent_change", [50, None], None),
    ("percent_change", [50, None, 75], 50),
    # of a negative first: the ratio as it stands, less 1; -100 to -50 is half of it, so -50 %
    ("percent_change", [-100, -50], -50),
    ("percent_change", [LARGE, -LARGE], -200),
    ("days_since", [1, 1, None], 8),
    ("days_since", [None], 10),
    ("days_since_first", [None, 1], 10),
    ("days_since_first", [1], 10),
]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def one(aggregation: str, **changes: Any) -> Feature:
    moment = aggregation in {"days_since", "days_since_first"}
    return feature(aggregation, "1" if moment else "amount", window=NOW_TOO, **changes)


def name_of(value: Any) -> str:
    text = str(value)
    return text if len(text) < 40 else f"{text[:30]}…"


@pytest.mark.parametrize(("aggregation", "amounts", "wanted"), CASES, ids=name_of)
def test_worked_example(
    lab: Lab, aggregation: str, amounts: Sequence[int | None], wanted: float | None
) -> None:
    step = timedelta(days=1) if len(amounts) < 10 else timedelta(minutes=1)
    lab.deliver(*(row(f"f{n}", T0 + n * step, amount) for n, amount in enumerate(amounts)))
    found = lab.value(view(one(aggregation)), ASKED)
    assert found == (None if wanted is None else pytest.approx(wanted, rel=1e-8, abs=1e-9))
    assert found is None or math.copysign(1, found) == 1 or found < 0  # a zero has one sign


@pytest.mark.parametrize("aggregation", get_args(Aggregation))
def test_no_row_is_null_and_a_count_of_no_row_in_reach_is_zero(lab: Lab, aggregation: str) -> None:
    """An entity without any fact has no value at all; one whose facts all lie outside has counts of 0."""
    lab.deliver(row("f1", T0, 5, team="blue"))
    made = one(aggregation) if aggregation != "rate" else feature("rate", "flag", window=NOW_TOO)
    outside = view(feature(made.aggregation, made.expression, where="team = 'red'", window=NOW_TOO))
    assert lab.value(view(made), ASKED, who="nobody") is None
    wanted = 0 if aggregation in {"count", "distinct"} else None
    assert lab.value(outside, ASKED) == wanted


def test_every_aggregation_has_worked_examples() -> None:
    assert {case[0] for case in CASES} | {"rate"} == set(get_args(Aggregation))


FLAGS: list[tuple[list[bool | None], str, str, float | None]] = [
    ([True, False, False, True], "flag", "", 0.5),
    ([False], "flag", "", 0),
    ([True], "flag", "", 1),
    # a flag that is null is not set: its row is one of those that the rate is of
    ([True, None], "flag", "", 0.5),
    ([True, None], "flag", "flag IS NOT NULL", 1),
    # no row of the denominator: no rate, not zero and not infinite
    ([True, True], "flag", "NOT flag", None),
    ([True, True, False], "flag", "NOT flag", 2),
]


@pytest.mark.parametrize(("flags", "hit", "per", "wanted"), FLAGS)
def test_rate(lab: Lab, flags: list[bool | None], hit: str, per: str, wanted: float | None) -> None:
    lab.deliver(*(row(f"f{n}", T0 + timedelta(days=n), flag=flag) for n, flag in enumerate(flags)))
    assert lab.value(view(feature("rate", hit, denominator=per, window=NOW_TOO)), ASKED) == wanted


@pytest.mark.parametrize(
    ("aggregation", "wanted"),
    [("mean", 5), ("std", 0), ("sum", 10), ("min", 5), ("max", 5), ("trend", None)],
)
def test_a_ratio_with_a_zero_below_counts_as_a_null(
    lab: Lab, aggregation: str, wanted: float | None
) -> None:
    """An infinite or undefined value of a row is none: it spoils neither a sum nor a mean's count."""
    bases: list[tuple[int, float]] = [(10, 2), (10, 0), (0, 0), (5, 1)]
    lab.deliver(*(row(f"f{n}", T0, amount, base=base) for n, (amount, base) in enumerate(bases)))
    found = lab.value(view(feature(aggregation, "amount / base", window=NOW_TOO)), ASKED)
    assert found == wanted


def test_a_last_that_is_no_number_is_null(lab: Lab) -> None:
    lab.deliver(row("f1", T0, 10, base=2.0), row("f2", T0 + timedelta(days=1), 1, base=0.0))
    ratio = view(feature("last", "amount / base", window=NOW_TOO))
    assert lab.values(ratio, T0, ASKED) == [5, None]


def test_last_and_percent_change_of_a_tie_follow_known_at(lab: Lab) -> None:
    first = row("f1", T0, 10, known_at=T0 + timedelta(hours=2))
    lab.deliver(first, row("f2", T0, 20, known_at=T0 + timedelta(hours=1)))
    wide = view(one("last"), one("percent_change", name="moved"), one("std", name="spread"))
    # the order is 20, then 10: both moved and stand by when they were known
    assert lab.answers(wide, [("a", ASKED)]) == [(10, -50, pytest.approx(math.sqrt(50)))]


def test_a_trend_within_a_day_is_noise_and_null(lab: Lab) -> None:
    lab.deliver(row("f1", T0, 1), row("f2", T0 + timedelta(hours=23, minutes=59), 100))
    assert lab.value(view(one("trend")), ASKED) is None
    lab.deliver(row("f3", T0 + timedelta(days=1), 100))
    assert lab.value(view(one("trend")), ASKED) is not None


def test_days_since_grow_between_facts_and_may_be_of_a_column(lab: Lab) -> None:
    lab.deliver(row("f1", T0), row("f2", T0 + timedelta(days=2)))
    assert lab.values(view(one("days_since")), "2026-06-03T12:00:00", "2026-07-01") == [0.5, 28]
    of_column = view(feature("days_since_first", "known_at", window=NOW_TOO))
    assert lab.value(of_column, "2026-06-04") == 3


def test_where_keeps_rows_whose_condition_holds_and_no_null_ones(lab: Lab) -> None:
    lab.deliver(row("f1", T0, 1, flag=True), row("f2", T0, 10, flag=False), row("f3", T0, 100))
    wide = view(feature("sum", where="flag", window=NOW_TOO), feature("sum", where="NOT flag", name="n", window=NOW_TOO))  # fmt: skip
    assert lab.answers(wide, [("a", ASKED)]) == [(1, 10)]


def test_a_feature_of_the_second_source_leaves_the_first_out(lab: Lab) -> None:
    from .lab import ISSUE

    lab.deliver(row("f1", T0, 1))
    lab.deliver(row("f1", T0, 10), source=ISSUE)
    wide = view(
        feature("sum", window=NOW_TOO),
        feature("sum", name="issues", source="issue", window=NOW_TOO),
        feature("sum", name="all", source="*", window=NOW_TOO),
        also=(ISSUE,),
    )
    assert lab.answers(wide, [("a", ASKED)]) == [(1, 10, 11)]
