"""The feature store as a whole: what was delivered is what is served, now and as of then."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from countersign.aws.online import Carried
from countersign.aws.session import client
from countersign.errors import DataError, NotFoundError, RequestError, StoreUnavailableError
from countersign.steps import build_features, materialize

from tests.unit.use_cases.payroll import change, slip

from .cloud import Cloud
from .store import Store

MEAN = "worker_gross_pay_6m_mean"
PAY = ("worker", "W-1", "worker_pay")


@pytest.fixture
def store(aws: Cloud) -> Store:
    """Two payslips of the autumn of 2026, delivered and ingested; it is 21 November."""
    made = Store(aws)
    made.deliver("payslips", [slip(1, "2026-09-30", 300_000), slip(2, "2026-10-30", 320_000)])
    return made


def test_online_now_equals_offline_as_of_now(store: Store) -> None:
    store.refresh()
    assert store.online("W-1")[MEAN] == 310_000
    assert store.online("W-1") == store.offline("W-1", store.aws.clock.at)


def test_online_equals_offline_through_corrections_late_rows_and_time(store: Store) -> None:
    """Every step of a life: what is online at a moment is what history says of that moment."""
    seen: list[tuple[datetime, dict[str, Any]]] = []
    deliveries: list[list[dict[str, Any]]] = [
        [],
        [slip(2, "2026-10-30", 330_000, revision=1, known_at="2026-12-30T00:00:00Z")],
        [slip(3, "2026-08-31", 200_000, known_at="2027-01-19T00:00:00Z")],
        [slip(2, "2026-10-30", 0, _deleted=True, known_at="2027-02-08T00:00:00Z")],
        [],
        [],
    ]
    for rows in deliveries:
        store.aws.clock.at += timedelta(days=20)
        if rows:
            store.deliver("payslips", rows)
        store.refresh()
        seen.append((store.aws.clock.at, store.online("W-1")))
    means = [values[MEAN] for _, values in seen]
    assert means == [310_000, 315_000, pytest.approx(830_000 / 3), 300_000, None, None]
    for moment, values in seen:
        assert store.offline("W-1", moment) == pytest.approx(values, nan_ok=True)


def test_a_correction_appends_rows_and_changes_none(store: Store) -> None:
    store.refresh()
    before = store.rows()
    store.aws.clock.at += timedelta(days=2)
    known = "2026-11-22T00:00:00Z"
    store.deliver("payslips", [slip(2, "2026-10-30", 330_000, revision=1, known_at=known)])
    store.refresh()
    after = store.rows()
    assert not Counter(before) - Counter(after)
    assert len(after) > len(before)


def test_a_late_correction_is_invisible_before_it_was_known(store: Store) -> None:
    known = datetime(2026, 11, 20, tzinfo=UTC)
    late = slip(2, "2026-10-30", 330_000, revision=1, known_at=known.isoformat())
    store.deliver("payslips", [late])
    store.refresh()
    tick = timedelta(microseconds=1)
    assert store.offline("W-1", known - tick)[MEAN] == 310_000
    assert store.offline("W-1", known)[MEAN] == 315_000


def test_of_two_versions_known_at_once_the_greater_digest_stands_whatever_the_file(
    store: Store,
) -> None:
    known = "2026-11-01T00:00:00Z"
    versions = [slip(2, "2026-10-30", gross, known_at=known) for gross in (400_000, 500_000)]
    store.deliver("payslips", versions[:1])
    store.deliver("payslips", versions[1:])
    store.refresh()
    first = store.online("W-1")[MEAN]
    store.deliver("payslips", versions[::-1])
    store.refresh()
    assert store.online("W-1")[MEAN] == first


def test_building_twice_is_building_once(store: Store) -> None:
    assert store.build() > 0
    store.aws.clock.at += timedelta(minutes=1)
    assert store.build() == 0
    assert len(store.parts()) == 1


def test_materializing_twice_is_materializing_once(store: Store) -> None:
    assert store.refresh().written == 1
    assert store.materialize().written == 0
    full = store.materialize(full=True)
    assert (full.written, full.skipped_older) == (0, 1)


def test_every_bucket_together_is_the_whole(store: Store) -> None:
    workers = [slip(10 + n, "2026-10-30", 100, worker_id=f"W-{n}") for n in range(2, 40)]
    store.deliver("payslips", workers)
    buckets = [store.build(bucket=bucket, buckets=4) for bucket in range(4)]
    assert all(buckets)
    written = [store.materialize(bucket=bucket, buckets=4).written for bucket in range(4)]
    assert sum(written) == 39


def test_only_entities_with_news_are_written(store: Store) -> None:
    store.deliver("payslips", [slip(9, "2026-10-30", 100, worker_id="W-9")])
    assert store.refresh().written == 2
    store.deliver("payslips", [slip(8, "2026-11-13", 100, worker_id="W-9")])
    assert store.refresh().written == 1


def test_an_older_value_never_replaces_a_newer(store: Store) -> None:
    store.build()
    now = store.aws.clock.at
    store.materialize()
    newest = store.read(PAY)[PAY]
    earlier = "2026-10-15T00:00:00.000000Z"
    result = store.materialize(as_of=earlier, full=True)
    assert (result.written, result.skipped_older) == (0, 1)
    assert store.read(PAY)[PAY] == newest
    store.aws.clock.at = now


def test_facts_that_arrive_with_an_old_known_at_are_brought_online(store: Store) -> None:
    """A backfill restates the past: nothing of it is newer by its clocks, and it must be seen."""
    store.refresh()
    store.deliver("payslips", [slip(3, "2026-08-31", 400_000)])
    store.refresh()
    assert store.online("W-1")[MEAN] == 340_000
    assert store.online("W-1") == store.offline("W-1", store.aws.clock.at)


def test_a_killed_run_is_taken_up_where_it_stopped(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = [slip(100 + n, "2026-10-30", 100, worker_id=f"V-{n:02}") for n in range(9)]
    store.deliver("payslips", workers)
    store.build()
    monkeypatch.setattr("countersign.steps.materialize.bucket.CHUNK", 4)
    with killed_after(puts=7), pytest.raises(ConnectionAbortedError):
        store.materialize()
    result = store.materialize()
    assert store.online("V-08")[MEAN] == 100
    assert store.online("W-1")[MEAN] == 310_000
    assert result.written + result.skipped_older == 6  # the first chunk of four was done


@contextmanager
def killed_after(*, puts: int) -> Iterator[None]:
    """The worker dies at its next write of a value."""
    left = [puts]

    def die(request: Any, **_: Any) -> None:
        if json.loads(request.body)["Item"]["pk"]["S"].startswith("watermark#"):
            return
        left[0] -= 1
        if left[0] < 0:
            raise ConnectionAbortedError

    events = client("dynamodb").meta.events
    events.register("before-send.dynamodb.PutItem", die)
    try:
        yield
    finally:
        events.unregister("before-send.dynamodb.PutItem", die)


def test_a_hired_worker_who_was_never_paid_has_a_row_of_nulls(store: Store) -> None:
    store.deliver("worker_changes", [change(1, "hire", "2026-11-16", worker_id="W-7")])
    store.refresh()
    assert ("worker", "W-7", "worker_pay") in store.read(("worker", "W-7", "worker_pay"))
    assert store.online("W-7")[MEAN] is None
    assert store.online("W-7")["worker_change_count_6m"] == 1


def test_an_expired_row_is_not_served_though_the_table_still_holds_it(store: Store) -> None:
    store.refresh()
    store.aws.clock.at += timedelta(days=500)
    assert store.read(PAY) == {}
    assert [item for item in store.aws.items("online") if item["sk"]["S"] == "worker_pay"]


def test_ids_that_a_row_carries_lead_to_the_other_views(store: Store) -> None:
    for view in ("worker_pay", "country_pay", "client_quality"):
        store.refresh(view)
    keys = (
        PAY,
        ("country", Carried("country"), "country_pay"),
        ("client", Carried("client_id"), "client_quality"),
    )
    found = store.read(*keys)
    assert set(found) == set(keys)
    assert found[PAY].ids == {"client_id": "C-1", "country": "DE"}


def test_an_id_that_nobody_carries_has_no_row(store: Store) -> None:
    store.refresh("country_pay")
    unknown = ("worker", "W-0", "worker_pay")
    assert store.read(unknown, ("country", Carried("country"), "country_pay")) == {}


def test_the_pointer_comes_with_the_same_read(store: Store) -> None:
    store.refresh()
    pointer = {"pk": {"S": "model#payroll_anomaly"}, "sk": {"S": "pointer"}, "epoch": {"N": "7"}}
    client("dynamodb").put_item(TableName="registry", Item=pointer)
    calls: list[str] = []
    client("dynamodb").meta.events.register(
        "after-call.dynamodb", lambda model, **_: calls.append(model.name)
    )
    rows, found = store.stores.online.read([PAY], with_standing="payroll_anomaly")
    assert found is not None
    assert found.pointer is not None
    assert found.block is None
    assert (set(rows), found.pointer["epoch"], calls) == ({PAY}, 7, ["BatchGetItem"])


def test_keys_left_unprocessed_are_asked_again(store: Store) -> None:
    store.refresh()
    with unprocessed(times=2):
        assert set(store.read(PAY)) == {PAY}


def test_a_read_that_is_never_whole_fails(store: Store) -> None:
    store.refresh()
    with unprocessed(times=10_000), pytest.raises(StoreUnavailableError):
        store.read(PAY, deadline_ms=30.0)


@contextmanager
def unprocessed(*, times: int) -> Iterator[None]:
    """DynamoDB answers with nothing and all keys unprocessed, `times` times."""
    left = [times]

    def partly(parsed: dict[str, Any], params: Any = None, **_: Any) -> None:
        if left[0] > 0 and "Responses" in parsed:
            left[0] -= 1
            parsed["UnprocessedKeys"] = {
                "online": {"Keys": [{"pk": {"S": "worker#W-1"}, "sk": {"S": "worker_pay"}}]}
            }
            parsed["Responses"] = {"online": []}

    events = client("dynamodb").meta.events
    events.register("after-call.dynamodb.BatchGetItem", partly)
    try:
        yield
    finally:
        events.unregister("after-call.dynamodb.BatchGetItem", partly)


def test_a_plan_names_every_bucket_of_every_view(store: Store) -> None:
    plan = build_features.run(build_features.Request(action="plan"), store.stores)
    assert isinstance(plan, build_features.Plan)
    counted = Counter(item["view"] for item in plan.items)
    assert counted["worker_pay"] == 4
    assert counted["country_pay"] == 1
    assert all(0 <= item["bucket"] < item["buckets"] for item in plan.items)


def test_a_plan_registers_the_features(store: Store) -> None:
    build_features.run(build_features.Request(action="plan"), store.stores)
    rows = {
        item["sk"]["S"]: item
        for item in store.aws.items("registry")
        if item["pk"]["S"] == "feature#worker_pay"
    }
    assert rows[MEAN]["critical"] == {"BOOL": True}
    assert rows[MEAN]["owner"] == {"S": "payroll-data"}


def test_quality_is_logged_by_feature_and_day(store: Store) -> None:
    store.build()
    as_of = "2026-11-21T05:47:00.000000Z"
    found = build_features.run(build_features.Request(action="quality", as_of=as_of), store.stores)
    assert isinstance(found, build_features.Quality)
    assert found.passed
    logged = store.stores.lake.read_json("quality/worker_pay/date=2026-11-21/quality.json")
    row = next(row for row in logged["features"] if row["feature_name"] == MEAN)
    assert (row["rows"], row["null_rate"], row["mean"]) == (1, 0.0, 310_000)


def test_quality_raises_an_alert_for_a_critical_feature_out_of_range(store: Store) -> None:
    odd = slip(5, "2026-11-10", 100, net_pay_minor=1_000_000, worker_id="W-5")
    store.deliver("payslips", [odd])
    store.build()
    as_of = "2026-11-21T05:47:00.000000Z"
    found = build_features.run(build_features.Request(action="quality", as_of=as_of), store.stores)
    assert isinstance(found, build_features.Quality)
    assert not found.passed
    assert found.alerts == ["worker_net_to_gross_ratio_6m_mean: 1 out of range"]


def test_bad_requests_are_refused(store: Store) -> None:
    ask = build_features.Request
    for request, error in (
        (ask(action="erase"), RequestError),
        (ask(action="build", view="none", as_of="2026-11-21T00:00:00Z"), NotFoundError),
        (ask(action="build", view="worker_pay", as_of="2026-11-21T00:00:00"), DataError),
        (ask(action="build", view="worker_pay", as_of="2027-01-01T00:00:00Z"), DataError),
        (ask(action="build", view="worker_pay", as_of="2026-11-21T00:00:00Z", bucket=4, buckets=4), RequestError),
    ):  # fmt: skip
        with pytest.raises(error):
            build_features.run(request, store.stores)
    with pytest.raises(NotFoundError):
        materialize.run(
            materialize.Request(view="none", as_of="2026-11-21T00:00:00Z"), store.stores
        )


def test_what_expired_before_it_was_ever_online_stays_offline(store: Store) -> None:
    store.deliver("payslips", [slip(5, "2020-06-30", 100, worker_id="W-5")])
    assert store.refresh().written == 1
    again = store.materialize(full=True)
    assert again.written == 1  # now written, to be hidden by its expiry: the part is no longer new
    assert store.read(("worker", "W-5", "worker_pay")) == {}


def test_a_withdrawn_history_hides_what_is_online(store: Store) -> None:
    store.refresh()
    known = "2026-11-21T05:47:30Z"
    store.aws.clock.at += timedelta(minutes=1)
    withdrawn = [
        slip(n, day, 1, _deleted=True, known_at=known)
        for n, day in ((1, "2026-09-30"), (2, "2026-10-30"))
    ]
    store.deliver("payslips", withdrawn)
    store.refresh()
    assert store.read(PAY) == {}
    assert store.online("W-1")[MEAN] is None


def test_another_division_into_buckets_brings_the_same_values(store: Store) -> None:
    store.refresh()
    held = store.read(PAY)[PAY]
    for bucket in range(3):
        store.build(bucket=bucket, buckets=3)
        store.materialize(bucket=bucket, buckets=3)
    assert store.read(PAY)[PAY].packed == held.packed
