"""Nothing is scored from data that a quality alert questions: at once, by name, and until a person says so."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from countersign.aws.blocks import Blocks
from countersign.clock import iso
from countersign.governance.quality_block import Finding
from countersign.steps.score import BATCH

from tests.unit.score.world import USE_CASE, World

VIEW, FEATURE, CHECK = "worker_pay", "worker_gross_pay_6m_mean", "null rate"
KEYS = iter(range(10_000))


def block(world: World) -> None:
    found = [Finding(view=VIEW, feature=FEATURE, check=CHECK, text=f"{FEATURE}: 37.25% null")]
    Blocks.of(world.stores).take_log(USE_CASE, found, views=[VIEW], as_of=iso(world.clock.at))


def lift(world: World) -> None:
    Blocks.of(world.stores).acknowledge(USE_CASE, person="olga", reason="delivered again")


def score(world: World) -> tuple[int, Any]:
    """A request of its own."""
    return world.score(idempotency_key=f"request-{next(KEYS)}")


def pass_a_second(world: World) -> None:
    world.clock.at += timedelta(seconds=1, microseconds=1)


def test_a_warm_worker_refuses_within_a_second(world: World) -> None:
    assert score(world)[0] == 200
    block(world)
    pass_a_second(world)
    assert score(world)[0] == 424


def test_a_cold_worker_refuses_its_first_request(world: World) -> None:
    block(world)
    assert score(world)[0] == 424


def test_the_refusal_names_view_feature_and_check_and_no_value(world: World) -> None:
    block(world)
    _, problem = score(world)
    assert problem["type"] == "urn:countersign:problem:quality-block"
    assert problem["errors"] == [
        {"field": f"{VIEW}.{FEATURE}", "expected": f"to pass the check {CHECK}"}
    ]
    assert not problem["retryable"]
    assert "37.25" not in json.dumps(problem)


def test_what_was_acknowledged_is_scored_again_within_a_second(world: World) -> None:
    block(world)
    assert score(world)[0] == 424
    lift(world)
    pass_a_second(world)
    status, answer = score(world)
    assert (status, answer["degraded"]) == (200, [])


def test_a_clean_log_alone_lifts_nothing(world: World) -> None:
    block(world)
    pass_a_second(world)
    Blocks.of(world.stores).take_log(USE_CASE, [], views=[VIEW], as_of=iso(world.clock.at))
    assert score(world)[0] == 424


def test_the_kill_switch_is_no_way_around_it(world: World) -> None:
    world.point(champion="1.1.0", epoch=5, kill_switch=True)
    assert score(world)[1]["degraded"]
    block(world)
    pass_a_second(world)
    assert score(world)[0] == 424


def test_nothing_is_logged_of_a_refused_request(world: World) -> None:
    block(world)
    score(world)
    assert world.logged() == 0


def test_an_answer_that_was_given_before_stands(world: World) -> None:
    first = world.score_text()
    block(world)
    pass_a_second(world)
    assert world.score_text() == first


def test_shadows_go_on(world: World) -> None:
    world.publish("1.2.0")
    world.point(champion="1.1.0", epoch=5, shadows=["1.2.0"])
    answer = world.score_text()
    block(world)
    pass_a_second(world)
    assert world.run_shadows(answer) == []
    logged = world.stores.predictions.get(json.loads(answer)["prediction_id"])
    assert "1.2.0" in logged.shadow_scores


def test_a_batch_is_refused_row_by_row(world: World) -> None:
    block(world)
    request_type, run = BATCH
    rows = [json.dumps(world.body(idempotency_key=f"row-{n}")) for n in range(3)]
    world.stores.lake.put("batch/in.jsonl", "\n".join(rows).encode())
    result = run(request_type(use_case=USE_CASE, input_key="batch/in.jsonl"), world.stores)
    assert (result.scored, result.refused) == (0, 3)
    refused = world.stores.lake.get(result.refused_key).decode().splitlines()
    assert {json.loads(row)["status"] for row in refused} == {424}


@pytest.mark.parametrize("method", ["reload", "monitoring"])
def test_a_look_at_serving_tells_of_the_block_and_takes_it_along(world: World, method: str) -> None:
    block(world)
    verb, person = ("POST" if method == "reload" else "GET"), {"role": "operator", "person": "o"}
    _, seen = world.call(verb, f"/v1/serving/{method}", **person)
    serving = seen["use_cases"][USE_CASE]
    assert (serving["blocked"], serving["health"]) == (True, "blocked")
    assert score(world)[0] == 424
