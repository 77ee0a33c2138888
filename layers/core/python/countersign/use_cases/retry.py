"""Retry: a subscription payment failed; when, or how, should it be tried again?

The label is the cheapest strategy that brought the money. Some strategies were never tried on a failure,
so the model learns what worked among what was tried: collections keeps trying a few at random.
"""

from datetime import timedelta
from typing import Literal

from countersign.declare import (
    CostMatrix,
    FairnessGroup,
    Gate,
    Hybrid,
    Label,
    ModelSpec,
    Rollout,
    Rule,
    Split,
    Strategy,
    UseCase,
)

from .payments import body
from .payments.account_time import FAILURE_FEATURES
from .payments.billing import PAYMENT_FAILURES, RETRY_OUTCOMES, STRATEGIES
from .payments.columns import COUNTRIES, FAILURES
from .payments.customer_views import CUSTOMER_ACCOUNT, CUSTOMER_PAYMENTS
from .payments.merchant_views import MERCHANT_PAYMENTS
from .payments.sources import CUSTOMER, MERCHANT
from .payments.transaction_time import AMOUNT, AMOUNT_TO_AVERAGE, CARD_BRAND, METHOD_TYPE

_OWNER = "billing"


def _failed_with(code: str) -> tuple[str, Literal["=="], float]:
    return ("failure_code", "==", float(FAILURES.index(code)))


USE_CASE = UseCase(
    name="retry",
    title="Payment retry",
    owner=_OWNER,
    description="Recommends when a failed subscription payment is tried again, or that it is not",
    api_path="/v1/retry/strategy",
    spine=PAYMENT_FAILURES,
    entities=(CUSTOMER, MERCHANT),
    views=(CUSTOMER_ACCOUNT, CUSTOMER_PAYMENTS, MERCHANT_PAYMENTS),
    request_features=(AMOUNT, METHOD_TYPE, CARD_BRAND, AMOUNT_TO_AVERAGE, *FAILURE_FEATURES),
    request_fields=(
        body.CUSTOMER_ID,
        body.identity("merchant_id", "Who was to be paid"),
        body.COUNTRY,
        body.identity("failure.failure_id", "The failure that is to be settled"),
        body.moment("failure.failed_at", "When it failed: the as-of moment of the score"),
        body.cents("failure.amount_cents", "Amount, cents of the reporting currency"),
        body.code("failure.payment_method_type", "card, wallet, direct_debit, …"),
        body.code(
            "failure.card_brand", "visa, mastercard, …; absent without a card", required=False
        ),
        body.code("failure.failure_code", "insufficient_funds, card_expired, …"),
        body.whole("failure.attempt_number", 50, "Which attempt failed", minimum=1),
        body.IDEMPOTENCY_KEY,
    ),
    inputs=(
        "failure_code",
        "failed_attempt_number",
        "failure_hour_of_day",
        "days_to_payday",
        "amount_cents",
        "amount_to_customer_avg_ratio",
        "payment_method_type",
        "card_brand",
        "customer_tenure_days",
        "customer_payment_failures_90d",
        "customer_days_since_failure",
        "customer_retry_success_rate_365d",
        "customer_failure_rate_30d",
        "customer_payment_method_count",
        "merchant_failure_rate_30d",
    ),
    label=Label(
        name="recovering_strategy",
        source=RETRY_OUTCOMES,
        join="failure_id",
        matures=timedelta(days=30),
        classes=STRATEGIES,
        outcome="strategy",
    ),
    model=ModelSpec(
        trainer="xgboost_multiclass",
        hyperparameters={"n_estimators": 200, "max_depth": 4, "learning_rate": 0.08},
    ),
    split=Split(train=0.6, validate=0.2, min_rows=800, min_positives=50),
    gates=(
        Gate("accuracy", at_least=0.40),
        Gate("macro_f1", at_least=0.30),
        Gate("log_loss", at_most=1.45),
        Gate("latency_p95_ms", at_most=200.0),
    ),
    fairness=(FairnessGroup(column="country"),),
    costs=CostMatrix(false_negative_minor=2_500, false_positive_minor=50, true_positive_minor=50),
    rules=(
        Rule(
            code="CARD_EXPIRED",
            text="The card has expired: no retry can succeed",
            owner=_OWNER,
            when=_failed_with("card_expired"),
            points=1.0,
        ),
        Rule(
            code="CARD_STOLEN",
            text="The card is reported stolen: it must not be tried again",
            owner="compliance",
            when=_failed_with("stolen_card"),
            points=1.0,
        ),
        Rule(
            code="TRIED_OFTEN",
            text="Card networks allow no more attempts",
            owner="compliance",
            when=("failed_attempt_number", ">=", 8.0),
            points=1.0,
        ),
    ),
    hybrid=Hybrid(model_weight=1.0, rules_weight=0.0),
    # A retry in three days can be undone until then; the first one stands when nothing decides.
    strategies=(
        Strategy(name="retry_in_3_days", text="Try again in three days", wait=timedelta(days=3)),
        Strategy(name="retry_now", text="Try again now", at_least=0.35),
        Strategy(name="retry_in_1_day", text="Try again tomorrow", wait=timedelta(days=1)),
        Strategy(
            name="retry_at_payday",
            text="Try again on the next 15th, last or first of a month",
            wait=timedelta(days=7),
        ),
        Strategy(
            name="ask_for_new_method",
            text="Ask the customer for another way to pay",
            at_least=0.35,
            rules=("CARD_EXPIRED", "CARD_STOLEN", "TRIED_OFTEN"),
        ),
    ),
    rollout=Rollout(
        cohort_column="country",
        cohorts=COUNTRIES,
        guards=(Gate("error_rate", at_most=0.01), Gate("latency_p95_ms", at_most=200.0)),
    ),
    autonomy="override",
    approval_class="standard",
)
