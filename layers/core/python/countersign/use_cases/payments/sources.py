"""What the payment platform and the merchants' desk deliver: payments, chargebacks, who pays whom."""

from countersign.declare import Column, Entity, Source

from .columns import (
    BRAND,
    COUNTRY,
    CUSTOMER_ID,
    KNOWN_AT,
    MERCHANT_ID,
    METHOD,
    cents,
    kind,
    moment,
    text,
    whole,
)

CUSTOMER = Entity(name="customer", key="customer_id")
MERCHANT = Entity(name="merchant", key="merchant_id", buckets=1)

PAYMENTS = Source(
    name="payments",
    description="Attempts to pay, as authorised or refused; a refund or correction is a later version",
    owner="payment-platform",
    columns=(
        text("payment_id"),
        text("order_id"),
        whole("attempt_number", 50, "attempts", minimum=1),
        CUSTOMER_ID,
        MERCHANT_ID,
        COUNTRY,
        cents("amount_cents"),
        METHOD,
        BRAND,
        Column(name="card_country", type="string", nullable=True),
        # The instrument's fingerprint: the same card has the same one in every payment.
        Column(name="payment_method_id", type="string", personal=True),
        Column(name="is_guest_checkout", type="boolean"),
        kind("status", ("succeeded", "failed")),
        moment("created_at"),
        KNOWN_AT,
    ),
    key=("payment_id",),
    event_time="created_at",
)
CHARGEBACKS = Source(
    name="chargebacks",
    description="Payments that a card holder's bank took back as fraud, weeks later: the fraud labels. "
    "Its event time is that of the payment, so that rates count payments by when they were made",
    owner="disputes-desk",
    columns=(
        text("chargeback_id"),
        text("payment_id"),
        CUSTOMER_ID,
        MERCHANT_ID,
        kind("reason", ("stolen_card", "account_takeover", "fabricated_identity")),
        cents("amount_cents"),
        moment("paid_at"),
        KNOWN_AT,
    ),
    key=("chargeback_id",),
    event_time="paid_at",
)
CUSTOMERS = Source(
    name="customers",
    description="Accounts as they were opened; guests have none",
    owner="accounts",
    columns=(
        CUSTOMER_ID,
        COUNTRY,
        kind("channel", ("web", "app", "sales", "partner")),
        moment("signed_up_at"),
        KNOWN_AT,
    ),
    key=("customer_id",),
    event_time="signed_up_at",
)
MERCHANTS = Source(
    name="merchants",
    description="Reviews of a merchant by compliance: at onboarding, then every month",
    owner="compliance",
    columns=(
        text("review_id"),
        MERCHANT_ID,
        COUNTRY,
        text("category"),
        whole("risk_tier", 3, "tier", minimum=1),
        moment("reviewed_at"),
        KNOWN_AT,
    ),
    key=("review_id",),
    event_time="reviewed_at",
)
