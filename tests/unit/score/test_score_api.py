"""Scoring through the front door: answered is logged, once, for this tenant, and replays bit for bit."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from countersign.serving.prediction import prediction_id
from countersign.serving.routing import VersionRef
from countersign.steps.score.worker import Worker

from tests.unit.score.world import DECISIVE, PATH, USE_CASE, World

SHAPE = {
    "prediction_id", "score", "decision", "threshold", "reason_codes", "model", "degraded",
    "request_id",
}  # fmt: skip


def test_a_request_is_answered_by_the_champion(world: World) -> None:
    status, answer = world.score()
    assert status == 200
    assert answer.keys() == SHAPE
    assert answer["model"] == {"use_case": USE_CASE, "version": "1.1.0", "epoch": 4}
    assert answer["decision"] == ("review" if answer["score"] >= answer["threshold"] else "pass")
    assert answer["degraded"] == []
    assert 0.0 <= answer["score"] <= 1.0


def test_what_was_answered_is_what_was_logged(world: World) -> None:
    text = world.score_text()
    answer = json.loads(text)
    logged = world.stores.predictions.get(answer["prediction_id"])
    assert logged.answer == text
    assert logged.score == answer["score"]
    assert logged.tenant == "local-scoring-client"
    assert logged.entity_id == world.body()["worker_id"]
    assert logged.cohort == "DE"
    assert (logged.version, logged.epoch) == ("1.1.0", 4)
    assert tuple(logged.features)[: len(world.use_case.inputs)] == world.use_case.inputs
    assert set(logged.latency_ms) == {"read", "features", "model"}
    assert logged.archived_at == ""


def test_the_route_works_without_its_version_prefix(world: World) -> None:
    bare = PATH.removeprefix("/v1")
    assert world.call("POST", bare, world.body())[0] == 200


def test_the_same_key_gets_the_same_answer_byte_for_byte_whatever_changed_since(
    world: World,
) -> None:
    first = world.score_text()
    world.set_feature(DECISIVE, 7.0)
    world.point(champion="1.0.0", epoch=5)
    world.clock.at += timedelta(days=400)  # every feature is stale now
    assert world.score_text() == first


def test_fifty_requests_at_once_under_one_key_are_one_entry_and_one_answer(world: World) -> None:
    with ThreadPoolExecutor(50) as pool:
        answers = set(pool.map(lambda _: world.score_text(), range(50)))
    assert len(answers) == 1
    assert world.logged() == 1


def test_another_body_under_the_same_key_is_a_conflict(world: World) -> None:
    world.score()
    status, problem = world.score(gross_pay_minor=999_999)
    assert status == 409
    assert problem["type"].endswith("idempotency-conflict")
    assert world.logged() == 1


def test_a_header_may_carry_the_key(world: World) -> None:
    body = world.body()
    key = body.pop("idempotency_key")
    _, by_header = world.call("POST", PATH, body, headers={"Idempotency-Key": key})
    assert world.score()[1] == by_header


def test_tenants_do_not_share_keys(world: World) -> None:
    ids = {world.score(person=person)[1]["prediction_id"] for person in ("acme", "rival")}
    assert ids == {
        prediction_id(person, USE_CASE, world.body()["idempotency_key"])
        for person in ("acme", "rival")
    }


def test_an_unknown_worker_is_not_found_and_nothing_is_logged(world: World) -> None:
    status, problem = world.score(worker_id="W-999999")
    assert (status, problem["title"]) == (404, "Not found")
    assert world.logged() == 0


@pytest.mark.parametrize(("field", "value"), [("client_id", "C-9999"), ("country", "FR")])
def test_a_worker_of_another_client_or_country_is_refused(
    world: World, field: str, value: str
) -> None:
    status, problem = world.score(**{field: value})
    assert (status, problem["errors"][0]["field"]) == (422, field)
    assert world.logged() == 0


def test_a_client_and_country_that_are_not_stated_are_those_on_record(world: World) -> None:
    body = world.body()
    stated = world.call("POST", PATH, body)[1]
    logged = world.stores.predictions.get(stated["prediction_id"])
    silent = {k: v for k, v in body.items() if k not in {"client_id", "country"}}
    answer = world.call("POST", PATH, {**silent, "idempotency_key": "silent"})[1]
    found = world.stores.predictions.get(answer["prediction_id"])
    assert (found.features, found.cohort) == (logged.features, "DE")
    assert answer["score"] == stated["score"]


@pytest.mark.parametrize("left_out", ["client_id", "country"])
def test_an_id_that_neither_the_body_nor_the_record_names_is_refused(
    world: World, left_out: str
) -> None:
    """Whose features they would be nobody knows: no vector of nulls is made of it."""
    world.forget_ids()
    body = {name: value for name, value in world.body().items() if name != left_out}
    status, problem = world.call("POST", PATH, body)
    assert (status, problem["errors"][0]["field"]) == (422, left_out)
    assert world.logged() == 0


def test_an_auditor_does_not_score(world: World) -> None:
    assert world.score(role="auditor")[0] == 403


def test_a_cohort_of_the_rollout_is_answered_by_the_candidate(world: World) -> None:
    world.publish("2.0.0", high=0.5)
    world.point(champion="1.1.0", epoch=9, rollout="2.0.0", cohorts=["FR"])
    assert world.score()[1]["model"]["version"] == "1.1.0"
    world.point(champion="1.1.0", epoch=10, rollout="2.0.0", cohorts=["FR", "DE"])
    world.clock.at += timedelta(seconds=2)
    answer = world.score(idempotency_key="another")[1]
    assert answer["model"] == {"use_case": USE_CASE, "version": "2.0.0", "epoch": 10}


def test_a_moved_pointer_is_followed_within_two_seconds_without_a_restart(world: World) -> None:
    assert world.score()[1]["model"]["version"] == "1.1.0"
    world.point(champion="1.0.0", epoch=5, quarantined=["1.1.0"])
    world.clock.at += timedelta(seconds=1.5)
    answer = world.score(idempotency_key="another")[1]
    assert answer["model"] == {"use_case": USE_CASE, "version": "1.0.0", "epoch": 5}
    assert answer["degraded"] == []


def test_a_replay_is_the_same_bit_for_bit(world: World) -> None:
    identity = world.score()[1]["prediction_id"]
    world.set_feature(DECISIVE, 7.0)
    world.point(champion="1.0.0", epoch=5)
    status, replay = world.replay(identity, role="auditor")
    assert status == 200
    assert replay["identical"]
    assert replay["logged"] == replay["replayed"]


@pytest.mark.parametrize("role", ["scoring-client", "team-lead", "data-scientist"])
def test_a_replay_is_not_for_everyone(world: World, role: str) -> None:
    identity = world.score()[1]["prediction_id"]
    assert world.replay(identity, role=role)[0] == 403


def test_a_replay_of_an_unknown_prediction_is_not_found(world: World) -> None:
    assert world.replay("0" * 32, role="auditor")[0] == 404


def test_an_answer_by_rules_alone_replays_too(world: World) -> None:
    world.point(champion="1.1.0", epoch=6, kill_switch=True)
    identity = world.score()[1]["prediction_id"]
    assert world.replay(identity, role="operator")[1]["identical"]


def test_monitoring_shows_what_is_served(world: World) -> None:
    world.score()
    world.score(worker_id="W-999999", idempotency_key="stranger")
    _, shown = world.call("GET", "/v1/serving/monitoring", role="operator")
    serving = shown["use_cases"][USE_CASE]
    assert serving["version"] == "1.1.0"
    assert serving["digest"] == world.digests["1.1.0"]
    assert (serving["epoch"], serving["loaded"], serving["health"]) == (4, True, "ok")
    assert serving["worker"]["counts"] == {"answered": 1, "NotFoundError": 1}
    assert serving["worker"]["latency_ms"]["p99"] > 0


def test_a_reload_loads_the_champion_before_the_next_request(world: World) -> None:
    _, shown = world.call("POST", "/v1/serving/reload", role="ml-engineer")
    assert shown["use_cases"][USE_CASE]["loaded"]
    assert world.call("POST", "/v1/serving/reload")[0] == 403


def test_a_batch_scores_the_good_rows_and_reports_the_bad_ones(world: World) -> None:
    from countersign.steps.score import batch

    good, stranger = world.body(), world.body(worker_id="W-999999", idempotency_key="s")
    lines: list[Any] = [good, {"worker_id": 7}, stranger]
    text = "\n".join([*(json.dumps(line) for line in lines), "not json"])
    world.stores.lake.put("batches/november.jsonl", text.encode())
    request = batch.Request(use_case=USE_CASE, input_key="batches/november.jsonl")
    first, again = batch.run(request, world.stores), batch.run(request, world.stores)
    assert first == again
    assert (first.rows, first.scored, first.refused) == (4, 1, 3)
    assert world.logged() == 1
    refused = world.stores.lake.get(first.refused_key).decode().splitlines()
    assert [(json.loads(r)["row"], json.loads(r)["status"]) for r in refused] == [
        (1, 422),
        (2, 404),
        (3, 400),
    ]


def test_a_model_that_was_late_serves_again_once_its_call_has_finished(world: World) -> None:
    world.score()
    worker = Worker.of(world.stores)
    champion = VersionRef("1.1.0", world.digests["1.1.0"])
    worker.rest(USE_CASE, champion, lambda: False)
    late = world.score(idempotency_key="late")[1]
    assert late["model"]["version"] == "1.0.0"
    assert late["degraded"] == ["model-timeout:1.1.0"]
    worker.rest(USE_CASE, champion, lambda: True)
    assert world.score(idempotency_key="again")[1]["degraded"] == []
