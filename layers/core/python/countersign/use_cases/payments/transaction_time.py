"""Features made of the payment at hand and of what is usual. One function each, for one row.

A row has the payment's fields; `usual` has the features of the views, None where there is no value.
Hours and days are of UTC, for the payment platform states no other time.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from countersign.declare import RequestFeature

from .columns import BRANDS, LARGEST_CENTS, METHODS

Row = Mapping[str, Any]
Usual = Mapping[str, float | None]

_OWNER = "payments-data"
_LARGEST_RATIO = 100.0
_SATURDAY = 5


def amount(row: Row, usual: Usual) -> float | None:
    """Amount of the payment, cents."""
    return float(row["amount_cents"])


def method(row: Row, usual: Usual) -> float | None:
    """Type of the payment method, by its place in the declared list."""
    return _place(row["payment_method_type"], METHODS)


def brand(row: Row, usual: Usual) -> float | None:
    """Brand of the card, by its place in the declared list; null where no card is used."""
    return _place(row["card_brand"], BRANDS)


def guest(row: Row, usual: Usual) -> float | None:
    """1 when the payer has no account, else 0."""
    return float(row["is_guest_checkout"])


def hour_of_day(row: Row, usual: Usual) -> float | None:
    """Hour of the payment, 0 to 23, UTC."""
    return float(_moment(row).hour)


def day_of_week(row: Row, usual: Usual) -> float | None:
    """Day of the payment, 0 (Monday) to 6, UTC."""
    return float(_moment(row).weekday())


def weekend(row: Row, usual: Usual) -> float | None:
    """1 on Saturday and Sunday, UTC, else 0."""
    return float(_moment(row).weekday() >= _SATURDAY)


def amount_to_average(row: Row, usual: Usual) -> float | None:
    """Amount to the customer's mean of 365 days, 100 at most; null for who never paid."""
    average = usual["customer_avg_amount_cents"]
    if average is None or average <= 0:
        return None
    return min(float(row["amount_cents"]) / average, _LARGEST_RATIO)


def foreign_card(row: Row, usual: Usual) -> float | None:
    """1 when the card is of another country than the shop, 0 when not; null where no card is used."""
    return None if row["card_country"] is None else float(row["card_country"] != row["country"])


def _moment(row: Row) -> datetime:
    return datetime.fromisoformat(str(row["created_at"]))


def _place(value: str | None, categories: tuple[str, ...]) -> float | None:
    """The place of a text among its categories; one place further for a text that is none of them."""
    if value is None:
        return None
    return float(categories.index(value) if value in categories else len(categories))


def _feature(
    name: str,
    compute: Any,
    *,
    high: float,
    fill: float = 0.0,
    categories: tuple[str, ...] = (),
) -> RequestFeature:
    return RequestFeature(
        name=name,
        description=str(compute.__doc__),
        owner=_OWNER,
        compute=compute,
        nulls="fill",
        fill=fill,
        valid=(0, high),
        categories=categories,
    )


AMOUNT = _feature("amount_cents", amount, high=LARGEST_CENTS)
METHOD_TYPE = _feature("payment_method_type", method, high=len(METHODS), categories=METHODS)
# No card is not an unknown card: it stands past the place of the unknown.
CARD_BRAND = _feature(
    "card_brand", brand, high=len(BRANDS) + 1, fill=len(BRANDS) + 1, categories=BRANDS
)
AMOUNT_TO_AVERAGE = _feature(
    "amount_to_customer_avg_ratio", amount_to_average, high=_LARGEST_RATIO, fill=1.0
)
TRANSACTION_FEATURES = (
    AMOUNT,
    METHOD_TYPE,
    CARD_BRAND,
    _feature("is_guest_checkout", guest, high=1),
    _feature("transaction_hour_of_day", hour_of_day, high=23),
    _feature("transaction_day_of_week", day_of_week, high=6),
    _feature("transaction_is_weekend", weekend, high=1),
    AMOUNT_TO_AVERAGE,
    _feature("is_foreign_card", foreign_card, high=1),
)
