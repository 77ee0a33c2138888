"""What billing and collections deliver: subscriptions, failed payments, retries, reviews, open debts."""

from countersign.declare import Column, Source

from .columns import (
    BRAND,
    COUNTRY,
    CUSTOMER_ID,
    FAILURES,
    KNOWN_AT,
    MERCHANT_ID,
    METHOD,
    PLANS,
    TERMS,
    cents,
    kind,
    moment,
    probability,
    text,
    whole,
)

# From what costs nothing to what asks most of the customer.
STRATEGIES = (
    "retry_now", "retry_in_1_day", "retry_in_3_days", "retry_at_payday", "ask_for_new_method",
)  # fmt: skip

SUBSCRIPTIONS = Source(
    name="subscriptions",
    description="Changes of a subscription by the moment they take effect",
    owner="billing",
    columns=(
        text("change_id"),
        CUSTOMER_ID,
        kind("kind", ("start", "upgrade", "downgrade", "renewal", "end")),
        kind("plan", PLANS),
        kind("term", TERMS),
        cents("monthly_price_cents"),
        moment("changed_at"),
        KNOWN_AT,
    ),
    key=("change_id",),
    event_time="changed_at",
)
PAYMENT_FAILURES = Source(
    name="payment_failures",
    description="Payments of a subscription that failed and may be tried again",
    owner="billing",
    columns=(
        text("failure_id"),
        text("payment_id"),
        CUSTOMER_ID,
        MERCHANT_ID,
        COUNTRY,
        cents("amount_cents"),
        METHOD,
        BRAND,
        kind("failure_code", FAILURES),
        whole("attempt_number", 50, "attempts", minimum=1),
        moment("failed_at"),
        KNOWN_AT,
    ),
    key=("failure_id",),
    event_time="failed_at",
)
RETRY_ATTEMPTS = Source(
    name="retry_attempts",
    description="What was tried after a failure, and whether the money came",
    owner="billing",
    columns=(
        text("attempt_id"),
        text("failure_id"),
        CUSTOMER_ID,
        kind("strategy", STRATEGIES),
        Column(name="succeeded", type="boolean"),
        moment("attempted_at"),
        KNOWN_AT,
    ),
    key=("attempt_id",),
    event_time="attempted_at",
)
RETRY_OUTCOMES = Source(
    name="retry_outcomes",
    description="Settled failures: the cheapest strategy that brought the money, the retry labels. Where "
    "no retry did, what was left was to ask for a new method. An unsettled failure has no row",
    owner="billing",
    columns=(
        text("outcome_id"),
        text("failure_id"),
        CUSTOMER_ID,
        kind("strategy", STRATEGIES),
        moment("settled_at"),
        KNOWN_AT,
    ),
    key=("failure_id",),
    event_time="settled_at",
)
ACCOUNT_REVIEWS = Source(
    name="account_reviews",
    description="The state of each paying account on the first of a month",
    owner="customer-success",
    columns=(
        text("review_id"),
        text("review_month"),
        CUSTOMER_ID,
        COUNTRY,
        kind("plan", PLANS),
        kind("term", TERMS),
        cents("monthly_price_cents"),
        whole("active_days_30d", 31, "days"),
        whole("support_tickets_30d", 1000, "tickets"),
        moment("reviewed_at"),
        KNOWN_AT,
    ),
    key=("review_id",),
    event_time="reviewed_at",
)
CANCELLATIONS = Source(
    name="cancellations",
    description="Accounts that ended, by the moment the customer said so: the churn labels",
    owner="customer-success",
    columns=(
        text("cancellation_id"),
        CUSTOMER_ID,
        kind("reason", ("price", "unused", "payment", "competitor", "other")),
        moment("cancelled_at"),
        KNOWN_AT,
    ),
    key=("cancellation_id",),
    event_time="cancelled_at",
)
RECOVERY_CASES = Source(
    name="recovery_cases",
    description="Debts that no retry brought in, as they stood when the case was opened",
    owner="collections",
    columns=(
        text("case_id"),
        text("failure_id"),
        CUSTOMER_ID,
        COUNTRY,
        cents("amount_due_cents"),
        whole("days_past_due", 3660, "days"),
        whole("attempts_made", 100, "attempts"),
        # What churn and retry said at that moment: never what they would say today.
        probability("churn_score"),
        probability("retry_score"),
        moment("opened_at"),
        KNOWN_AT,
    ),
    key=("case_id",),
    event_time="opened_at",
)
RECOVERIES = Source(
    name="recoveries",
    description="Cases that were paid after all: the recovery labels",
    owner="collections",
    columns=(
        text("recovery_id"),
        text("case_id"),
        CUSTOMER_ID,
        cents("amount_recovered_cents"),
        moment("recovered_at"),
        KNOWN_AT,
    ),
    key=("recovery_id",),
    event_time="recovered_at",
)
