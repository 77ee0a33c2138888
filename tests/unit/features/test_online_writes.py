"""A batch of writes: each row alone, whatever befalls the others; the newest stands, always."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import count

import pytest
from botocore.exceptions import ReadTimeoutError
from countersign.aws.lanes import in_lanes
from countersign.aws.online import Key, OnlineRow
from countersign.errors import StoreUnavailableError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .cloud import Cloud
from .online_http import carried_out_but_lost, meets, refusal

Clocks = tuple[int, int, int]
OLD, NEW, NEWEST = (1, 0, 0), (2, 0, 0), (3, 0, 0)


def row(clocks: Clocks, says: str = "") -> OnlineRow:
    """The row of (event time, known at, built at), in days of November 2026."""
    event, known, built = (f"2026-11-{day + 1:02}T00:00:00.000000Z" for day in clocks)
    return OnlineRow(
        packed=repr((clocks, says)).encode(),
        event_at=event,
        known=known,
        built=built,
        digest="d",
        expires=2_000_000_000,
    )


def write(aws: Cloud, *rows: tuple[str, Clocks]) -> list[bool]:
    named = [(identity, row(clocks)) for identity, clocks in rows]
    return aws.stores.online.write("worker", "worker_pay", named)


def standing(aws: Cloud, identities: Iterable[str]) -> dict[str, OnlineRow]:
    keys: list[Key] = [("worker", identity, "worker_pay") for identity in identities]
    return {str(key[1]): held for key, held in aws.stores.online.read(keys)[0].items()}


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def test_a_batch_says_of_each_row_whether_it_was_written(aws: Cloud) -> None:
    assert write(aws, ("B", NEW), ("D", NEWEST)) == [True, True]
    outcomes = write(aws, ("A", NEW), ("B", NEW), ("C", NEW), ("D", NEW), ("E", NEW), ("B", NEWEST))
    assert outcomes == [True, False, True, False, True, True]
    held = standing(aws, "ABCDE")
    assert [held[name] == row(NEWEST) for name in "ABCDE"] == [False] * 5  # `written_at` is set
    assert {name: held[name].packed for name in held} == {
        name: row(NEWEST if name in "BD" else NEW).packed for name in "ABCDE"
    }


def test_rows_of_one_entity_are_written_in_their_order(aws: Cloud) -> None:
    rows = [("A", OLD), ("A", NEWEST), ("A", NEW), ("A", NEWEST)]
    assert write(aws, *rows) == [True, True, False, False]
    assert standing(aws, "A")["A"].packed == row(NEWEST).packed


def test_no_rows_are_no_writes(aws: Cloud) -> None:
    with meets("PutItem", None) as asked:
        assert write(aws) == []
    assert asked == []


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "TransactionConflictException"]
)
@pytest.mark.usefixtures("no_waits")
def test_a_row_that_is_throttled_or_in_conflict_fails_the_batch_and_harms_nothing(
    aws: Cloud, code: str
) -> None:
    names = [f"W-{number}" for number in range(30)]
    batch = [(name, NEW) for name in names]
    with meets("PutItem", refusal(code), where="W-17"), pytest.raises(StoreUnavailableError):
        write(aws, *batch)
    assert "W-17" not in standing(aws, names)
    before = standing(aws, names)
    assert write(aws, *batch) == [name not in before for name in names]
    assert set(standing(aws, names)) == set(names)


@pytest.mark.usefixtures("no_waits")
def test_a_write_that_is_throttled_for_a_moment_is_carried_out(aws: Cloud) -> None:
    with meets("PutItem", refusal("ThrottlingException"), None) as asked:
        assert write(aws, ("A", NEW)) == [True]
    assert len(asked) == 2


@pytest.mark.usefixtures("no_waits")
def test_a_write_whose_answer_was_lost_is_tried_again_and_stands_once(aws: Cloud) -> None:
    """The second attempt finds the row there, so nothing older stood: it counts as skipped."""
    with carried_out_but_lost(ReadTimeoutError(endpoint_url="https://dynamodb")):
        assert write(aws, ("A", NEW)) == [False]
    assert standing(aws, "A")["A"].packed == row(NEW).packed


def test_after_a_failure_no_other_call_of_a_batch_begins() -> None:
    begun: list[int] = []

    def call(key: str, number: int) -> int:
        begun.append(number)
        if number == 2:
            raise StoreUnavailableError("down")
        return number

    with pytest.raises(StoreUnavailableError):
        in_lanes([("one key", number) for number in range(9)], call, lanes=4)
    assert begun == [0, 1, 2]


LIVES = count()
CLOCKS = st.tuples(*[st.integers(0, 2)] * 3)
BATCHES = st.lists(
    st.lists(st.tuples(st.sampled_from("ABCD"), CLOCKS), max_size=8), min_size=1, max_size=4
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=BATCHES)
def test_whatever_the_order_the_greatest_clocks_stand(
    aws: Cloud, batches: list[list[tuple[str, Clocks]]]
) -> None:
    """Against a dict, which is told the rows one after the other."""
    life = next(LIVES)
    oracle: dict[str, Clocks] = {}
    for batch in batches:
        expected = []
        for name, clocks in batch:
            expected.append(name not in oracle or clocks > oracle[name])
            oracle[name] = max(clocks, oracle.get(name, clocks))
        assert write(aws, *((f"{life}-{name}", clocks) for name, clocks in batch)) == expected
    held = standing(aws, [f"{life}-{name}" for name in "ABCD"])
    assert {identity: value.packed for identity, value in held.items()} == {
        f"{life}-{name}": row(clocks).packed for name, clocks in oracle.items()
    }
