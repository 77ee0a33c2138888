"""The skew check: logged vectors equal the definition, age is no skew, and a planted skew is found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import boto3
import pytest
from countersign.aws.session import client
from countersign.clock import iso
from countersign.serving.archive import archive_key, parquet_rows
from countersign.serving.prediction import Prediction
from countersign.steps import monitor

from tests.unit.predictions.cloud import prediction
from tests.unit.use_cases.payroll import USE_CASE, slip

from .cloud import REGION, Cloud
from .store import Store

MEAN = "worker_gross_pay_6m_mean"
VIEWS = [view.name for view in USE_CASE.views]
WORKERS = [f"W-{n}" for n in range(6)]


@pytest.fixture
def store(aws: Cloud) -> Store:
    """Half a year of payslips of six workers, online."""
    aws.clock.at = datetime.fromisoformat("2026-11-18T06:00:00+00:00")
    topic = boto3.client("sns", region_name=REGION).create_topic(Name="notices")["TopicArn"]
    object.__setattr__(aws.stores.settings, "notices_topic_arn", topic)
    made = Store(aws)
    made.deliver(
        "payslips",
        [
            slip(100 * n + m, f"2026-{m:02d}-28", 300_000 + 7_000 * n + 1_000 * m, worker_id=who)
            for n, who in enumerate(WORKERS)
            for m in range(5, 11)
        ],
    )
    for view in VIEWS:
        made.refresh(view)
    return made


def served(store: Store, who: str, at: datetime) -> dict[str, float | None]:
    """What a request of the moment is given, by the online store."""
    ids = {"worker": who, "client": "C-1", "country": "DE"}
    now, store.aws.clock.at = store.aws.clock.at, at
    values: dict[str, float | None] = {}
    for view in USE_CASE.views:
        values |= store.online(ids[view.entity.name], view.name)
    store.aws.clock.at = now
    return values


def archive(store: Store, number: int, who: str, **changes: Any) -> Prediction:
    """Score (as far as features go), log and archive; `changes` are skew."""
    at = store.aws.clock.at
    moment = at.replace(hour=0, minute=0, second=0, microsecond=0)  # the pay day, not the clock
    made = prediction(
        number,
        use_case=USE_CASE.name,
        entity_id=who,
        features={**served(store, who, moment), **changes},
        at=iso(at),
    )
    for logged, content in parquet_rows([made]):
        store.stores.lake.put(archive_key(logged), content)
    return made


def check(store: Store, day: str = "2026-11-19") -> dict[str, Any]:
    store.aws.clock.at = datetime.fromisoformat("2026-11-21T06:00:00+00:00")
    request = monitor.Request("skew", use_case=USE_CASE.name, day=day)
    return monitor.run(request, store.stores)


def at(store: Store, moment: str) -> None:
    store.aws.clock.at = datetime.fromisoformat(f"{moment}+00:00")


def test_what_was_served_is_what_the_definition_gives(store: Store) -> None:
    at(store, "2026-11-19T09:00:00")
    for n, who in enumerate(WORKERS):
        archive(store, n, who)
    found = check(store)
    assert (found["verdict"], found["rows"], found["skewed"]) == ("normal", 6, [])
    assert (found["compared"], found["equal"]) == (6 * len(VIEWS), 6 * len(VIEWS))
    record = store.stores.lake.read_json(f"reports/{USE_CASE.name}/skew/2026-11-19.json")
    assert [view["view"] for view in record["views"]] == VIEWS


def test_a_planted_skew_is_found_by_feature_and_told_once(store: Store) -> None:
    at(store, "2026-11-19T09:00:00")
    for n, who in enumerate(WORKERS[:4]):
        archive(store, n, who)
    true = served(store, "W-4", store.aws.clock.at)[MEAN]
    assert true is not None
    archive(store, 10, "W-4", **{MEAN: true * (1 + 1e-7)})
    archive(store, 11, "W-5", **{MEAN: None})
    found = check(store)
    assert found["verdict"] == "alert"
    assert found["skewed_rows"] == 2
    assert found["skewed"] == [{"view": "worker_pay", "feature": MEAN, "count": 2}]
    sent = [item for item in store.aws.items("registry") if "seen#notice#skew" in item["sk"]["S"]]
    assert len(sent) == 1
    assert check(store)["verdict"] == "alert"
    client.cache_clear()


def test_a_fact_that_came_before_the_next_materialization_is_lag_and_no_skew(store: Store) -> None:
    at(store, "2026-11-19T08:00:00")
    late = slip(999, "2026-11-10", 900_000, worker_id="W-0", known_at="2026-11-19T07:00:00Z")
    store.deliver("payslips", [late])
    archive(store, 1, "W-0")
    archive(store, 2, "W-1")
    at(store, "2026-11-19T20:00:00")
    for view in VIEWS:
        store.refresh(view)
    archive(store, 3, "W-0")
    found = check(store)
    assert (found["verdict"], found["skewed"]) == ("normal", [])
    record = store.stores.lake.read_json(f"reports/{USE_CASE.name}/skew/2026-11-19.json")
    pay = next(view for view in record["views"] if view["view"] == "worker_pay")
    assert (pay["compared"], pay["equal"], pay["lagging"]) == (3, 2, 1)


def test_history_that_is_not_the_definition_is_skew(store: Store, tmp_path: Any) -> None:
    """Online and history agree, and both are wrong: somebody changed a stored fact."""
    at(store, "2026-11-19T09:00:00")
    archive(store, 1, "W-2")
    lake = store.stores.lake
    for key in lake.keys("sources/payslips/"):
        lake.delete(key)
    rows = [slip(200 + m, f"2026-{m:02d}-28", 1_000, worker_id="W-2") for m in range(5, 11)]
    store.deliver("payslips", rows)
    found = check(store)
    assert found["verdict"] == "alert"
    assert MEAN in {row["feature"] for row in found["skewed"]}


def test_a_day_without_predictions_says_so(store: Store) -> None:
    found = check(store, day="2026-11-01")
    assert (found["verdict"], found["rows"], found["replayed"]) == ("no predictions", 0, 0)
