"""Features of customers. All windows exclude the payment, failure or review that is being scored.

A guest's first payment and a new account have no row of payments: every feature here is null then, and
a model is given the declared fill, which is what nobody has seen yet looks like.
"""

from datetime import timedelta

from countersign.declare import Feature, FeatureView, Window

from .billing import CANCELLATIONS, PAYMENT_FAILURES, RETRY_ATTEMPTS, SUBSCRIPTIONS
from .columns import LARGEST_CENTS
from .sources import CUSTOMER, CUSTOMERS, PAYMENTS

# A customer may pay once a year; how old a customer's newest fact may be says nothing of the feed.
QUIET = timedelta(days=3660)
A_DAY, A_MONTH, A_QUARTER, A_YEAR = (
    Window(duration=timedelta(days=days)) for days in (1, 30, 90, 365)
)
FAILED = "status = 'failed'"

CUSTOMER_PAYMENTS = FeatureView(
    name="customer_payments",
    entity=CUSTOMER,
    source=PAYMENTS,
    description="How a customer, or a guest's payment instrument, usually pays",
    owner="payments-data",
    features=(
        Feature(
            name="customer_total_payments_30d",
            description="Payments, failed ones too, of the 30 days before this one",
            aggregation="count",
            window=A_MONTH,
            sla=QUIET,
            nulls="zero",
            valid=(0, 100_000),
        ),
        Feature(
            name="customer_failure_rate_30d",
            description="Share of the payments of 30 days that failed; null without any. A payment counts "
            "from the moment its result was known",
            aggregation="rate",
            expression=FAILED,
            window=A_MONTH,
            sla=QUIET,
            nulls="zero",
            valid=(0, 1),
        ),
        Feature(
            name="customer_avg_amount_cents",
            description="Mean amount of the payments of 365 days, failed ones too; this one is not in it",
            aggregation="mean",
            expression="amount_cents",
            window=A_YEAR,
            sla=QUIET,
            nulls="zero",
            valid=(0, LARGEST_CENTS),
        ),
        Feature(
            name="customer_days_since_first_payment",
            description="Days since the first payment that is on record; 0 for who never paid",
            aggregation="days_since_first",
            sla=QUIET,
            nulls="zero",
            valid=(0, 36_600),
        ),
        Feature(
            name="customer_payment_method_count",
            description="Distinct payment instruments of 365 days",
            aggregation="distinct",
            expression="payment_method_id",
            window=A_YEAR,
            sla=QUIET,
            nulls="zero",
            valid=(0, 1000),
        ),
        Feature(
            name="customer_payments_1d",
            description="Payments of the 24 hours before this one: the pace of a card being tested",
            aggregation="count",
            window=A_DAY,
            sla=QUIET,
            nulls="zero",
            valid=(0, 10_000),
        ),
        Feature(
            name="customer_failed_payments_1d",
            description="Failed payments of the 24 hours before this one, as far as their result is known",
            aggregation="count",
            where=FAILED,
            window=A_DAY,
            sla=QUIET,
            nulls="zero",
            valid=(0, 10_000),
        ),
    ),
)
CUSTOMER_ACCOUNT = FeatureView(
    name="customer_account",
    entity=CUSTOMER,
    source=CUSTOMERS,
    also=(SUBSCRIPTIONS, PAYMENT_FAILURES, RETRY_ATTEMPTS, CANCELLATIONS),
    description="An account, its subscription and its unpaid bills; guests have no account",
    owner="billing-data",
    ttl=QUIET,
    features=(
        Feature(
            name="customer_tenure_days",
            description="Days since the account was opened. Critical: an account that is not on record "
            "is not scored",
            aggregation="days_since_first",
            sla=QUIET,
            critical=True,
            valid=(0, 36_600),
        ),
        Feature(
            name="customer_monthly_price_cents",
            description="Monthly price of the last subscription change that had taken effect",
            aggregation="last",
            expression="monthly_price_cents",
            source="subscriptions",
            sla=QUIET,
            nulls="zero",
            valid=(0, LARGEST_CENTS),
        ),
        Feature(
            name="customer_days_since_plan_change",
            description="Days since the last subscription change took effect, renewals aside",
            aggregation="days_since",
            source="subscriptions",
            where="kind <> 'renewal'",
            sla=QUIET,
            nulls="fill",
            fill=3660,
            valid=(0, 36_600),
        ),
        Feature(
            name="customer_downgrades_365d",
            description="Downgrades of 365 days",
            aggregation="count",
            source="subscriptions",
            where="kind = 'downgrade'",
            window=A_YEAR,
            sla=QUIET,
            nulls="zero",
            valid=(0, 365),
        ),
        Feature(
            name="customer_payment_failures_90d",
            description="Failed subscription payments of 90 days; the failure being scored is not in it",
            aggregation="count",
            source="payment_failures",
            window=A_QUARTER,
            sla=QUIET,
            nulls="zero",
            valid=(0, 1000),
        ),
        Feature(
            name="customer_days_since_failure",
            description="Days since the failed payment before this one; 3660 for who never had one",
            aggregation="days_since",
            source="payment_failures",
            sla=QUIET,
            nulls="fill",
            fill=3660,
            valid=(0, 36_600),
        ),
        Feature(
            name="customer_retry_success_rate_365d",
            description="Share of the retries of 365 days that brought the money, as far as their result "
            "is known; null without any",
            aggregation="rate",
            source="retry_attempts",
            expression="succeeded",
            window=A_YEAR,
            sla=QUIET,
            nulls="fill",
            fill=0.5,
            valid=(0, 1),
        ),
        Feature(
            name="customer_cancellations_all",
            description="Times the customer has cancelled before, and come back",
            aggregation="count",
            source="cancellations",
            sla=QUIET,
            nulls="zero",
            valid=(0, 1000),
        ),
    ),
)
