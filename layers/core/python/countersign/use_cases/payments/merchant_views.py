"""Features of merchants. One view per road: facts known at once, distinct counts, late chargebacks, reviews."""

from datetime import timedelta

from countersign.declare import Feature, FeatureView, Window

from .columns import LARGEST_CENTS
from .sources import CHARGEBACKS, MERCHANT, MERCHANTS, PAYMENTS

QUIET = timedelta(days=3660)
# A month's review may be two weeks late. Later, nobody has looked at the merchant: no score.
REVIEW_SLA = timedelta(days=45)
A_MONTH = Window(duration=timedelta(days=30))
A_QUARTER = Window(duration=timedelta(days=90))
# Nine in ten chargebacks are known a month after the payment. Younger payments look honest because
# nobody has complained yet, so they do not count.
SETTLED_MONTH = Window(duration=timedelta(days=30), delay=timedelta(days=30))

MERCHANT_PAYMENTS = FeatureView(
    name="merchant_payments",
    entity=MERCHANT,
    source=PAYMENTS,
    description="What a merchant takes in. The payment being scored is not in it",
    owner="payments-data",
    ttl=timedelta(days=120),
    features=(
        Feature(
            name="merchant_total_volume_30d",
            description="Sum of the amounts that succeeded in 30 days, cents; null without a payment in 120",
            aggregation="sum",
            expression="amount_cents",
            where="status = 'succeeded'",
            window=A_MONTH,
            sla=QUIET,
            nulls="zero",
            valid=(0, 1e13),
        ),
        Feature(
            name="merchant_failure_rate_30d",
            description="Share of the payments of 30 days that failed, as far as their result is known",
            aggregation="rate",
            expression="status = 'failed'",
            window=A_MONTH,
            sla=QUIET,
            nulls="zero",
            valid=(0, 1),
        ),
        Feature(
            name="merchant_avg_transaction_amount",
            description="Mean amount of the payments of 90 days, failed ones too, cents",
            aggregation="mean",
            expression="amount_cents",
            window=A_QUARTER,
            sla=QUIET,
            nulls="zero",
            valid=(0, LARGEST_CENTS),
        ),
    ),
)
MERCHANT_CUSTOMERS = FeatureView(
    name="merchant_customers",
    entity=MERCHANT,
    source=PAYMENTS,
    description="How many pay a merchant",
    owner="payments-data",
    ttl=timedelta(days=60),
    features=(
        Feature(
            name="merchant_customer_count",
            description="Distinct customers and guests' instruments of 30 days",
            aggregation="distinct",
            expression="customer_id",
            window=A_MONTH,
            sla=QUIET,
            nulls="zero",
            valid=(0, 1e8),
        ),
    ),
)
MERCHANT_FRAUD = FeatureView(
    name="merchant_fraud",
    entity=MERCHANT,
    source=PAYMENTS,
    also=(CHARGEBACKS,),
    description="How much of a merchant's payments turned out to be fraud, once that could be known",
    owner="disputes-desk",
    ttl=timedelta(days=120),
    features=(
        Feature(
            name="merchant_fraud_rate_30d",
            description="Chargebacks per payment of the 30 days that ended 30 days ago. A chargeback "
            "counts by when it was paid, from the moment it was known, and never sooner than 30 days",
            aggregation="rate",
            source="*",
            expression="_source = 'chargebacks'",
            denominator="_source = 'payments'",
            window=SETTLED_MONTH,
            sla=QUIET,
            nulls="zero",
            valid=(0, 1),
        ),
    ),
)
MERCHANT_RECORD = FeatureView(
    name="merchant_record",
    entity=MERCHANT,
    source=MERCHANTS,
    description="What compliance has on record. A merchant has a row from onboarding on, so that its "
    "first payment can be scored; one that compliance never saw cannot",
    owner="compliance",
    ttl=QUIET,
    features=(
        Feature(
            name="merchant_days_since_onboarding",
            description="Days since the first review",
            aggregation="days_since_first",
            sla=REVIEW_SLA,
            valid=(0, 36_600),
        ),
        Feature(
            name="merchant_risk_tier",
            description="Tier of the last review, 1 (low) to 3. Critical: a merchant whose review has "
            "lapsed is not scored",
            aggregation="last",
            expression="risk_tier",
            sla=REVIEW_SLA,
            critical=True,
            nulls="refuse",
            valid=(1, 3),
        ),
    ),
)
MERCHANT_VIEWS = (MERCHANT_PAYMENTS, MERCHANT_CUSTOMERS, MERCHANT_FRAUD, MERCHANT_RECORD)
