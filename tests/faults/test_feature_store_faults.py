"""A worker may die at any call. Whoever comes after it ends where an undisturbed run would have ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from threading import Lock
from typing import Any

import pytest
from countersign import use_cases
from countersign.aws.session import client
from countersign.clock import iso
from countersign.features.catalogue import view_named
from countersign.steps import build_features
from countersign.steps.build_features import sources

from tests.unit.features.cloud import Cloud
from tests.unit.features.store import Store
from tests.unit.use_cases.payroll import slip

BEFORE, AFTER = "before-send", "after-call"  # nothing was done; it was done and nobody heard
PAYSLIPS = view_named(use_cases.registered(), "worker_pay").source
PUT = "s3.PutObject"
MOMENTS = pytest.mark.parametrize("moment", [BEFORE, AFTER])


class WorkerDiedError(Exception):
    """As far as a step can tell: it is simply gone."""


class Death:
    """Kills at the n-th call and at those after it. `calls` counts them."""

    def __init__(self, at: int) -> None:
        self.at, self.calls, self._lock = at, 0, Lock()

    def __call__(self, **_: Any) -> None:
        with self._lock:
            self.calls += 1
            if self.calls >= self.at:
                raise WorkerDiedError


@contextmanager
def dies(call: str, *, at: int, moment: str = BEFORE) -> Iterator[Death]:
    """From the `at`-th such call on, each dies: no thread of the worker lives on."""
    death = Death(at)
    events = client(call.split(".", maxsplit=1)[0]).meta.events
    events.register(f"{moment}.{call}", death)
    try:
        yield death
    finally:
        events.unregister(f"{moment}.{call}", death)


@pytest.fixture
def store(aws: Cloud) -> Store:
    """Five workers and two months of pay, ingested."""
    made = Store(aws)
    made.deliver("payslips", [slip(n, "2026-09-30", 100 * n, worker_id=f"W-{n}") for n in range(1, 6)])  # fmt: skip
    made.deliver("payslips", [slip(10 + n, "2026-10-30", 200 * n, worker_id=f"W-{n}") for n in range(1, 6)])  # fmt: skip
    return made


def online(store: Store) -> list[dict[str, Any]]:
    return sorted(store.aws.items("online"), key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def empty(store: Store) -> None:
    for item in store.aws.items("online"):
        client("dynamodb").delete_item(
            TableName="online", Key={name: item[name] for name in ("pk", "sk")}
        )


@MOMENTS
@pytest.mark.parametrize("full", [False, True], ids=["increment", "full"])
def test_a_materialization_killed_at_any_call_is_finished_by_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch, moment: str, full: bool
) -> None:
    monkeypatch.setattr("countersign.steps.materialize.bucket.CHUNK", 2)
    store.build()
    with dies("dynamodb", at=10_000) as death:
        assert store.materialize(full=full).written == 5
    undisturbed, calls = online(store), death.calls
    assert calls > 5
    for number in range(1, calls + 1):
        empty(store)
        with dies("dynamodb", at=number, moment=moment), pytest.raises(WorkerDiedError):
            store.materialize(full=full)
        store.materialize(full=full)
        assert online(store) == undisturbed, number
        assert store.materialize().written == 0


@MOMENTS
def test_deaths_in_a_row_only_delay_a_materialization(
    store: Store, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    monkeypatch.setattr("countersign.steps.materialize.bucket.CHUNK", 2)
    store.build()
    store.materialize()
    undisturbed = online(store)
    empty(store)
    for life in count(2):
        try:
            with dies("dynamodb", at=life, moment=moment):
                store.materialize()
        except WorkerDiedError:
            continue
        break
    assert online(store) == undisturbed


@MOMENTS
def test_a_build_killed_at_any_write_appends_every_row_once(aws: Cloud, moment: str) -> None:
    """A first build and one that goes on from it: the rows are those of a life without deaths."""
    life = TwoBuilds(Store(aws))
    undisturbed, calls = life.rows(), life.calls
    assert max(undisturbed.values()) == 1
    for build, spent in enumerate(calls):
        for number in range(1, spent + 1):
            assert life.rows(build=build, at=number, moment=moment) == undisturbed, (build, number)


class TwoBuilds:
    """Two deliveries, the second late, corrected and withdrawn; each is built before the next comes."""

    def __init__(self, store: Store) -> None:
        self.store, self.lake, self.start = store, store.stores.lake, store.aws.clock.at
        first = [slip(1, "2026-09-30", 100), slip(2, "2026-09-30", 100, worker_id="W-2")]
        known = "2026-11-20T00:00:00Z"
        second = [
            slip(3, "2026-08-31", 900),
            slip(1, "2026-09-30", 700, revision=1, known_at=known),
            slip(2, "2026-09-30", 0, worker_id="W-2", known_at=known, _deleted=True),
        ]
        self.files = []
        for rows in (first, second):
            held = set(self.lake.keys("sources/"))
            store.deliver("payslips", rows)
            (key,) = set(self.lake.keys("sources/")) - held
            self.files.append((key, self.lake.get(key)))
        self.calls = [0, 0]

    def rows(self, *, build: int = -1, at: int = 0, moment: str = BEFORE) -> Counter[Any]:
        """The history in the end; `build` dies at its write `at` and is done again."""
        for prefix in ("offline/", "builds/", "sources/"):
            for key in self.lake.keys(prefix):
                self.lake.delete(key)
        self.store.aws.clock.at = self.start
        for number, (key, content) in enumerate(self.files):
            self.lake.put(key, content)
            self.store.aws.clock.at += timedelta(days=1)
            if build == number:
                with dies(PUT, at=at, moment=moment), pytest.raises(WorkerDiedError):
                    self.store.build()
            with dies(PUT, at=10_000) as counted:
                self.store.build()
            self.calls[number] = max(self.calls[number], counted.calls)
            assert self.store.build() == 0
        return Counter(self.store.rows())


def test_two_builds_at_once_leave_what_one_leaves(aws: Cloud) -> None:
    """The second is done whole while the first is about to append; the first then appends, and says so."""
    store = Store(aws)
    store.deliver("payslips", [slip(1, "2026-09-30", 100), slip(2, "2026-10-30", 300)])
    store.build()
    store.deliver("payslips", [slip(3, "2026-08-31", 900), slip(4, "2026-09-15", 500)])
    as_of = aws.clock.at
    overtaken = [True]

    def overtake(**_: Any) -> None:
        if overtaken.pop() if overtaken else False:
            aws.clock.at += timedelta(minutes=1)
            store.build()

    events = client("s3").meta.events
    events.register("before-call.s3.PutObject", overtake)
    store.build(as_of=iso(as_of))
    events.unregister("before-call.s3.PutObject", overtake)
    aws.clock.at += timedelta(days=1)
    assert store.build() == 0
    together = store.standing()
    for prefix in ("offline/", "builds/"):
        for key in store.stores.lake.keys(prefix):
            store.stores.lake.delete(key)
    store.build()
    assert together == store.standing()


@MOMENTS
def test_a_plan_killed_at_any_write_loses_no_row_and_doubles_none(
    store: Store, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Small files become one large one, or stay, or both lie there: what is read is the same."""
    store.build()
    undisturbed = store.standing()
    monkeypatch.setattr(sources, "MANY", 2)
    writes = 2
    for number in range(1, writes + 1):
        with dies(PUT, at=number, moment=moment), pytest.raises(WorkerDiedError):
            plan(store)
        assert again(store) == undisturbed
    plan(store)
    assert len(sources.source_files(store.stores.lake, PAYSLIPS).read) == 1
    assert again(store) == undisturbed


def plan(store: Store) -> None:
    build_features.run(build_features.Request(action="plan"), store.stores)


def again(store: Store) -> dict[tuple[Any, ...], str]:
    """The history, built from nothing."""
    for prefix in ("offline/", "builds/"):
        for key in store.stores.lake.keys(prefix):
            store.stores.lake.delete(key)
    store.build()
    return store.standing()
