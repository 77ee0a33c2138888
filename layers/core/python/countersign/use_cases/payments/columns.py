"""Columns that many contracts of payments have, and the values they may take."""

from countersign.declare import Column

# Of what one payment may move: ten million euros.
LARGEST_CENTS = 1_000_000_000
# Lowest risk first, by the share of payments that were charged back.
COUNTRIES = ("NL", "AT", "PT", "PL", "DE", "ES", "IT", "FR", "GB", "US")
METHODS = ("card", "wallet", "direct_debit", "bank_transfer", "pay_later")
BRANDS = ("visa", "mastercard", "amex", "maestro", "discover")
FAILURES = (
    "insufficient_funds", "card_expired", "do_not_honor", "processing_error", "stolen_card",
    "authentication_failed",
)  # fmt: skip
PLANS = ("basic", "plus", "business")
TERMS = ("monthly", "annual")

KNOWN_AT = Column(name="known_at", type="timestamp")
CUSTOMER_ID = Column(name="customer_id", type="string", personal=True)
MERCHANT_ID = Column(name="merchant_id", type="string")
COUNTRY = Column(name="country", type="string", allowed=COUNTRIES)
METHOD = Column(name="payment_method_type", type="string", allowed=METHODS)
# Brands come and go: an unknown one is a category of its own, not a bad row. Null where there is no card.
BRAND = Column(name="card_brand", type="string", nullable=True)


def text(name: str) -> Column:
    """An id or a code."""
    return Column(name=name, type="string")


def kind(name: str, allowed: tuple[str, ...]) -> Column:
    """One of a closed list."""
    return Column(name=name, type="string", allowed=allowed)


def moment(name: str) -> Column:
    """An instant with its time zone."""
    return Column(name=name, type="timestamp")


def cents(name: str, *, minimum: float = 1) -> Column:
    """Money, cents of the reporting currency."""
    return Column(name=name, type="integer", minimum=minimum, maximum=LARGEST_CENTS, unit="cents")


def whole(name: str, maximum: float, unit: str, *, minimum: float = 0) -> Column:
    """A count."""
    return Column(name=name, type="integer", minimum=minimum, maximum=maximum, unit=unit)


def probability(name: str) -> Column:
    """A score of another model, as it was when the row was made; null where there was none."""
    return Column(name=name, type="number", minimum=0, maximum=1, unit="share", nullable=True)
