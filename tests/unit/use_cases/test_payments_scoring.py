"""The payments routes before any model is promoted: who can be scored, by what, and who is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from countersign import entry, use_cases
from countersign.aws.online import OnlineRow
from countersign.clock import iso
from countersign.features.packing import pack
from countersign.steps import score

from tests.unit.predictions.cloud import NOW, REGION, Cloud, cloud

EVENTS = Path(__file__).parents[3] / "events"
NAMES = ("fraud", "churn", "retry", "recovery")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with cloud() as made:
        monkeypatch.setattr(entry, "worker_stores", lambda: made.stores)
        yield made


def put(
    aws: Cloud, use_case: str, view: str, identity: str, *, days: float, **values: float
) -> None:
    """The online row of a view whose newest facts are `days` old; what is not stated is null."""
    declared = next(v for v in use_cases.get(use_case).views if v.name == view)
    at = NOW - timedelta(days=days)
    stored = [values.get(f.name) for f in declared.features]
    row = OnlineRow(
        packed=pack(declared, [*stored, *(at.timestamp() * 1e6 for _ in declared.sources())]),
        event_at=iso(at),
        known=iso(at),
        built=iso(NOW),
        digest="d",
        expires=int((NOW + timedelta(days=800)).timestamp()),
    )
    assert aws.stores.online.write(declared.entity.name, view, [(identity, row)]) == [True]


def ask(event: str) -> tuple[int, Any]:
    """The documented event through the front door."""
    answer = entry.api(score.ROUTES)(
        json.loads((EVENTS / f"score__{event}.json").read_text()), None
    )
    return answer["statusCode"], json.loads(answer["body"])


def known_everywhere(aws: Cloud) -> None:
    """A reviewed merchant and an account; nobody has paid yet."""
    put(aws, "fraud", "merchant_record", "M-0042", days=10, merchant_risk_tier=2)
    signed_up = (NOW - timedelta(days=400)).timestamp() * 1e6
    put(aws, "churn", "customer_account", "CU-000117", days=30, customer_tenure_days=signed_up)


@pytest.mark.parametrize("name", NAMES)
def test_without_a_champion_the_rules_answer_and_say_so(aws: Cloud, name: str) -> None:
    known_everywhere(aws)
    status, answer = ask(name)
    assert status == 200, answer
    assert {"no-champion", "rules-only"} <= set(answer["degraded"])
    assert answer["model"]["use_case"] == name


def test_a_guest_whom_nobody_has_seen_is_scored(aws: Cloud) -> None:
    known_everywhere(aws)
    status, answer = ask("fraud_guest")
    assert status == 200, answer
    logged = aws.stores.predictions.find(answer["prediction_id"])
    assert logged is not None
    assert logged.features["is_guest_checkout"] == 1
    assert logged.features["customer_total_payments_30d"] is None
    assert logged.features["card_brand"] is None
    assert logged.features["merchant_risk_tier"] == 2


def test_a_merchant_that_compliance_never_saw_is_not_scored(aws: Cloud) -> None:
    status, answer = ask("fraud")
    assert (status, answer["detail"]) == (404, "No such merchant")


def test_a_merchant_whose_review_lapsed_is_not_scored(aws: Cloud) -> None:
    put(aws, "fraud", "merchant_record", "M-0042", days=46, merchant_risk_tier=2)
    status, answer = ask("fraud")
    assert status == 424
    assert [error["field"] for error in answer["errors"]] == ["merchant_risk_tier"]


@pytest.mark.parametrize("name", ["churn", "retry", "recovery"])
def test_a_customer_without_an_account_is_not_scored(aws: Cloud, name: str) -> None:
    assert ask(name)[0] == 404


def test_a_stolen_card_is_a_reason_not_to_retry(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_everywhere(aws)
    event = json.loads((EVENTS / "score__retry.json").read_text())
    body = json.loads(event["body"])
    body["failure"]["failure_code"] = "stolen_card"
    answer = entry.api(score.ROUTES)({**event, "body": json.dumps(body)}, None)
    said = json.loads(answer["body"])
    assert (said["decision"], said["strategy"]) == ("ask_for_new_method", "ask_for_new_method")
    assert [reason["code"] for reason in said["reason_codes"]] == ["CARD_STOLEN"]
