"""The eleven PaySim features, one function each for one row, and what the destination received before.

`type`, `amount`, four balances, two balance deltas, two balance errors, `hour`: eleven. `step`, the
column that a file has besides, is the clock: it dates a row and is no feature.

Balances *after* a transaction, and whatever is made of them, exist only once the money has moved. They are
documented here and may never be inputs of a score that is to stop it: `AFTER_THE_FACT`, ADR 11.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from countersign.declare import Aggregation, Feature, FeatureView, RequestFeature, Window

from .sources import DESTINATION, LARGEST_MINOR, TRANSACTIONS, TYPES

Row = Mapping[str, Any]
Usual = Mapping[str, float | None]

_OWNER = "payments-data"
_LARGE = float(2 * LARGEST_MINOR)


def transaction_type(row: Row, usual: Usual) -> float | None:
    """The kind of transaction by its place among CASH_IN, CASH_OUT, DEBIT, PAYMENT, TRANSFER; 5 for any other."""
    kind = row["type"]
    return None if kind is None else float(TYPES.index(kind) if kind in TYPES else len(TYPES))


def amount(row: Row, usual: Usual) -> float | None:
    """The amount, minor units."""
    return _stated(row["amount_minor"])


def orig_balance_before(row: Row, usual: Usual) -> float | None:
    """What the sender had before, minor units."""
    return _stated(row["orig_balance_before_minor"])


def orig_balance_after(row: Row, usual: Usual) -> float | None:
    """What the sender had after, minor units. Known only once the money has moved."""
    return _stated(row["orig_balance_after_minor"])


def dest_balance_before(row: Row, usual: Usual) -> float | None:
    """What the receiver had before, minor units; PaySim states 0 for every merchant."""
    return _stated(row["dest_balance_before_minor"])


def dest_balance_after(row: Row, usual: Usual) -> float | None:
    """What the receiver had after, minor units. Known only once the money has moved."""
    return _stated(row["dest_balance_after_minor"])


def orig_balance_delta(row: Row, usual: Usual) -> float | None:
    """The sender's balance after less before, as stated. Known only once the money has moved."""
    return _total((row["orig_balance_after_minor"], 1), (row["orig_balance_before_minor"], -1))


def dest_balance_delta(row: Row, usual: Usual) -> float | None:
    """The receiver's balance after less before, as stated. Known only once the money has moved."""
    return _total((row["dest_balance_after_minor"], 1), (row["dest_balance_before_minor"], -1))


def orig_balance_error(row: Row, usual: Usual) -> float | None:
    """After plus amount less before: 0 where the sender's books add up (twice the amount for cash in). Known only once the money has moved."""
    return _total(
        (row["orig_balance_after_minor"], 1),
        (row["amount_minor"], 1),
        (row["orig_balance_before_minor"], -1),
    )


def dest_balance_error(row: Row, usual: Usual) -> float | None:
    """Before plus amount less after: 0 where the receiver's books add up (the amount for merchants). Known only once the money has moved."""
    return _total(
        (row["dest_balance_before_minor"], 1),
        (row["amount_minor"], 1),
        (row["dest_balance_after_minor"], -1),
    )


def hour(row: Row, usual: Usual) -> float | None:
    """The hour of the day in UTC, 0 to 23: `step` modulo 24 where the origin is a midnight."""
    at = row["occurred_at"]
    return None if at is None else float(at[11:13])


def _stated(value: int | None) -> float | None:
    return None if value is None else float(value)


def _total(*parts: tuple[int | None, int]) -> float | None:
    """The signed sum; null when a part is not stated."""
    if any(value is None for value, _ in parts):
        return None
    return float(sum((value or 0) * sign for value, sign in parts))


def _feature(
    name: str,
    compute: Callable[[Row, Usual], float | None],
    low: float = 0.0,
    high: float = _LARGE,
    categories: tuple[str, ...] = (),
) -> RequestFeature:
    return RequestFeature(
        name=name,
        description=str(compute.__doc__),
        owner=_OWNER,
        compute=compute,
        valid=(low, high),
        categories=categories,
    )


REQUEST_FEATURES = (
    _feature("paysim_type", transaction_type, high=float(len(TYPES)), categories=TYPES),
    _feature("paysim_amount", amount),
    _feature("paysim_orig_balance_before", orig_balance_before),
    _feature("paysim_orig_balance_after", orig_balance_after),
    _feature("paysim_dest_balance_before", dest_balance_before),
    _feature("paysim_dest_balance_after", dest_balance_after),
    _feature("paysim_orig_balance_delta", orig_balance_delta, low=-_LARGE),
    _feature("paysim_dest_balance_delta", dest_balance_delta, low=-_LARGE),
    _feature("paysim_orig_balance_error", orig_balance_error, low=-_LARGE),
    _feature("paysim_dest_balance_error", dest_balance_error, low=-_LARGE),
    _feature("paysim_hour", hour, high=23.0),
)
AFTER_THE_FACT = frozenset(
    {
        "paysim_orig_balance_after",
        "paysim_dest_balance_after",
        "paysim_orig_balance_delta",
        "paysim_dest_balance_delta",
        "paysim_orig_balance_error",
        "paysim_dest_balance_error",
    }
)


def _received(name: str, description: str, aggregation: Aggregation, days: int) -> Feature:
    return Feature(
        name=name,
        description=description,
        aggregation=aggregation,
        expression="amount_minor" if aggregation == "sum" else "1",
        window=Window(duration=timedelta(days=days)),
        sla=timedelta(days=31),
        nulls="zero",
        valid=(0.0, 1e15),
    )


# Transactions of one hour share a moment, and the window ends before it: none sees another of its hour.
DESTINATION_RECEIPTS = FeatureView(
    name="paysim_destination_receipts",
    entity=DESTINATION,
    source=TRANSACTIONS,
    description="What an account received in the hours before this one",
    owner=_OWNER,
    features=(
        _received("dest_receipt_count_1d", "Transactions to the account in 24 hours", "count", 1),
        _received("dest_receipt_volume_1d", "Minor units to the account in 24 hours", "sum", 1),
        _received("dest_receipt_count_7d", "Transactions to the account in 7 days", "count", 7),
        _received("dest_receipt_volume_7d", "Minor units to the account in 7 days", "sum", 7),
    ),
    ttl=timedelta(days=31),
)
