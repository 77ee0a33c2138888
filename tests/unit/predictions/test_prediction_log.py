"""The write-ahead log: written once, told apart by body, extended by shadows and outcomes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from countersign.clock import iso
from countersign.errors import IdempotencyConflictError, NotFoundError, PredictionLogError
from countersign.serving.prediction import prediction_id, request_digest

from tests.unit.predictions.cloud import NOW, Cloud, prediction


def test_an_entry_comes_back_as_it_was_written_bit_for_bit(aws: Cloud) -> None:
    written = prediction()
    assert aws.stores.predictions.append(written) == written.answer
    assert aws.stores.predictions.get(written.prediction_id) == written


def test_the_first_answer_under_an_id_stands(aws: Cloud) -> None:
    first = prediction(answer='{"first":true}')
    aws.stores.predictions.append(first)
    assert aws.stores.predictions.append(prediction(answer='{"second":true}')) == first.answer


def test_another_body_under_the_same_key_is_a_conflict(aws: Cloud) -> None:
    aws.stores.predictions.append(prediction())
    with pytest.raises(IdempotencyConflictError):
        aws.stores.predictions.append(prediction(request_digest="e" * 64))


def test_a_log_that_is_not_there_is_an_error_and_no_answer(aws: Cloud) -> None:
    log = aws.stores.predictions
    log._table = "gone"
    with pytest.raises(PredictionLogError) as raised:
        log.append(prediction())
    assert raised.value.status == 503
    assert raised.value.retryable


def test_ids_separate_tenants_use_cases_and_keys() -> None:
    named = {
        prediction_id("a", "b", "c"),
        prediction_id("a", "bc", ""),
        prediction_id("ab", "", "c"),
        prediction_id("a", "c", "b"),
    }
    assert len(named) == 4


def test_a_digest_ignores_order_and_key_and_nothing_else() -> None:
    body = {"worker_id": "W", "payslip": {"a": 1, "b": 2}}
    same = {"idempotency_key": "k", "payslip": {"b": 2, "a": 1}, "worker_id": "W"}
    assert request_digest(body) == request_digest(same)
    assert request_digest(body) != request_digest({**body, "payslip": {"a": 1, "b": 2.5}})


def test_a_prediction_of_another_tenant_is_not_found(aws: Cloud) -> None:
    aws.stores.predictions.append(prediction(tenant="acme"))
    with pytest.raises(NotFoundError):
        aws.stores.predictions.get(prediction().prediction_id, tenant="rival")


def test_many_are_read_at_once_and_unknown_ones_are_left_out(aws: Cloud) -> None:
    for number in range(1, 121):
        aws.stores.predictions.append(prediction(number))
    wanted = [f"{number:032x}" for number in range(1, 131)]
    assert set(aws.stores.predictions.get_many(wanted)) == set(wanted[:120])


def test_predictions_of_a_span_come_oldest_first(aws: Cloud) -> None:
    for number in (3, 1, 2):
        at = iso(NOW + timedelta(hours=number))
        aws.stores.predictions.append(prediction(number, at=at))
    found = aws.stores.predictions.between(
        "payroll_anomaly", iso(NOW), iso(NOW + timedelta(hours=3))
    )
    assert [int(p.prediction_id, 16) for p in found] == [1, 2]


def test_a_shadow_score_is_recorded_once(aws: Cloud) -> None:
    log, identity = aws.stores.predictions, prediction().prediction_id
    log.append(prediction())
    assert log.add_shadow_score(identity, "2.0.0", {"score": 0.25, "decision": "pass"})
    assert not log.add_shadow_score(identity, "2.0.0", {"score": 0.75, "decision": "review"})
    assert log.add_shadow_score(identity, "2.1.0", {"score": 0.5, "decision": "pass"})
    shadows = log.get(identity).shadow_scores
    assert {version: said["score"] for version, said in shadows.items()} == {
        "2.0.0": 0.25,
        "2.1.0": 0.5,
    }


def test_outcomes_keep_their_history_and_the_one_known_last_stands(aws: Cloud) -> None:
    log, identity = aws.stores.predictions, prediction().prediction_id
    log.append(prediction())
    day = [iso(NOW + timedelta(days=d)) for d in range(4)]
    log.add_outcome(identity, {"label": 0, "known_at": day[1]})
    log.add_outcome(identity, {"label": 1, "known_at": day[3]})
    late = log.add_outcome(identity, {"label": 0, "known_at": day[2]})
    found = log.get(identity)
    assert late["version"] == 3
    assert found.outcome is not None
    assert (found.outcome["label"], found.outcome["version"]) == (1, 2)
    assert [o["label"] for o in found.outcomes] == [0, 1, 0]


def test_the_same_outcome_again_changes_nothing(aws: Cloud) -> None:
    log, identity = aws.stores.predictions, prediction().prediction_id
    log.append(prediction())
    first = log.add_outcome(identity, {"label": 1, "known_at": iso(NOW)})
    assert log.add_outcome(identity, {"label": 1, "known_at": iso(NOW)}) == first
    assert len(log.get(identity).outcomes) == 1


def test_an_outcome_of_no_prediction_is_not_found(aws: Cloud) -> None:
    with pytest.raises(NotFoundError):
        aws.stores.predictions.add_outcome("0" * 32, {"label": 1, "known_at": iso(NOW)})


def test_an_entry_expires_only_90_days_after_it_was_archived(aws: Cloud) -> None:
    from countersign.aws.session import client

    log, entry = aws.stores.predictions, prediction()
    log.append(entry)
    key = {"prediction_id": {"S": entry.prediction_id}}
    assert "ttl" not in client("dynamodb").get_item(TableName="predictions", Key=key)["Item"]
    assert log.mark_archived(entry)
    item = client("dynamodb").get_item(TableName="predictions", Key=key)["Item"]
    assert int(item["ttl"]["N"]) == int((NOW + timedelta(days=90)).timestamp())


def test_an_archive_of_an_older_outcome_is_not_taken_for_done(aws: Cloud) -> None:
    log, entry = aws.stores.predictions, prediction()
    log.append(entry)
    log.add_outcome(entry.prediction_id, {"label": 1, "known_at": iso(NOW)})
    assert not log.mark_archived(entry)
    assert log.mark_archived(log.get(entry.prediction_id))
