"""What scoring does when something is wrong: it refuses, or says how it made do. It never guesses."""

from __future__ import annotations

import json
from datetime import timedelta
from threading import Event

import pytest
from botocore.exceptions import ConnectTimeoutError
from countersign.aws.session import client
from countersign.steps.score import worker

from tests.unit.score.world import CRITICAL_VIEW, DECISIVE, OTHER, PATH, World
from tests.unit.serving.models import NAN, TOO_HIGH


def test_a_stale_critical_feature_blocks_and_is_named_with_age_and_sla(world: World) -> None:
    world.age(CRITICAL_VIEW, timedelta(days=500))
    status, problem = world.score()
    assert status == 424
    (error,) = [e for e in problem["errors"] if e["field"] == "worker_gross_pay_6m_mean"]
    assert error["expected"] == "at most 45 days old; it is 500.00 days old"
    assert world.logged() == 0


def test_a_critical_feature_from_the_future_blocks(world: World) -> None:
    world.age(CRITICAL_VIEW, timedelta(days=-2))
    assert world.score()[0] == 424
    assert world.logged() == 0


def test_a_payslip_never_enters_its_own_baseline(world: World) -> None:
    """Scored after it was paid and delivered: the features know of it, so there is no score."""
    status, problem = world.score(pay_date="2026-11-20")
    assert status == 424
    assert {error["field"] for error in problem["errors"]} >= {"worker_gross_pay_6m_mean"}
    assert world.logged() == 0


def test_a_missing_critical_view_blocks(world: World) -> None:
    world.drop(CRITICAL_VIEW)
    assert world.score()[0] == 424


@pytest.mark.parametrize("value", [NAN, TOO_HIGH])
def test_a_champion_without_a_score_is_followed_by_the_previous_version(
    world: World, value: float
) -> None:
    world.publish("1.0.0", decisive=OTHER)
    world.point(champion="1.1.0", previous=["1.0.0"], epoch=5)
    world.set_feature(DECISIVE, value)
    status, answer = world.score()
    assert (status, answer["model"]["version"]) == (200, "1.0.0")
    assert answer["degraded"] == ["model-output-invalid:1.1.0"]


def test_when_every_version_fails_the_rules_answer_and_say_so(world: World) -> None:
    world.set_feature(DECISIVE, NAN)
    status, answer = world.score()
    assert (status, answer["model"]["version"]) == (200, "rules-only")
    assert answer["degraded"] == [
        "model-output-invalid:1.1.0",
        "model-output-invalid:1.0.0",
        "rules-only",
    ]
    logged = world.stores.predictions.get(answer["prediction_id"])
    assert (logged.model_score, logged.version) == (None, "rules-only")


