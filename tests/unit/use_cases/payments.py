"""A few facts of payments by hand, and the features they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from countersign import use_cases

from .payroll import Facts, Row

CASES = [use_cases.get(name) for name in ("fraud", "churn", "retry", "recovery")]
WHO = {"customer_id": "CU-1", "merchant_id": "M-1"}


def facts_in(folder: Path) -> Facts:
    """A session without facts; features are of customer CU-1 and merchant M-1."""
    return Facts(folder, CASES, WHO)


def payment(number: int, at: str, amount: int, **changes: Any) -> Row:
    """A card payment of CU-1 at M-1, authorised and known at once."""
    row = {
        "payment_id": f"PM-{number}", "order_id": f"O-{number}", "attempt_number": 1,
        "customer_id": "CU-1", "merchant_id": "M-1", "country": "DE", "amount_cents": amount,
        "payment_method_type": "card", "card_brand": "visa", "card_country": "DE",
        "payment_method_id": "card-1", "is_guest_checkout": False, "status": "succeeded",
        "created_at": f"{at}Z", "known_at": f"{at}Z",
    }  # fmt: skip
    return row | changes


def chargeback(
    number: int, payment_number: int, paid_at: str, known_at: str, **changes: Any
) -> Row:
    row = {
        "chargeback_id": f"CB-{number}", "payment_id": f"PM-{payment_number}", "customer_id": "CU-1",
        "merchant_id": "M-1", "reason": "stolen_card", "amount_cents": 1000,
        "paid_at": f"{paid_at}Z", "known_at": f"{known_at}Z",
    }  # fmt: skip
    return row | changes


def review(number: int, at: str, tier: int, **changes: Any) -> Row:
    """A merchant's review, known an hour later."""
    row = {
        "review_id": f"R-{number}", "merchant_id": "M-1", "country": "DE", "category": "books",
        "risk_tier": tier, "reviewed_at": f"{at}T08:00:00Z", "known_at": f"{at}T09:00:00Z",
    }  # fmt: skip
    return row | changes


def signup(at: str) -> Row:
    return {
        "customer_id": "CU-1", "country": "DE", "channel": "web", "signed_up_at": f"{at}T00:00:00Z",
        "known_at": f"{at}T00:00:00Z",
    }  # fmt: skip


def subscription(number: int, kind: str, at: str, price: int) -> Row:
    return {
        "change_id": f"S-{number}", "customer_id": "CU-1", "kind": kind, "plan": "plus",
        "term": "monthly", "monthly_price_cents": price, "changed_at": f"{at}T00:00:00Z",
        "known_at": f"{at}T00:00:00Z",
    }  # fmt: skip


def failure(number: int, at: str, **changes: Any) -> Row:
    row = {
        "failure_id": f"F-{number}", "payment_id": f"PM-{number}", "customer_id": "CU-1",
        "merchant_id": "M-1", "country": "DE", "amount_cents": 2900, "payment_method_type": "card",
        "card_brand": "visa", "failure_code": "insufficient_funds", "attempt_number": 1,
        "failed_at": f"{at}T03:00:00Z", "known_at": f"{at}T03:00:00Z",
    }  # fmt: skip
    return row | changes


def retry(number: int, at: str, succeeded: bool) -> Row:
    return {
        "attempt_id": f"A-{number}", "failure_id": "F-1", "customer_id": "CU-1",
        "strategy": "retry_now", "succeeded": succeeded, "attempted_at": f"{at}T03:00:00Z",
        "known_at": f"{at}T04:00:00Z",
    }  # fmt: skip


def outcome(number: int, strategy: str, at: str, **changes: Any) -> Row:
    row = {
        "outcome_id": f"OUT-{number}", "failure_id": f"F-{number}", "customer_id": "CU-1",
        "strategy": strategy, "settled_at": f"{at}T03:00:00Z", "known_at": f"{at}T04:00:00Z",
    }  # fmt: skip
    return row | changes


def account_review(number: int, at: str) -> Row:
    return {
        "review_id": f"AR-{number}", "review_month": at[:7], "customer_id": "CU-1", "country": "DE",
        "plan": "plus", "term": "monthly", "monthly_price_cents": 2900, "active_days_30d": 6,
        "support_tickets_30d": 1, "reviewed_at": f"{at}T00:00:00Z", "known_at": f"{at}T01:00:00Z",
    }  # fmt: skip


def cancellation(number: int, at: str, known_at: str) -> Row:
    return {
        "cancellation_id": f"CA-{number}", "customer_id": "CU-1", "reason": "price",
        "cancelled_at": f"{at}T00:00:00Z", "known_at": f"{known_at}T00:00:00Z",
    }  # fmt: skip
