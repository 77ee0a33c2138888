"""The feature store's canary: what it touches, what it says, and the budget that is kept from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from countersign.aws.session import client
from countersign.errors import RequestError
from countersign.monitoring.availability import judge_availability
from countersign.steps import monitor

from tests.unit.monitoring.cloud import Duty
from tests.unit.registry.world import keyed, typed

NOON = datetime(2026, 11, 20, 12, 2, 30, tzinfo=UTC)


@pytest.fixture
def watched(duty: Duty) -> Duty:
    """With an online store; it is Friday noon."""
    client("dynamodb").create_table(
        TableName="online",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[keyed("pk", "HASH"), keyed("sk", "RANGE")],
        AttributeDefinitions=[typed(name, "S") for name in ("pk", "sk")],
    )
    duty.world.clock.at = NOON
    return duty


def run(duty: Duty, action: str, **fields: str) -> dict[str, Any]:
    found = monitor.run(monitor.Request(action, **fields), duty.stores)
    json.dumps(found, allow_nan=False)
    return found


def lose_the_store(duty: Duty) -> None:
    duty.world.dynamodb.delete_table(TableName="online")


def metrics(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line]
    return [line for line in written if "Available" in line]


def test_a_store_that_writes_and_reads_is_available(
    watched: Duty, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(watched, "canary")
    assert (found["available"], found["error"]) == (True, "")
    (line,) = metrics(capsys)
    assert (line["store"], line["Available"]) == ("online", [1.0])
    assert line["LookupMs"][0] >= 0
    assert line["WriteMs"][0] >= 0


def test_it_touches_no_entity_that_is_scored(watched: Duty) -> None:
    run(watched, "canary")
    (item,) = client("dynamodb").scan(TableName="online")["Items"]
    assert item["pk"] == {"S": "canary#monitor"}
    assert int(item["ttl"]["N"]) == int((NOON + timedelta(days=1)).timestamp())


def test_a_store_that_fails_is_told_and_is_no_error_of_the_canary(
    watched: Duty, capsys: pytest.CaptureFixture[str]
) -> None:
    lose_the_store(watched)
    found = run(watched, "canary")
    assert (found["available"], found["error"]) == (False, "ResourceNotFoundException")
    (line,) = metrics(capsys)
    assert line["Available"] == [0.0]
    assert "LookupMs" not in line


def test_a_probe_that_fires_twice_is_one_probe(watched: Duty) -> None:
    run(watched, "canary")
    watched.world.clock.at += timedelta(minutes=2)
    run(watched, "canary")
    watched.world.clock.at += timedelta(minutes=5)
    run(watched, "canary")
    record = watched.stores.lake.read_json("reports/platform/availability/2026-11-20.json")
    assert sorted(record["probes"]) == ["12:00", "12:05"]


def probes(duty: Duty, day: str, failed: int) -> None:
    """A whole day on record, of which so many probes failed."""
    made = {
        f"{n // 12:02d}:{n % 12 * 5:02d}": {"available": n >= failed, "error": "", "lookup_ms": 4.0}
        for n in range(288)
    }
    document = {"day": day, "probes": made}
    duty.stores.lake.write_json(f"reports/platform/availability/{day}.json", document)


def test_the_budget_of_a_month_is_what_its_target_leaves(watched: Duty) -> None:
    for day in range(1, 20):
        probes(watched, f"2026-11-{day:02d}", failed=1 if day == 7 else 0)
    found = run(watched, "availability")
    assert (found["month"], found["verdict"]) == ("2026-11", "within budget")
    assert (found["probes"], found["failed"]) == (19 * 288, 1)
    assert found["budget_minutes"] == pytest.approx(43.2)
    assert (found["spent_minutes"], found["left_minutes"]) == (5.0, pytest.approx(38.2))
    share = found["available_share"]
    assert share["value"] == pytest.approx(1 - 1 / 5472)
    assert share["low"] < share["value"] < share["high"]
    assert found["missed"] == 144  # half of the twentieth
    assert watched.notices() == []


def test_a_spent_budget_is_told_once_a_month(watched: Duty) -> None:
    probes(watched, "2026-11-19", failed=9)
    assert run(watched, "availability", month="2026-11")["verdict"] == "exhausted"
    run(watched, "availability")
    (notice,) = watched.notices()
    assert "error budget of 2026-11 is spent" in notice["Subject"]
    report = watched.stores.lake.read_json("reports/platform/availability/month=2026-11.json")
    assert report["spent_minutes"] == 45.0


def test_the_first_of_a_month_looks_back_at_the_one_that_ended(watched: Duty) -> None:
    watched.world.clock.at = datetime(2026, 12, 1, 5, 10, tzinfo=UTC)
    probes(watched, "2026-11-30", failed=0)
    found = run(watched, "availability")
    assert (found["month"], found["probes"], found["missed"]) == ("2026-11", 288, 29 * 288)


def test_a_month_without_a_probe_has_no_share(watched: Duty) -> None:
    found = run(watched, "availability", month="2026-10")
    assert (found["verdict"], found["available_share"]["value"]) == ("insufficient data", None)


def test_a_month_that_is_none_is_refused(watched: Duty) -> None:
    with pytest.raises(RequestError):
        run(watched, "availability", month="November")


@pytest.mark.parametrize(("failed", "verdict"), [(8, "within budget"), (9, "exhausted")])
def test_forty_three_minutes_of_a_month_of_thirty_days(failed: int, verdict: str) -> None:
    outcomes = [False] * failed + [True] * (8640 - failed)
    found = judge_availability(outcomes, probe_minutes=5, month_minutes=43_200, due=8640)
    assert found["verdict"] == verdict
