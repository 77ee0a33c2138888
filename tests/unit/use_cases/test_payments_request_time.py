"""Each request-time feature of payments with numbers that can be checked by hand."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest
from countersign import use_cases
from countersign.features import request_time

EVENTS = Path(__file__).parents[3] / "events"
CASES_BY_NAME = {name: use_cases.get(name) for name in ("fraud", "churn", "retry", "recovery")}
USUAL: dict[str, float | None] = {"customer_avg_amount_cents": 4330}
Case = tuple[str, str, dict[str, Any], dict[str, float | None], float | None]


def computed(
    name: str, usual: dict[str, float | None] | None = None, **changes: Any
) -> dict[str, float | None]:
    """Request-time features of the documented event of a use case, with fields of its row changed."""
    body = json.loads(json.loads((EVENTS / f"score__{name}.json").read_text())["body"])
    row = request_time.row_of(CASES_BY_NAME[name], copy.deepcopy(body)) | changes
    return request_time.compute(CASES_BY_NAME[name], row, {**USUAL, **(usual or {})})


CASES: list[Case] = [
    ("fraud", "amount_cents", {}, {}, 12_990),
    ("fraud", "payment_method_type", {}, {}, 0),
    ("fraud", "payment_method_type", {"payment_method_type": "pay_later"}, {}, 4),
    ("fraud", "payment_method_type", {"payment_method_type": "barter"}, {}, 5),
    ("fraud", "card_brand", {}, {}, 0),
    ("fraud", "card_brand", {"card_brand": "discover"}, {}, 4),
    ("fraud", "card_brand", {"card_brand": "unheard_of"}, {}, 5),
    ("fraud", "card_brand", {"card_brand": None}, {}, None),
    ("fraud", "is_guest_checkout", {}, {}, 0),
    ("fraud", "is_guest_checkout", {"is_guest_checkout": True}, {}, 1),
    ("fraud", "transaction_hour_of_day", {}, {}, 5),
    ("fraud", "transaction_hour_of_day", {"created_at": "2026-11-21T23:59:59.999999Z"}, {}, 23),
    ("fraud", "transaction_day_of_week", {}, {}, 5),  # 21 November 2026 is a Saturday
    ("fraud", "transaction_day_of_week", {"created_at": "2026-11-23T00:00:00Z"}, {}, 0),
    ("fraud", "transaction_is_weekend", {}, {}, 1),
    ("fraud", "transaction_is_weekend", {"created_at": "2026-11-20T23:59:59Z"}, {}, 0),
    ("fraud", "amount_to_customer_avg_ratio", {}, {}, 3),  # 12 990 / 4 330
    ("fraud", "amount_to_customer_avg_ratio", {"amount_cents": 4_330_000}, {}, 100),
    ("fraud", "amount_to_customer_avg_ratio", {}, {"customer_avg_amount_cents": None}, None),
    ("fraud", "is_foreign_card", {}, {}, 0),
    ("fraud", "is_foreign_card", {"card_country": "US"}, {}, 1),
    ("fraud", "is_foreign_card", {"card_country": None}, {}, None),
    ("churn", "account_plan", {}, {}, 1),
    ("churn", "account_plan", {"plan": "platinum"}, {}, 3),
    ("churn", "account_term", {}, {}, 0),
    ("churn", "account_term", {"term": "annual"}, {}, 1),
    ("churn", "active_days_30d", {}, {}, 6),
    ("churn", "support_tickets_30d", {}, {}, 1),
    ("churn", "price_to_customer_avg_ratio", {}, {"customer_avg_amount_cents": 2000}, 1.45),
    ("churn", "price_to_customer_avg_ratio", {}, {"customer_avg_amount_cents": None}, None),
    ("retry", "failure_code", {}, {}, 0),
    ("retry", "failure_code", {"failure_code": "card_expired"}, {}, 1),
    ("retry", "failure_code", {"failure_code": "sun_spots"}, {}, 6),
    ("retry", "failed_attempt_number", {}, {}, 1),
    ("retry", "failure_hour_of_day", {}, {}, 3),
    ("retry", "days_to_payday", {}, {}, 10),  # 20 to 30 November
    ("retry", "days_to_payday", {"failed_at": "2026-11-01T00:00:00Z"}, {}, 0),
    ("retry", "days_to_payday", {"failed_at": "2026-11-12T00:00:00Z"}, {}, 3),
    ("retry", "days_to_payday", {"failed_at": "2026-02-27T00:00:00Z"}, {}, 1),
    ("recovery", "amount_due_cents", {}, {}, 8700),
    ("recovery", "days_past_due", {}, {}, 34),
    ("recovery", "attempts_made", {}, {}, 3),
    ("recovery", "churn_score", {}, {}, 0.61),
    ("recovery", "churn_score", {"churn_score": None}, {}, None),
    ("recovery", "retry_score", {}, {}, 0.22),
    ("recovery", "retry_score", {"retry_score": None}, {}, None),
]


@pytest.mark.parametrize(("case", "name", "row", "usual", "wanted"), CASES)
def test_worked_example(
    case: str,
    name: str,
    row: dict[str, Any],
    usual: dict[str, float | None],
    wanted: float | None,
) -> None:
    assert computed(case, usual, **row)[name] == (
        None if wanted is None else pytest.approx(wanted, abs=1e-12)
    )


@pytest.mark.parametrize("name", ["fraud", "churn", "retry", "recovery"])
def test_who_was_never_seen_has_a_finite_vector(name: str) -> None:
    """New customers are scored: what is null of them is filled. Only a merchant's tier may not be null."""
    made = computed(name, {"customer_avg_amount_cents": None})
    vector = request_time.vector(CASES_BY_NAME[name], {**made, "merchant_risk_tier": 2.0})
    assert [
        n
        for n, value in zip(CASES_BY_NAME[name].inputs, vector.inputs, strict=True)
        if math.isnan(value)
    ] in (
        [],
        [
            "customer_tenure_days"
        ],  # critical: without an account the freshness gate has refused before
    )


def test_a_first_payment_looks_like_an_average_one_and_no_card_like_no_known_card() -> None:
    made = computed("fraud", {"customer_avg_amount_cents": None}, card_brand=None)
    vector = request_time.vector(CASES_BY_NAME["fraud"], {**made, "merchant_risk_tier": 2.0})
    inputs = dict(zip(CASES_BY_NAME["fraud"].inputs, vector.inputs, strict=True))
    assert inputs["amount_to_customer_avg_ratio"] == 1
    assert inputs["card_brand"] == 6  # 5 is a brand that nobody knows
    assert inputs["customer_days_since_first_payment"] == 0


def test_days_of_the_edge_and_of_training_are_the_same_moment() -> None:
    texts = ("2026-11-21T05:46:59Z", "2026-11-21T05:46:59.000000Z", "2026-11-21T05:46:59+00:00")
    hours = [computed("fraud", created_at=text)["transaction_hour_of_day"] for text in texts]
    assert hours == [5, 5, 5]
