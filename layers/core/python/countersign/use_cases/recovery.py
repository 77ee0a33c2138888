"""Recovery: of the debts that no retry brought in, which will be paid, and what should be done for it?

It ranks open cases by the probability that they are paid, from what churn and retry said when the case
was opened, and recommends an action by that probability and by rules.
"""

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
    Strategy,
    UseCase,
)

from .churn import USE_CASE as CHURN
from .payments import body
from .payments.account_time import CASE_FEATURES
from .payments.billing import RECOVERIES, RECOVERY_CASES
from .payments.columns import COUNTRIES
from .payments.customer_views import CUSTOMER_ACCOUNT, CUSTOMER_PAYMENTS
from .payments.sources import CUSTOMER
from .retry import USE_CASE as RETRY

_OWNER, _COMPLIANCE = "collections", "compliance"

_CASE = (
    body.CUSTOMER_ID,
    body.COUNTRY,
    body.identity("case.case_id", "The case"),
    body.moment("case.opened_at", "When it was opened: the as-of moment of the score"),
    body.cents("case.amount_due_cents", "What is owed, cents of the reporting currency"),
    body.whole("case.days_past_due", 3660, "Days since the debt was due"),
    body.whole("case.attempts_made", 100, "Retries that were made in vain"),
    body.score("case.churn_score", "Churn's score of the customer, when the case was opened"),
    body.score("case.retry_score", "Retry's score of its best strategy, likewise"),
    body.IDEMPOTENCY_KEY,
)
# Who does not state what churn and retry said may state what they need: they are asked then.
_REVIEW = body.at_hand(CHURN.request_fields, known=_CASE)

USE_CASE = UseCase(
    name="recovery",
    title="Debt recovery",
    owner=_OWNER,
    description="The probability that an open debt is paid within 45 days, and what to do for it",
    api_path="/v1/recovery/recommend",
    spine=RECOVERY_CASES,
    entities=(CUSTOMER,),
    views=(CUSTOMER_ACCOUNT, CUSTOMER_PAYMENTS),
    request_features=CASE_FEATURES,
    request_fields=(*_CASE, *_REVIEW, *body.at_hand(RETRY.request_fields, known=_CASE + _REVIEW)),
    inputs=(
        "amount_due_cents",
        "days_past_due",
        "attempts_made",
        "churn_score",
        "retry_score",
        "customer_tenure_days",
        "customer_monthly_price_cents",
        "customer_payment_failures_90d",
        "customer_days_since_failure",
        "customer_retry_success_rate_365d",
        "customer_days_since_first_payment",
        "customer_avg_amount_cents",
    ),
    label=Label(
        name="recovered",
        source=RECOVERIES,
        join="case_id",
        matures=timedelta(days=52),  # a payment is matched to its case within a week
        within=timedelta(days=45),
    ),
    model=ModelSpec(
        trainer="xgboost_binary",
        hyperparameters={"n_estimators": 150, "max_depth": 3, "learning_rate": 0.08},
    ),
    split=Split(train=0.6, validate=0.2, min_rows=200, min_positives=30),
    gates=(
        Gate("auc", at_least=0.65),
        # More than half of the cases are paid: to know nothing scores 0.56 and 0.25.
        Gate("average_precision", at_least=0.60),
        Gate("brier", at_most=0.24),
        Gate("latency_p95_ms", at_most=200.0),
    ),
    fairness=(FairnessGroup(column="country", minimum_rows=50),),
    costs=CostMatrix(false_negative_minor=4_000, false_positive_minor=600, true_positive_minor=600),
    rules=(
        Rule(
            code="TOO_SMALL_TO_CHASE",
            text="The debt is below what a letter costs",
            owner=_OWNER,
            when=("amount_due_cents", "<", 500.0),
            points=0.1,
        ),
        Rule(
            code="LONG_OVERDUE",
            text="The debt is more than 180 days old: a person decides",
            owner=_COMPLIANCE,
            when=("days_past_due", ">", 180.0),
            points=0.5,
        ),
        Rule(
            code="LARGE_DEBT",
            text="More than 1 000 euros are owed",
            owner=_COMPLIANCE,
            when=("amount_due_cents", ">", 100_000.0),
            points=0.5,
        ),
    ),
    hybrid=Hybrid(model_weight=1.0, rules_weight=0.0),
    upstream=("churn", "retry"),
    strategies=(
        Strategy(
            name="hold",
            text="Do nothing yet; the account stays as it is",
            rules=("TOO_SMALL_TO_CHASE",),
        ),
        Strategy(name="offer_instalments", text="Offer to pay in three parts", at_least=0.25),
        Strategy(name="remind", text="Send a reminder with a link to pay", at_least=0.55),
        Strategy(
            name="ask_a_person",
            text="An agent looks at the case",
            at_least=1.0,
            rules=("LONG_OVERDUE", "LARGE_DEBT"),
        ),
    ),
    rollout=Rollout(
        cohort_column="country",
        cohorts=COUNTRIES,
        guards=(Gate("error_rate", at_most=0.01), Gate("latency_p95_ms", at_most=200.0)),
    ),
    autonomy="advisory",
    # Whom we ask for money, and how, is regulated.
    approval_class="compliance",
)
