"""Each view feature of payments with numbers that can be checked by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from .payments import (
    cancellation,
    chargeback,
    facts_in,
    failure,
    payment,
    retry,
    review,
    signup,
    subscription,
)
from .payroll import Facts

NOON = "2026-06-30T12:00:00"


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    """CU-1 pays four times in a year at M-1, once more at the moment that is asked about; CU-2 once."""
    made = facts_in(tmp_path)
    made.deliver(
        "payments",
        [
            payment(1, "2026-03-01T12:00:00", 2000),
            payment(2, "2026-06-10T12:00:00", 4000, payment_method_id="card-2"),
            payment(3, "2026-06-29T18:00:00", 6000, status="failed"),
            payment(4, "2026-06-30T11:59:59", 8000, status="failed", payment_method_id="card-2"),
            payment(5, NOON, 90_000, payment_method_id="card-3"),
            payment(6, "2026-06-20T12:00:00", 10_000, customer_id="CU-2"),
        ],
    )
    return made


def test_payments_of_30_days_leave_out_the_one_being_scored(facts: Facts) -> None:
    # the 10th, the 29th and the 30th one second before; 31 May 12:00 is where 30 days begin
    assert facts.value("customer_total_payments_30d", NOON) == 3
    assert facts.value("customer_total_payments_30d", "2026-06-30T12:00:00.000001") == 4
    assert facts.value("customer_total_payments_30d", "2026-07-10T12:00:00.000001") == 3


def test_failure_rate_of_30_days(facts: Facts) -> None:
    assert facts.value("customer_failure_rate_30d", NOON) == pytest.approx(2 / 3)
    assert facts.value("customer_failure_rate_30d", "2026-04-15") is None  # none in 30 days


def test_a_result_that_is_known_later_counts_from_then(facts: Facts) -> None:
    late = payment(7, "2026-06-30T11:00:00", 100, status="failed", known_at="2026-06-30T13:00:00Z")
    facts.deliver("payments", [late])
    assert facts.value("customer_failed_payments_1d", NOON) == 2
    assert facts.value("customer_failed_payments_1d", "2026-06-30T13:00:00") == 3


def test_mean_amount_of_a_year_in_cents(facts: Facts) -> None:
    assert facts.value("customer_avg_amount_cents", NOON) == (2000 + 4000 + 6000 + 8000) / 4
    facts.deliver(
        "payments", [payment(7, "2025-06-30T11:59:59", 900_000)]
    )  # a year and a second ago
    assert facts.value("customer_avg_amount_cents", NOON) == 5000
    facts.deliver("payments", [payment(8, "2025-06-30T12:00:00", 7500)])  # a year ago
    assert facts.value("customer_avg_amount_cents", NOON) == 5500


def test_days_since_the_first_payment(facts: Facts) -> None:
    assert facts.value("customer_days_since_first_payment", NOON) == 121
    assert facts.value("customer_days_since_first_payment", "2026-03-01T12:00:00") is None


def test_instruments_are_counted_once(facts: Facts) -> None:
    assert facts.value("customer_payment_method_count", NOON) == 2  # card-3 is being scored
    assert facts.value("customer_payment_method_count", "2026-07-01") == 3


def test_payments_and_failures_of_a_day(facts: Facts) -> None:
    assert facts.value("customer_payments_1d", NOON) == 2
    assert facts.value("customer_failed_payments_1d", NOON) == 2
    assert (
        facts.value("customer_payments_1d", "2026-06-30T18:00:00.000001") == 2
    )  # 11:59:59 and noon
    assert facts.value("customer_failed_payments_1d", "2026-06-30T18:00:00.000001") == 1


def test_a_guest_has_the_past_of_their_instrument_or_none(facts: Facts) -> None:
    guest = {"customer_id": "guest:9f86", "is_guest_checkout": True}
    facts.deliver("payments", [payment(8, "2026-06-01T12:00:00", 500, **guest)])
    assert facts.value("customer_total_payments_30d", NOON, customer_id="guest:9f86") == 1
    assert facts.value("customer_total_payments_30d", NOON, customer_id="guest:new") is None
    assert facts.value("customer_tenure_days", NOON, customer_id="guest:9f86") is None


def test_volume_is_what_succeeded(facts: Facts) -> None:
    # 4 000 of CU-1 and 10 000 of CU-2; the two that failed brought nothing
    assert facts.value("merchant_total_volume_30d", NOON) == 14_000


def test_merchants_failure_rate_is_over_all_their_customers(facts: Facts) -> None:
    assert facts.value("merchant_failure_rate_30d", NOON) == pytest.approx(2 / 4)


def test_mean_transaction_of_90_days_is_of_failed_ones_too(facts: Facts) -> None:
    # 1 March is 121 days ago
    assert facts.value("merchant_avg_transaction_amount", NOON) == (4000 + 6000 + 8000 + 10_000) / 4


def test_customers_are_counted_once(facts: Facts) -> None:
    assert facts.value("merchant_customer_count", NOON) == 2
    assert facts.value("merchant_customer_count", "2026-07-20T12:00:00.000001") == 1  # CU-2 left


def test_fraud_rate_is_of_the_30_days_that_ended_30_days_ago(facts: Facts) -> None:
    paid = "2026-06-10T12:00:00"
    facts.deliver("chargebacks", [chargeback(1, 2, paid, "2026-06-25T00:00:00")])
    # known on 25 June already, but the payment is younger than 30 days until 10 July
    assert facts.value("merchant_fraud_rate_30d", "2026-07-10T12:00:00") is None
    assert facts.value("merchant_fraud_rate_30d", "2026-07-10T12:00:00.000001") == 1
    # 31 July looks at 1 June to 1 July: payments 2, 3, 4, 5 and 6, one of them charged back
    assert facts.value("merchant_fraud_rate_30d", "2026-07-31T12:00:00") == pytest.approx(1 / 5)


def test_a_late_chargeback_is_invisible_before_it_was_known(facts: Facts) -> None:
    late = [chargeback(1, 3, "2026-06-29T18:00:00", "2026-08-04T00:00:00")]
    facts.deliver("chargebacks", late)
    before, after = "2026-08-03T23:59:59.999999", "2026-08-04T00:00:00"
    # both look at 5 June to 5 July, five payments; the delay is over, the knowledge is not there yet
    assert facts.value("merchant_fraud_rate_30d", before) == 0
    assert facts.value("merchant_fraud_rate_30d", after) == pytest.approx(1 / 5)


def test_a_withdrawn_chargeback_counts_until_its_withdrawal_was_known(facts: Facts) -> None:
    claim = chargeback(1, 3, "2026-06-29T18:00:00", "2026-07-05T00:00:00")
    facts.deliver(
        "chargebacks", [claim, {**claim, "_deleted": True, "known_at": "2026-08-02T00:00:00Z"}]
    )
    assert facts.value("merchant_fraud_rate_30d", "2026-08-01T12:00:00") == pytest.approx(1 / 5)
    assert facts.value("merchant_fraud_rate_30d", "2026-08-02T12:00:00") == 0


def test_reviews_give_a_merchant_a_tier_before_its_first_payment(facts: Facts) -> None:
    reviews = [review(1, "2026-05-01", 1), review(2, "2026-06-01", 3)]
    facts.deliver("merchants", [r | {"merchant_id": "M-9"} for r in reviews])
    new = {"merchant_id": "M-9"}
    assert facts.value("merchant_risk_tier", "2026-05-01T08:59:59", **new) is None  # not known yet
    assert facts.value("merchant_risk_tier", "2026-05-01T09:00:00", **new) == 1
    assert facts.value("merchant_risk_tier", NOON, **new) == 3
    assert facts.value("merchant_days_since_onboarding", "2026-06-30T08:00:00", **new) == 60
    assert facts.value("merchant_total_volume_30d", NOON, **new) is None


def test_tenure_price_and_plan_changes(facts: Facts) -> None:
    facts.deliver("customers", [signup("2025-06-30")])
    changes = [
        subscription(1, "start", "2025-07-01", 4900),
        subscription(2, "downgrade", "2026-01-01", 2900),
        subscription(3, "renewal", "2026-06-01", 3100),
    ]
    facts.deliver("subscriptions", changes)
    assert facts.value("customer_tenure_days", "2026-06-30") == 365
    assert facts.value("customer_monthly_price_cents", NOON) == 3100
    assert (
        facts.value("customer_monthly_price_cents", "2026-01-01") == 4900
    )  # not before it takes effect
    assert facts.value("customer_days_since_plan_change", "2026-06-30") == 180  # renewals aside
    assert facts.value("customer_downgrades_365d", NOON) == 1
    assert facts.value("customer_downgrades_365d", "2026-01-01") == 0


def test_failures_leave_out_the_one_being_scored(facts: Facts) -> None:
    facts.deliver("customers", [signup("2025-06-30")])
    days = ["2026-03-20", "2026-06-20", "2026-06-30"]
    facts.deliver("payment_failures", [failure(n, day) for n, day in enumerate(days, 1)])
    third = "2026-06-30T03:00:00"
    assert facts.value("customer_payment_failures_90d", third) == 1  # 20 March is 102 days ago
    assert facts.value("customer_days_since_failure", third) == 10
    assert facts.value("customer_days_since_failure", "2026-03-20T03:00:00") is None


def test_success_rate_of_retries_as_far_as_known(facts: Facts) -> None:
    facts.deliver("customers", [signup("2025-06-30")])
    tried = [("2026-06-01", False), ("2026-06-02", True), ("2026-06-30", True)]
    facts.deliver("retry_attempts", [retry(n, day, won) for n, (day, won) in enumerate(tried)])
    assert facts.value("customer_retry_success_rate_365d", "2026-06-30T03:30:00") == 0.5
    assert facts.value("customer_retry_success_rate_365d", "2026-06-30T04:00:00") == pytest.approx(
        2 / 3
    )


def test_cancellations_of_before(facts: Facts) -> None:
    facts.deliver("customers", [signup("2025-06-30")])
    facts.deliver("cancellations", [cancellation(1, "2026-02-01", "2026-02-03")])
    assert facts.value("customer_cancellations_all", "2026-02-02") == 0
    assert facts.value("customer_cancellations_all", "2026-02-03") == 1