@pytest.mark.parametrize("name", ["model.onnx", "serving.json", "golden.npz"])
def test_a_flipped_byte_is_never_served(world: World, name: str) -> None:
    key = f"{world.use_case.name}/1.1.0/{name}"
    content = bytearray(world.stores.artifacts.get(key))
    content[len(content) // 2] ^= 1
    world.stores.artifacts.put(key, bytes(content))
    answer = world.score()[1]
    assert answer["model"]["version"] == "1.0.0"
    assert answer["degraded"] == ["artifact-refused:1.1.0"]


def test_a_manifest_of_another_version_is_never_served(world: World) -> None:
    folder = f"{world.use_case.name}/1.1.0"
    for name in ("manifest.json", "manifest.sig"):
        world.stores.artifacts.copy(f"{world.use_case.name}/1.0.0/{name}", f"{folder}/{name}")
    assert world.score()[1]["degraded"] == ["artifact-refused:1.1.0"]


def test_an_unsigned_manifest_is_never_served(world: World) -> None:
    world.publish("1.1.0", signed=False)
    world.point(champion="1.1.0", previous=["1.0.0"], epoch=5)
    assert world.score()[1]["degraded"] == ["artifact-refused:1.1.0"]


def test_a_version_that_was_refused_is_not_fetched_again_at_once(world: World) -> None:
    world.stores.artifacts.delete(f"{world.use_case.name}/1.1.0/model.onnx")
    reads: list[str] = []
    client("s3").meta.events.register(
        "before-call.s3.GetObject", lambda **_: reads.append("read"), unique_id="count"
    )
    try:
        for number in range(5):
            answer = world.score(idempotency_key=f"k-{number}")[1]
            assert answer["degraded"] == ["artifact-missing:1.1.0"]
    finally:
        client("s3").meta.events.unregister("before-call.s3.GetObject", unique_id="count")
    assert len(reads) <= 2 * 5


def test_a_model_store_that_does_not_answer_costs_a_bounded_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = Event()
    monkeypatch.setattr(worker, "LOAD_SECONDS", 0.05)
    events = client("s3").meta.events

    def hang(**_: object) -> None:
        never.wait()

    events.register("before-call.s3.GetObject", hang)
    try:
        status, answer = world.score()
    finally:
        events.unregister("before-call.s3.GetObject", hang)
        never.set()
    assert status == 200
    assert answer["degraded"] == [
        "artifact-unavailable:1.1.0",
        "artifact-unavailable:1.0.0",
        "declared-rules",
        "rules-only",
    ]


def test_the_kill_switch_leaves_only_rules(world: World) -> None:
    world.point(champion="1.1.0", previous=["1.0.0"], epoch=5, kill_switch=True)
    answer = world.score()[1]
    assert answer["model"] == {
        "use_case": world.use_case.name,
        "version": "rules-only",
        "epoch": 5,
    }
    assert answer["degraded"] == ["kill-switch", "rules-only"]


def test_without_a_champion_the_declared_rules_answer(world: World) -> None:
    world.unpoint()
    answer = world.score()[1]
    assert answer["model"]["epoch"] == 0
    assert answer["degraded"] == ["no-champion", "rules-only"]


def test_no_log_no_answer(world: World) -> None:
    client("dynamodb").delete_table(TableName="predictions")
    status, problem = world.score()
    assert status == 503
    assert problem["type"].endswith("prediction-log")
    assert problem["retryable"]
    assert "score" not in problem


def test_a_log_that_does_not_answer_in_time_is_no_answer(world: World) -> None:
    with world.dynamodb_fails("PutItem", ConnectTimeoutError(endpoint_url="https://dynamodb")):
        status, problem = world.score()
    assert (status, problem["type"]) == (503, "urn:countersign:problem:prediction-log")
    assert world.logged() == 0


def test_an_answer_whose_acknowledgement_was_lost_is_given_by_the_retry(world: World) -> None:
    """The entry was written, the worker died before it answered: the retry finds the same answer."""
    with world.dynamodb_loses_the_answer_of("PutItem"):
        status, answer = world.score()
    assert status == 200
    assert world.score()[1] == answer
    assert world.logged() == 1


def test_keys_left_unprocessed_fail_the_request_rather_than_a_partial_vector(world: World) -> None:
    with world.dynamodb_leaves_keys_unprocessed():
        status, problem = world.score()
    assert (status, problem["retryable"]) == (503, True)
    assert world.logged() == 0


def test_an_unreachable_store_is_503_and_nothing_is_logged(world: World) -> None:
    error = ConnectTimeoutError(endpoint_url="https://dynamodb")
    with world.dynamodb_fails("BatchGetItem", error):
        status, problem = world.score()
    assert (status, problem["retryable"]) == (503, True)
    assert world.logged() == 0


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 400),
        ("{", 400),
        ("[]", 400),
        ("null", 400),
        ('"text"', 400),
        ('{"worker_id": NaN}', 400),
        ('{"worker_id": Infinity}', 400),
        ("{}", 422),
        ('{"worker_id": 1e400}', 422),
        ('{"worker_id": "' + "x" * 300_000 + '"}', 400),
        ('{"worker_id": "\\ud800"}', 422),
    ],
)
def test_a_malformed_body_is_refused(world: World, text: str, status: int) -> None:
    answered, problem = world.call("POST", PATH, text)
    assert (answered, problem["status"]) == (status, status)
    assert world.logged() == 0


def test_a_failing_shadow_leaves_the_answer_as_it_is_byte_for_byte(world: World) -> None:
    calm = world.score_text()
    world.forget_predictions()
    world.publish("2.0.0", decisive=OTHER)
    world.set_other(NAN)
    world.point(champion="1.1.0", previous=["1.0.0"], epoch=4, shadows=["2.0.0", "9.9.9"])
    with_shadow = world.score_text()
    assert with_shadow == calm
    assert world.run_shadows(with_shadow) == []
    identity = json.loads(with_shadow)["prediction_id"]
    assert world.stores.predictions.get(identity).shadow_scores == {}


def test_a_shadow_scores_the_logged_vector_once(world: World) -> None:
    world.publish("2.0.0", low=0.1, high=0.9)
    world.point(champion="1.1.0", previous=["1.0.0"], epoch=4, shadows=["2.0.0"])
    text = world.score_text()
    world.set_feature(DECISIVE, 7.0)  # the world moved on; the logged vector did not
    identity = json.loads(text)["prediction_id"]
    assert world.run_shadows(text) == []
    said = world.stores.predictions.get(identity).shadow_scores["2.0.0"]
    assert said["model_score"] == pytest.approx(0.1)
    assert world.run_shadows(text) == []
    assert world.stores.predictions.get(identity).shadow_scores["2.0.0"] == said


def test_a_poisoned_message_goes_back_and_its_neighbours_are_scored(world: World) -> None:
    world.publish("2.0.0")
    world.point(champion="1.1.0", previous=["1.0.0"], epoch=4, shadows=["2.0.0"])
    text = world.score_text()
    assert world.run_shadows(text, poison=True) == ["poison"]
    identity = json.loads(text)["prediction_id"]
    assert "2.0.0" in world.stores.predictions.get(identity).shadow_scores


def test_no_value_of_a_request_reaches_a_log_or_an_error(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = 7_654_321_987
    answers = [
        world.score(gross_pay_minor=canary, idempotency_key="good"),
        world.score(gross_pay_minor=canary, worker_id="W-987654321", idempotency_key="stranger"),
        world.score(gross_pay_minor=f"{canary}", idempotency_key="typed"),
        world.call("POST", PATH, f'{{"gross": {canary}'),
    ]
    written = "".join(capfd.readouterr()) + json.dumps(answers)
    assert str(canary) not in written
    assert "987654321" not in written
