"""How rows are shared out: by time nothing of a moment is torn apart, stratified every label is shared alike."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

from countersign import use_cases
from countersign.declare import UseCase
from countersign.features import duck
from countersign.features.splits import splits_of
from hypothesis import given, settings
from hypothesis import strategies as st

TELCO = use_cases.get("telco_churn")
BY_TIME = replace(TELCO, split=replace(TELCO.split, order="time"))
Row = tuple[str, int, bool]


def shared(case: UseCase, rows: list[Row]) -> dict[str, list[Row]]:
    """The rows of each split: (customer, hour, label)."""
    with duck.connect() as connection:
        connection.execute("CREATE TABLE given (customer_id VARCHAR, hour BIGINT, label BOOLEAN)")
        if rows:
            connection.executemany("INSERT INTO given VALUES (?, ?, ?)", rows)
        connection.execute(
            "CREATE TABLE rows AS SELECT row_number() OVER (ORDER BY hour, customer_id) AS _n, *, "
            "TIMESTAMPTZ '2018-01-01 00:00:00+00' + to_hours(hour) AS as_of FROM given"
        )
        made = splits_of(connection, case, "rows")
        return {name: _fetch(connection, where) for name, where in made.where.items()}


def _fetch(connection: Any, where: str) -> list[Row]:
    found: list[Row] = connection.execute(
        f"SELECT customer_id, hour, label FROM rows WHERE {where} ORDER BY _n"
    ).fetchall()
    return found


labelled = st.lists(st.booleans(), min_size=1, max_size=80)


@settings(max_examples=30, deadline=None)
@given(labelled, st.randoms(use_true_random=False))
def test_stratified_shares_every_label_alike_whatever_the_order(
    labels: list[bool], draw: random.Random
) -> None:
    rows = [(f"C{n}", 0, label) for n, label in enumerate(labels)]
    parts = shared(TELCO, rows)
    assert sorted(row for part in parts.values() for row in part) == sorted(rows)
    for label, total in Counter(labels).items():
        for name, share in (("train", 0.6), ("valid", 0.2), ("test", 0.2)):
            held = sum(row[2] == label for row in parts[name])
            assert abs(held - share * total) <= 1
    draw.shuffle(rows)
    assert shared(TELCO, rows) == parts


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=12, max_size=60))
def test_by_time_a_moment_lies_in_one_split_and_order_is_kept(hours: list[int]) -> None:
    parts = shared(BY_TIME, [(f"C{n}", hour, False) for n, hour in enumerate(hours)])
    assert sum(map(len, parts.values())) == len(hours)
    train, valid, test = ({row[1] for row in parts[name]} for name in ("train", "valid", "test"))
    for earlier, later in ((train, valid), (valid, test), (train, test)):
        assert not earlier or not later or max(earlier) < min(later)
