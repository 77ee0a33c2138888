"""What a PaySim file states: mobile-money transactions of a simulator, and which of them were fraud."""

from datetime import timedelta

from countersign.declare import Column, Entity, Source

TYPES = ("CASH_IN", "CASH_OUT", "DEBIT", "PAYMENT", "TRANSFER")
# A month of hours; published files end at 743.
LAST_STEP = 744
LARGEST_MINOR = 1e13
# Files do not say when a fraud was noticed. A week is what the importer states unless told otherwise.
LABEL_DELAY = timedelta(days=7)

DESTINATION = Entity(name="destination", key="dest_account")
_KNOWN_AT = Column(name="known_at", type="timestamp")


def _account(name: str) -> Column:
    return Column(name=name, type="string", personal=True)


def _balance(name: str) -> Column:
    return Column(
        name=name, type="integer", minimum=0, maximum=LARGEST_MINOR, unit="minor", nullable=True
    )


TRANSACTIONS = Source(
    name="paysim_transactions",
    description="One transaction of PaySim; its hour is all that is known of its time",
    owner="payments-data",
    columns=(
        Column(name="transaction_id", type="string"),
        Column(name="step", type="integer", minimum=1, maximum=LAST_STEP, unit="hours"),
        Column(name="type", type="string", allowed=TYPES),
        Column(name="amount_minor", type="integer", minimum=0, maximum=LARGEST_MINOR, unit="minor"),
        _account("orig_account"),
        _account("dest_account"),
        _balance("orig_balance_before_minor"),
        _balance("orig_balance_after_minor"),
        _balance("dest_balance_before_minor"),
        _balance("dest_balance_after_minor"),
        # What another rule said of it. Kept for comparison; no feature may read it (ADR 11).
        Column(name="flagged_by_rule", type="boolean", nullable=True),
        Column(name="occurred_at", type="timestamp"),
        _KNOWN_AT,
    ),
    key=("transaction_id",),
    event_time="occurred_at",
)
FRAUD_LABELS = Source(
    name="paysim_fraud_labels",
    description="Transactions that were fraud, by the day somebody knew",
    owner="payments-data",
    columns=(
        Column(name="transaction_id", type="string"),
        Column(name="occurred_at", type="timestamp"),
        _KNOWN_AT,
    ),
    key=("transaction_id",),
    event_time="occurred_at",
)
