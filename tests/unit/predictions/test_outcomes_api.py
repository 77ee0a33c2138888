"""POST /v1/outcomes: one or many, late and corrected, and never another tenant's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from countersign.clock import iso
from countersign.steps import record_outcome

from tests.unit.predictions.cloud import NOW, Cloud, prediction
from tests.unit.predictions.gateway import Call, caller

PATH = ("POST", "/v1/outcomes")


@pytest.fixture
def post(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Call:
    aws.stores.predictions.append(prediction(1, tenant="acme"))
    aws.stores.predictions.append(prediction(2, tenant="rival"))
    return caller(aws.stores, record_outcome.ROUTES, monkeypatch)


def outcome(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {"prediction_id": f"{number:032x}", "label": 1, "known_at": iso(NOW)} | changes


def test_an_outcome_is_recorded_with_who_said_so(post: Call, aws: Cloud) -> None:
    status, answer = post(
        *PATH, outcome(note="confirmed by payroll"), role="operator", person="olga"
    )
    assert (status, answer["outcome_version"]) == (200, 1)
    standing = aws.stores.predictions.get(f"{1:032x}").outcome
    assert standing is not None
    assert (standing["label"], standing["recorded_by"]) == (1, "olga")


def test_a_correction_becomes_the_second_version(post: Call, aws: Cloud) -> None:
    post(*PATH, outcome(), role="operator")
    later = iso(NOW + timedelta(minutes=1))
    status, answer = post(*PATH, outcome(label=0, known_at=later), role="operator")
    assert (status, answer["outcome_version"]) == (200, 2)
    assert [o["label"] for o in aws.stores.predictions.get(f"{1:032x}").outcomes] == [1, 0]


def test_many_are_recorded_whatever_their_neighbours_are(post: Call) -> None:
    bodies = [outcome(1), outcome(9), outcome(2, label=7), outcome(2)]
    for sent in (bodies, {"outcomes": bodies}):
        status, answer = post(*PATH, sent, role="operator")
        assert status == 207
        assert [r["status"] for r in answer["results"]] == [200, 404, 422, 200]
        assert answer["recorded"] == 2
    assert answer["results"][2]["errors"][0]["row"] == 2


def test_a_hundred_are_taken_and_more_or_none_are_not(post: Call) -> None:
    assert post(*PATH, {"outcomes": [outcome()] * 100}, role="operator")[0] == 200
    for wrong in ([], [outcome()] * 101):
        assert post(*PATH, wrong, role="operator")[0] == 400


def test_a_client_records_outcomes_of_its_own_predictions_only(post: Call) -> None:
    assert post(*PATH, outcome(1), person="acme")[0] == 200
    assert post(*PATH, outcome(2), person="acme")[0] == 404


def test_an_auditor_records_nothing(post: Call) -> None:
    assert post(*PATH, outcome(), role="auditor")[0] == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"label": "1"},
        {"label": True},
        {"label": 2},
        {"known_at": "2026-11-21T05:47:00"},
        {"known_at": iso(NOW + timedelta(hours=1))},
        {"prediction_id": "x"},
        {"note": "n" * 501},
        {"surprise": 1},
    ],
)
def test_a_wrong_outcome_is_refused_by_field_and_its_values_stay_untold(
    post: Call, changes: dict[str, Any]
) -> None:
    status, problem = post(*PATH, outcome(**changes), role="operator")
    assert status == 422
    assert problem["errors"][0]["field"] in changes
    assert problem["type"] == "urn:countersign:problem:data"
