"""The weekly check end to end: plan, judge, draw, tell once, propose; never train."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from countersign.aws.raised import STUCK_AFTER
from countersign.errors import RequestError
from countersign.steps import monitor, report

from tests.unit.monitoring.cloud import Duty
from tests.unit.registry.world import USE_CASE

WEEK = "2026-W47"
THURSDAY = date(2026, 11, 19)


def run(duty: Duty, action: str, **fields: str) -> dict[str, Any]:
    found = monitor.run(monitor.Request(action, **fields), duty.stores)
    json.dumps(found, allow_nan=False)
    return found


def psi(duty: Duty, week: str = WEEK) -> dict[str, Any]:
    return run(duty, "psi", use_case=USE_CASE, version=duty.version, week=week)


def alert(duty: Duty) -> dict[str, Any]:
    return run(duty, "alert", use_case=USE_CASE, version=duty.version, week=WEEK)


def test_the_plan_names_every_production_model_and_the_week_so_far(duty: Duty) -> None:
    item = {"use_case": USE_CASE, "version": duty.version, "week": WEEK}
    assert run(duty, "plan") == {"week": WEEK, "items": [item]}


def test_a_quiet_week_is_stable_and_tells_nobody(duty: Duty) -> None:
    duty.archive(300, day=THURSDAY, seed=2)
    found = psi(duty)
    assert (found["status"], found["n"], found["drifted"]) == ("stable", 300, [])
    assert alert(duty)["published"] is False
    assert duty.notices() == []
    assert duty.stores.registry.triggers(USE_CASE) == []


def test_drift_is_told_with_its_numbers_and_only_proposed(duty: Duty) -> None:
    duty.archive(300, day=THURSDAY, seed=3, moved=0.4)
    found = psi(duty)
    assert (found["status"], found["worst_feature"]) == ("alert", "gross")
    told = alert(duty)
    assert (told["published"], told["trigger_status"]) == (True, "PROPOSED")
    (notice,) = duty.notices()
    assert notice["Subject"].startswith("[high] Drift in payroll_anomaly")
    for said in ("PSI", "critical", "p", "n: 300", "m: 4000", "B", "What to do", "Runbook"):
        assert said in notice["Message"]
    assert notice["MessageAttributes"]["severity"]["Value"] == "high"
    (trigger,) = duty.stores.registry.triggers(USE_CASE)
    assert (trigger["trigger_type"], trigger["status"]) == ("drift", "PROPOSED")
    assert trigger["proposed_by"] == "monitoring"


def test_firing_twice_does_nothing_twice(duty: Duty) -> None:
    duty.archive(200, day=THURSDAY, seed=4, moved=0.4)
    first, told = psi(duty), alert(duty)
    entries = len(duty.stores.audit.entries(USE_CASE))
    record = duty.stores.lake.get(first["report_data_key"])
    duty.world.later(timedelta(hours=1))
    second, again = psi(duty), alert(duty)
    assert (first["repeated"], second["repeated"]) == (False, True)
    assert (told["published"], again["published"]) == (True, False)
    assert again["trigger_id"] == told["trigger_id"]
    assert len(duty.notices()) == 1
    assert len(duty.stores.registry.triggers(USE_CASE)) == 1
    assert len(duty.stores.audit.entries(USE_CASE)) == entries
    assert duty.stores.lake.get(first["report_data_key"]) == record


def test_new_predictions_in_the_week_are_judged_anew(duty: Duty) -> None:
    duty.archive(200, day=THURSDAY, seed=5)
    assert psi(duty)["status"] == "stable"
    duty.archive(400, day=date(2026, 11, 20), seed=6, moved=0.6)
    assert psi(duty)["status"] == "alert"
    assert alert(duty)["published"] is True


def test_a_notice_whose_worker_died_is_published_again_not_lost(duty: Duty) -> None:
    duty.archive(200, day=THURSDAY, seed=7, moved=0.4)
    psi(duty)
    topic = duty.world.settings.notices_topic_arn
    duty.stores.notices._topic = topic + "-gone"
    with pytest.raises(Exception, match=r"NotFound|Topic"):
        alert(duty)
    duty.stores.notices._topic = topic
    assert alert(duty)["published"] is False
    duty.world.later(STUCK_AFTER)
    assert alert(duty)["published"] is True
    assert len(duty.notices()) == 1


def test_a_finished_week_that_was_missed_is_caught_up(duty: Duty) -> None:
    duty.archive(100, day=date(2026, 11, 5), seed=8)
    duty.archive(100, day=date(2026, 11, 12), seed=9)
    weeks = [item["week"] for item in run(duty, "plan")["items"]]
    assert weeks == ["2026-W46", "2026-W45"]
    for week in weeks:
        assert psi(duty, week)["complete"] is True
    assert [item["week"] for item in run(duty, "plan")["items"]] == [WEEK]


def test_a_week_that_fell_silent_is_due_and_insufficient_never_stable(duty: Duty) -> None:
    duty.archive(100, day=date(2026, 11, 5), seed=10)
    psi(duty, "2026-W45")
    assert run(duty, "plan")["week"] == "2026-W46"
    silent = psi(duty, "2026-W46")
    assert (silent["status"], silent["n"]) == ("insufficient data", 0)
    page = report.run(report.Request("drift", USE_CASE, week="2026-W46"), duty.stores)
    assert b"insufficient data" in duty.stores.lake.get(page.report_key)


def test_a_week_so_far_is_judged_again_when_it_is_over(duty: Duty) -> None:
    duty.archive(100, day=THURSDAY, seed=11)
    assert psi(duty)["complete"] is False
    duty.world.clock.at = datetime.fromisoformat("2026-11-23T06:00:00+00:00")
    assert run(duty, "plan")["week"] == WEEK
    again = psi(duty)
    assert (again["complete"], again["repeated"]) == (True, False)


def test_a_version_without_a_baseline_is_insufficient_data(duty: Duty) -> None:
    duty.archive(100, day=THURSDAY, seed=12)
    duty.stores.lake.delete(f"baselines/{USE_CASE}/{duty.version}.json")
    found = psi(duty)
    assert found["status"] == "insufficient data"
    assert "no baseline" in found["reason"]
    report.run(report.Request("drift", USE_CASE, week=WEEK), duty.stores)


def test_scores_of_other_versions_and_degraded_answers_are_not_this_models_scores(
    duty: Duty,
) -> None:
    duty.archive(200, day=THURSDAY, seed=13)
    duty.archive(50, day=THURSDAY, seed=14, version="rules-only", degraded=("model failed",))
    psi(duty)
    record = duty.stores.lake.read_json(f"reports/{USE_CASE}/drift/{WEEK}.json")
    assert (record["n"], record["score"]["n"]) == (250, 200)


def test_a_feature_that_vanished_from_the_log_alerts(duty: Duty) -> None:
    baseline = duty.stores.lake.read_json(f"baselines/{USE_CASE}/{duty.version}.json")
    baseline["features"]["tenure"] = baseline["features"]["gross"]
    duty.stores.lake.write_json(f"baselines/{USE_CASE}/{duty.version}.json", baseline)
    duty.archive(100, day=THURSDAY, seed=17)
    assert psi(duty)["drifted"] == ["tenure"]


def test_the_registry_remembers_the_last_check(duty: Duty) -> None:
    duty.archive(300, day=THURSDAY, seed=18, moved=0.5)
    psi(duty)
    version = duty.stores.registry.version(USE_CASE, duty.version)
    assert version.drift_detected is True


def test_each_check_is_a_line_of_metrics(duty: Duty, capsys: pytest.CaptureFixture[str]) -> None:
    duty.archive(200, day=THURSDAY, seed=19)
    psi(duty)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (metric,) = [line for line in lines if "PsiMax" in line]
    assert metric["use_case"] == USE_CASE
    assert metric["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Countersign"


def test_the_drift_report_is_drawn_beside_its_record(duty: Duty) -> None:
    duty.archive(200, day=THURSDAY, seed=20, moved=0.4)
    key = psi(duty)["report_data_key"]
    page = report.run(report.Request("drift", USE_CASE, week=WEEK), duty.stores)
    assert page.report_key == key.replace(".json", ".html")
    html = duty.stores.lake.get(page.report_key).decode()
    assert html.startswith("<!doctype html>")
    assert "gross" in html


def test_what_cannot_be_asked_is_refused(duty: Duty) -> None:
    for request in (
        monitor.Request("dance"),
        monitor.Request("psi"),
        monitor.Request("psi", use_case=USE_CASE, week="last week"),
        monitor.Request("psi", use_case=USE_CASE, week="2026-W99"),
        monitor.Request("volume", use_case=USE_CASE, day="yesterday"),
    ):
        with pytest.raises(RequestError):
            monitor.run(request, duty.stores)
    with pytest.raises(RequestError):
        report.run(report.Request("poem", USE_CASE), duty.stores)
