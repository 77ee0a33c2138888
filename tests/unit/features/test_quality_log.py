"""The quality log and its page: what A8 asks per feature and day, and what a person is told."""

from __future__ import annotations

import statistics
from datetime import timedelta
from typing import Any

import pytest
from countersign.clock import iso
from countersign.errors import NotFoundError, RequestError
from countersign.steps import build_features, report

from tests.unit.reports.test_reports import outline
from tests.unit.use_cases.payroll import slip

from .cloud import Cloud
from .store import Store

A8 = ("feature_name", "date", "null_rate", "mean", "std", "min", "max", "out_of_range_count")
MEAN = "worker_gross_pay_6m_mean"
PAY = [300_000 + 1_000 * n for n in range(40)]


def log(store: Store) -> build_features.Quality:
    as_of = iso(store.aws.clock.at)
    found = build_features.run(build_features.Request(action="quality", as_of=as_of), store.stores)
    assert isinstance(found, build_features.Quality)
    return found


def written(store: Store, day: str, view: str = "worker_pay") -> dict[str, Any]:
    document: dict[str, Any] = store.stores.lake.read_json(
        f"quality/{view}/date={day}/quality.json"
    )
    return document


@pytest.fixture
def store(aws: Cloud) -> Store:
    made = Store(aws)
    rows = [slip(n, "2026-11-10", pay, worker_id=f"W-{n}") for n, pay in enumerate(PAY)]
    made.deliver("payslips", rows)
    made.build()
    return made


def test_each_feature_has_what_the_log_must_have(store: Store) -> None:
    log(store)
    (row,) = [r for r in written(store, "2026-11-21")["features"] if r["feature_name"] == MEAN]
    assert {name: row[name] for name in A8} == {
        "feature_name": MEAN,
        "date": "2026-11-21",
        "null_rate": 0.0,
        "mean": pytest.approx(statistics.fmean(PAY)),
        "std": pytest.approx(statistics.stdev(PAY)),
        "min": min(PAY),
        "max": max(PAY),
        "out_of_range_count": 0,
    }
    assert sum(row["histogram"]["counts"]) == len(PAY)


def test_entities_are_held_against_the_day_before(store: Store) -> None:
    log(store)
    first = written(store, "2026-11-21")
    assert (first["entities"], first["entities_before"]) == (40, None)
    assert first["newest_fact_age_days"] == pytest.approx(11.24, abs=0.01)
    assert first["volume"]["verdict"] == "insufficient data"
    store.aws.clock.at += timedelta(days=1)
    log(store)
    second = written(store, "2026-11-22")
    assert (second["entities"], second["entities_before"], second["before"]) == (
        40,
        40,
        "2026-11-21",
    )
    assert second["volume"]["verdict"] == "normal"


def test_entities_that_vanish_overnight_are_an_alert(store: Store) -> None:
    key = "quality/worker_pay/date=2026-11-20/quality.json"
    store.stores.lake.write_json(key, {"as_of": "2026-11-20", "entities": 200, "features": []})
    found = log(store)
    assert found.alerts == ["worker_pay: 40 entities, 200 on 2026-11-20"]
    (finding,) = written(store, "2026-11-21")["findings"]
    assert (finding["view"], finding["feature"], finding["check"]) == ("worker_pay", "", "volume")


def test_the_page_of_a_day_is_drawn_from_the_logs_alone(store: Store) -> None:
    for _ in range(3):
        log(store)
        store.aws.clock.at += timedelta(days=1)
    store.deliver("payslips", [slip(99, "2026-11-20", 100, net_pay_minor=10**9, worker_id="W-99")])
    store.build()
    log(store)
    drawn = report.run(report.Request("quality", day="2026-11-24"), store.stores)
    assert drawn.report_key == "reports/quality/2026-11-24.html"
    page = store.stores.lake.get(drawn.report_key).decode()
    found = outline(page)
    assert found.headings[:3] == ["Feature quality of 2026-11-24", "Alerts", "Views"]
    assert found.outside == []
    assert "worker_net_to_gross_ratio_6m_mean: 1 out of range" in page
    assert f"null rate of {MEAN}" in page
    again = report.run(report.Request("quality", day="2026-11-24"), store.stores)
    assert store.stores.lake.get(again.report_key).decode() == page


def test_a_day_without_a_log_has_no_page(store: Store) -> None:
    with pytest.raises(NotFoundError):
        report.run(report.Request("quality", day="2026-11-19"), store.stores)
    with pytest.raises(RequestError):
        report.run(report.Request("quality", day="yesterday"), store.stores)
