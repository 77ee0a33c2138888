"""What a build reads and computes after the first one, and when it starts from nothing again."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from countersign import use_cases
from countersign.aws.session import client
from countersign.clock import iso
from countersign.features import definition
from countersign.features.catalogue import view_named
from countersign.features.parts import build_key
from countersign.steps import build_features
from countersign.steps.build_features import sources
from countersign.steps.build_features.plan import BUCKET_BYTES, buckets_for

from tests.unit.use_cases.payroll import slip

from .cloud import Cloud
from .store import Store

PAYSLIPS = view_named(use_cases.registered(), "worker_pay").source
STATE = build_key("worker_pay", 0, 1)


@pytest.fixture
def store(aws: Cloud) -> Store:
    """Three workers, paid twice, built once."""
    made = Store(aws)
    for number, day in enumerate(("2026-09-30", "2026-10-30")):
        slips = [slip(10 * n + number, day, 100 * n, worker_id=f"W-{n}") for n in range(1, 4)]
        made.deliver("payslips", slips)
    build(made)
    return made


def build(store: Store, **changes: Any) -> build_features.Built:
    store.aws.clock.at += timedelta(minutes=1)
    request = {"action": "build", "view": "worker_pay", "as_of": iso(store.aws.clock.at), **changes}
    built = build_features.run(build_features.Request(**request), store.stores)
    assert isinstance(built, build_features.Built)
    return built


def test_without_news_nothing_is_computed(store: Store) -> None:
    built = build(store)
    assert (built.rows, built.points, built.whole) == (0, 0, False)


def test_without_late_news_no_part_of_the_history_is_read(store: Store) -> None:
    read: list[str] = []
    events = client("s3").meta.events
    store.deliver("payslips", [slip(99, "2026-11-20", 100, worker_id="W-1")])
    store.aws.clock.at += timedelta(days=1)
    events.register("before-parameter-build.s3", lambda params, **_: read.append(params.get("Key", "")))  # fmt: skip
    built = build(store)
    assert built.rows > 0
    assert not [key for key in read if key.startswith("offline/") and key not in parts_since(store)]


def parts_since(store: Store) -> list[str]:
    """All but the first part."""
    return sorted(store.stores.lake.keys("offline/"))[1:]


def test_late_news_of_one_worker_costs_that_worker(store: Store) -> None:
    known = store.rows()
    store.deliver("payslips", [slip(99, "2026-08-31", 700, worker_id="W-2")])
    built = build(store)
    appended = Counter(store.rows()) - Counter(known)
    assert {entity for entity, *_ in appended} == {"W-2"}
    assert built.rows == sum(appended.values())


def test_time_alone_brings_the_rows_of_facts_that_leave_their_window(store: Store) -> None:
    store.aws.clock.at += timedelta(days=200)
    built = build(store)
    assert built.rows > 0
    assert not built.whole


def test_another_definition_starts_from_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(definition, "ENGINE", definition.ENGINE + 1)
    definition._digests.clear()
    built = build(store)
    assert built.whole
    assert built.rows > 0
    monkeypatch.undo()
    definition._digests.clear()
    again = build(store)
    assert (again.whole, again.rows) == (True, 0)


def test_another_division_into_buckets_starts_from_nothing_and_appends_nothing(
    store: Store,
) -> None:
    for bucket in range(3):
        built = build(store, bucket=bucket, buckets=3)
        assert (built.whole, built.rows) == (True, 0)
    for bucket in range(3):
        assert not build(store, bucket=bucket, buckets=3).whole


@pytest.mark.parametrize("said", [b"", b"{", b"[]", b"{}", b'{"as_of": "2026-11-21"}', b"\xff"])
def test_a_state_that_cannot_be_read_costs_time_and_no_row(store: Store, said: bytes) -> None:
    store.stores.lake.put(STATE, said)
    built = build(store)
    assert (built.whole, built.rows) == (True, 0)


def test_an_altered_state_is_not_believed(store: Store) -> None:
    state = store.stores.lake.read_json(STATE)
    store.stores.lake.write_json(STATE, {**state, "as_of": "2026-11-01T00:00:00Z"})
    assert build(store).whole


def test_a_lost_part_is_made_again(store: Store) -> None:
    rows = store.rows()
    (part,) = store.stores.lake.keys("offline/")
    store.stores.lake.delete(part)
    assert build(store).whole
    assert store.rows() == rows


def test_an_earlier_as_of_does_not_move_the_state_back(store: Store) -> None:
    earlier = iso(store.aws.clock.at - timedelta(days=10))
    before = store.stores.lake.get(STATE)
    assert build(store, as_of=earlier).whole
    assert store.stores.lake.get(STATE) == before
    assert not build(store).whole


def test_a_corrected_key_moves_a_fact_to_another_worker(store: Store) -> None:
    known = "2026-11-19T00:00:00Z"
    moved = slip(21, "2026-10-30", 200, worker_id="W-9", revision=1, known_at=known)
    store.deliver("payslips", [moved])
    build(store)
    found = {
        w: store.offline(w, store.aws.clock.at)["worker_payslip_count_12m"] for w in ("W-2", "W-9")
    }
    assert found == {"W-2": 1, "W-9": 1}


def test_many_small_files_are_read_as_one_and_bring_the_same_rows(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MANY", 3)
    known = "2026-11-19T00:00:00Z"
    for rows in (
        [slip(99, "2026-08-31", 700, worker_id="W-2")],
        [slip(21, "2026-10-30", 0, worker_id="W-2", known_at=known, _deleted=True)],
        [slip(31, "2026-10-30", 900, worker_id="W-3", revision=1, known_at=known)],
    ):
        store.deliver("payslips", rows)
    accepted = store.stores.lake.keys("sources/payslips/")
    plan(store)
    found = sources.source_files(store.stores.lake, PAYSLIPS)
    assert (len(found.read), found.accepted) == (1, tuple(accepted))
    assert store.stores.lake.keys("sources/payslips/") == accepted
    as_it_was = found.read
    plan(store)
    assert sources.source_files(store.stores.lake, PAYSLIPS).read == as_it_was
    built = build(store)
    assert (built.whole, {who for who, *_ in store.rows()}) == (False, {"W-1", "W-2", "W-3"})
    from_large_files = store.standing()
    for prefix in ("compacted/", "builds/", "offline/"):
        for key in store.stores.lake.keys(prefix):
            store.stores.lake.delete(key)
    assert build(store).whole
    assert store.standing() == from_large_files


def test_files_that_come_after_are_read_beside_the_large_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MANY", 2)
    plan(store)
    store.deliver("payslips", [slip(99, "2026-11-20", 700, worker_id="W-2")])
    build(store)
    assert store.offline("W-2", store.aws.clock.at)["worker_payslip_count_12m"] == 3
    assert len(sources.source_files(store.stores.lake, PAYSLIPS).read) == 2


def test_a_large_file_that_no_manifest_names_is_not_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MANY", 2)
    plan(store)
    store.stores.lake.delete("compacted/payslips/manifest.json")
    found = sources.source_files(store.stores.lake, PAYSLIPS)
    assert found.read == found.accepted
    plan(store)
    assert len(store.stores.lake.keys("compacted/payslips/")) == 2  # the same file, named again


def plan(store: Store, **changes: Any) -> build_features.Plan:
    request = build_features.Request(action="plan", **changes)
    made = build_features.run(request, store.stores)
    assert isinstance(made, build_features.Plan)
    return made


@pytest.mark.parametrize(
    ("held", "buckets"),
    [(0, 4), (1, 4), (4, 4), (4.01, 8), (8, 8), (9, 16), (400, 512)],
)
def test_buckets_double_as_the_data_grow(held: float, buckets: int) -> None:
    view = view_named(use_cases.registered(), "worker_pay")
    assert buckets_for(view, round(held * BUCKET_BYTES)) == buckets


def test_a_plan_that_is_long_or_asked_for_is_listed_in_the_lake(store: Store) -> None:
    short = plan(store)
    spread = plan(store, asked={"distribute": True})
    assert (short.spread, short.items_key, spread.spread, spread.items) == (False, "", True, [])
    assert store.stores.lake.read_json(spread.items_key) == short.items


def test_what_is_only_trained_is_built_and_not_brought_online(store: Store) -> None:
    trained = [view.name for case in use_cases.trained_only().values() for view in case.views]
    served = {view.name for case in use_cases.all_use_cases().values() for view in case.views}
    planned = {item["view"] for item in plan(store).items}
    assert {*trained, *served} == planned
    for name in {*trained} - served:
        assert build(store, view=name, buckets=4).whole
        assert store.materialize(name).written == 0
