"""Fraud: which payments should not go through before a person, or a second factor, has looked at them?

The merchant is the first entity, because whom we are paid for is always on record; the customer need not
be: a new account and a guest's first payment have no row, their features are null and stand filled.
"""

from datetime import timedelta

from countersign.declare import (
    CostMatrix,
    FairnessGroup,
    Gate,
    Hybrid,
    Label,
    ModelSpec,
    RequestField,
    Rollout,
    Rule,
    Split,
    UseCase,
)

from .payments import body
from .payments.columns import COUNTRIES
from .payments.customer_views import CUSTOMER_PAYMENTS
from .payments.merchant_views import MERCHANT_VIEWS
from .payments.sources import CHARGEBACKS, CUSTOMER, MERCHANT, PAYMENTS
from .payments.transaction_time import TRANSACTION_FEATURES

_RISK, _COMPLIANCE = "payment-risk", "compliance"

USE_CASE = UseCase(
    name="fraud",
    title="Payment fraud",
    owner="payment-risk",
    description="Scores a payment before it is captured: how likely its card holder will call it fraud",
    api_path="/v1/fraud/score",
    spine=PAYMENTS,
    entities=(MERCHANT, CUSTOMER),
    views=(CUSTOMER_PAYMENTS, *MERCHANT_VIEWS),
    request_features=TRANSACTION_FEATURES,
    request_fields=(
        body.identity("merchant_id", "Who is paid; must be on record"),
        body.CUSTOMER_ID,
        body.COUNTRY,
        body.identity("payment.payment_id", "The payment that is about to be captured"),
        body.moment("payment.created_at", "When the customer paid: the as-of moment of the score"),
        body.cents("payment.amount_cents", "Amount, cents of the reporting currency"),
        body.code("payment.payment_method_type", "card, wallet, direct_debit, …"),
        body.code(
            "payment.card_brand", "visa, mastercard, …; absent without a card", required=False
        ),
        RequestField(
            path="payment.card_country",
            type="string",
            required=False,
            pattern=body.COUNTRY_CODE,
            description="ISO 3166 code of the card's issuer; absent without a card",
        ),
        RequestField(
            path="payment.is_guest_checkout",
            type="boolean",
            description="Whether the payer has no account",
        ),
        body.IDEMPOTENCY_KEY,
    ),
    inputs=(
        "amount_cents",
        "amount_to_customer_avg_ratio",
        "payment_method_type",
        "card_brand",
        "is_guest_checkout",
        "is_foreign_card",
        "transaction_hour_of_day",
        "transaction_day_of_week",
        "transaction_is_weekend",
        "customer_total_payments_30d",
        "customer_failure_rate_30d",
        "customer_avg_amount_cents",
        "customer_days_since_first_payment",
        "customer_payment_method_count",
        "customer_payments_1d",
        "customer_failed_payments_1d",
        "merchant_total_volume_30d",
        "merchant_failure_rate_30d",
        "merchant_avg_transaction_amount",
        "merchant_customer_count",
        "merchant_fraud_rate_30d",
        "merchant_risk_tier",
    ),
    # Nine in ten chargebacks are known a month after the payment, all but a few after two.
    label=Label(
        name="charged_back", source=CHARGEBACKS, join="payment_id", matures=timedelta(days=60)
    ),
    model=ModelSpec(
        trainer="xgboost_binary",
        # Not calibrated: a fraud's honest probability is a few percent, beside which any rule's points
        # would decide alone. Weighted, the score has the scale of the points that it is added to.
        hyperparameters={
            "n_estimators": 300,
            "max_depth": 5,
            "learning_rate": 0.08,
            "calibration": "none",
        },
    ),
    split=Split(train=0.6, validate=0.2, min_rows=2000, min_positives=50),
    gates=(
        Gate("auc", at_least=0.85),
        Gate("average_precision", at_least=0.20),
        Gate("recall", at_least=0.50),
        Gate("false_positive_rate", at_most=0.05),
        Gate("latency_p95_ms", at_most=100.0),
    ),
    fairness=(FairnessGroup(column="country"),),
    costs=CostMatrix(
        false_negative_minor=12_000, false_positive_minor=900, true_positive_minor=300
    ),
    rules=(
        Rule(
            code="AMOUNT_FAR_ABOVE_USUAL",
            text="The amount is more than ten times what this customer usually pays",
            owner=_RISK,
            when=("amount_to_customer_avg_ratio", ">", 10.0),
            points=0.4,
        ),
        Rule(
            code="CARD_TESTING",
            text="Three or more payments of this customer failed within a day",
            owner=_RISK,
            when=("customer_failed_payments_1d", ">=", 3.0),
            points=0.6,
        ),
        Rule(
            code="MANY_INSTRUMENTS",
            text="The customer paid with more than four instruments in a year",
            owner=_RISK,
            when=("customer_payment_method_count", ">", 4.0),
            points=0.3,
        ),
        Rule(
            code="FOREIGN_CARD",
            text="The card is of another country than the shop",
            owner=_RISK,
            when=("is_foreign_card", "==", 1.0),
            points=0.2,
        ),
        Rule(
            code="MERCHANT_UNDER_FRAUD",
            text="More than one in twenty-five of the merchant's settled payments were fraud",
            owner=_COMPLIANCE,
            when=("merchant_fraud_rate_30d", ">", 0.04),
            points=0.3,
        ),
        Rule(
            code="LARGE_AMOUNT",
            text="The amount is above 10 000 euros",
            owner=_COMPLIANCE,
            when=("amount_cents", ">", 1_000_000.0),
            points=0.5,
        ),
    ),
    hybrid=Hybrid(model_weight=0.7, rules_weight=0.3),
    rollout=Rollout(
        cohort_column="country",
        cohorts=COUNTRIES,
        guards=(
            Gate("error_rate", at_most=0.01),
            Gate("latency_p95_ms", at_most=100.0),
            Gate("review_rate", at_most=0.10),
        ),
    ),
    autonomy="override",
    approval_class="fraud",
    retrain="monthly",
    latency_p95_ms=100.0,
)
