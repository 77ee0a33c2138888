"""Churn: which paying accounts will cancel within 60 days of their monthly review?"""

from datetime import timedelta

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
    UseCase,
)

from .payments import body
from .payments.account_time import REVIEW_FEATURES
from .payments.billing import ACCOUNT_REVIEWS, CANCELLATIONS
from .payments.columns import COUNTRIES
from .payments.customer_views import CUSTOMER_ACCOUNT, CUSTOMER_PAYMENTS
from .payments.sources import CUSTOMER

_OWNER = "customer-success"
_HORIZON = timedelta(days=60)

USE_CASE = UseCase(
    name="churn",
    title="Customer churn",
    owner=_OWNER,
    description="The probability that an account cancels within 60 days of its review",
    api_path="/v1/churn/predict",
    spine=ACCOUNT_REVIEWS,
    entities=(CUSTOMER,),
    views=(CUSTOMER_ACCOUNT, CUSTOMER_PAYMENTS),
    request_features=REVIEW_FEATURES,
    request_fields=(
        body.CUSTOMER_ID,
        body.COUNTRY,
        body.identity("review.review_id", "The review that is being made"),
        body.moment("review.reviewed_at", "The as-of moment of the score"),
        body.code("review.plan", "basic, plus or business"),
        body.code("review.term", "monthly or annual"),
        body.cents("review.monthly_price_cents", "Price of a month, cents"),
        body.whole("review.active_days_30d", 31, "Days of use among the last 30"),
        body.whole("review.support_tickets_30d", 1000, "Tickets of the last 30 days"),
        body.IDEMPOTENCY_KEY,
    ),
    inputs=(
        "active_days_30d",
        "support_tickets_30d",
        "account_plan",
        "account_term",
        "price_to_customer_avg_ratio",
        "customer_tenure_days",
        "customer_monthly_price_cents",
        "customer_days_since_plan_change",
        "customer_downgrades_365d",
        "customer_payment_failures_90d",
        "customer_days_since_failure",
        "customer_cancellations_all",
        "customer_total_payments_30d",
        "customer_failure_rate_30d",
    ),
    label=Label(
        name="cancelled",
        source=CANCELLATIONS,
        join="customer_id",
        matures=timedelta(days=67),  # a cancellation is on record within a week
        within=_HORIZON,
    ),
    model=ModelSpec(
        trainer="xgboost_binary",
        hyperparameters={"n_estimators": 250, "max_depth": 4, "learning_rate": 0.06},
    ),
    split=Split(train=0.6, validate=0.2, min_rows=1000, min_positives=50),
    gates=(
        Gate("auc", at_least=0.70),
        Gate("average_precision", at_least=0.15),
        Gate("brier", at_most=0.10),
        Gate("latency_p95_ms", at_most=200.0),
    ),
    fairness=(FairnessGroup(column="country"),),
    costs=CostMatrix(
        false_negative_minor=9_000, false_positive_minor=1_200, true_positive_minor=1_200
    ),
    rules=(
        Rule(
            code="HARDLY_USED",
            text="The account was used on two days of the last 30 at most",
            owner=_OWNER,
            when=("active_days_30d", "<=", 2.0),
            points=0.5,
        ),
        Rule(
            code="PAYMENTS_FAIL",
            text="Two or more subscription payments failed in 90 days",
            owner=_OWNER,
            when=("customer_payment_failures_90d", ">=", 2.0),
            points=0.4,
        ),
        Rule(
            code="DOWNGRADED",
            text="The plan was downgraded in the last year",
            owner=_OWNER,
            when=("customer_downgrades_365d", ">=", 1.0),
            points=0.2,
        ),
        Rule(
            code="MANY_TICKETS",
            text="Four or more support tickets in 30 days",
            owner=_OWNER,
            when=("support_tickets_30d", ">=", 4.0),
            points=0.3,
        ),
    ),
    hybrid=Hybrid(model_weight=1.0, rules_weight=0.0),
    rollout=Rollout(
        cohort_column="country",
        cohorts=COUNTRIES,
        guards=(Gate("error_rate", at_most=0.01), Gate("latency_p95_ms", at_most=200.0)),
    ),
    autonomy="advisory",
    approval_class="standard",
)
