"""Features made of an account's review, of a failed payment or of an open debt. One function each, for one row.

A row has the fields at hand; `usual` has the features of the views, None where there is no value.
Days are of UTC.
"""

import calendar
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from countersign.declare import RequestFeature

from .columns import FAILURES, LARGEST_CENTS, PLANS, TERMS

Row = Mapping[str, Any]
Usual = Mapping[str, float | None]

_LARGEST_RATIO = 100.0
# Pay comes in around these days of a month; the last one is the month's end.
_PAYDAYS = (1, 15)


def plan(row: Row, usual: Usual) -> float | None:
    """Plan of the account, by its place in the declared list."""
    return _place(row["plan"], PLANS)


def term(row: Row, usual: Usual) -> float | None:
    """Term of the contract, by its place in the declared list."""
    return _place(row["term"], TERMS)


def active_days(row: Row, usual: Usual) -> float | None:
    """Days of the last 30 on which the account was used."""
    return float(row["active_days_30d"])


def tickets(row: Row, usual: Usual) -> float | None:
    """Support tickets of the last 30 days."""
    return float(row["support_tickets_30d"])


def price_change(row: Row, usual: Usual) -> float | None:
    """Monthly price to the mean amount that the customer paid in 365 days; null for who never paid."""
    average = usual["customer_avg_amount_cents"]
    if average is None or average <= 0:
        return None
    return min(float(row["monthly_price_cents"]) / average, _LARGEST_RATIO)


def failure_code(row: Row, usual: Usual) -> float | None:
    """Why the payment failed, by its place in the declared list."""
    return _place(row["failure_code"], FAILURES)


def attempt(row: Row, usual: Usual) -> float | None:
    """Which attempt failed, 1 for the first."""
    return float(row["attempt_number"])


def hour_of_failure(row: Row, usual: Usual) -> float | None:
    """Hour of the failure, 0 to 23, UTC."""
    return float(_moment(row, "failed_at").hour)


def days_to_payday(row: Row, usual: Usual) -> float | None:
    """Days to the next 15th, last or first of a month: 0 on such a day."""
    moment = _moment(row, "failed_at")
    last = calendar.monthrange(moment.year, moment.month)[1]
    return float(min(day - moment.day for day in (*_PAYDAYS, last) if day >= moment.day))


def amount_due(row: Row, usual: Usual) -> float | None:
    """What is owed, cents."""
    return float(row["amount_due_cents"])


def past_due(row: Row, usual: Usual) -> float | None:
    """Days since the debt was due."""
    return float(row["days_past_due"])


def attempts_made(row: Row, usual: Usual) -> float | None:
    """Retries that were made in vain."""
    return float(row["attempts_made"])


def churn_score(row: Row, usual: Usual) -> float | None:
    """What churn said of the customer when the case was opened; null where no model answered."""
    return _score(row["churn_score"])


def retry_score(row: Row, usual: Usual) -> float | None:
    """What retry said of its best strategy when the case was opened; null where no model answered."""
    return _score(row["retry_score"])


def _score(value: float | None) -> float | None:
    return None if value is None else float(value)


def _moment(row: Row, name: str) -> datetime:
    return datetime.fromisoformat(str(row[name]))


def _place(value: str, categories: tuple[str, ...]) -> float:
    """The place of a text among its categories; one place further for a text that is none of them."""
    return float(categories.index(value) if value in categories else len(categories))


def _feature(
    name: str,
    compute: Any,
    *,
    high: float,
    owner: str = "billing-data",
    fill: float = 0.0,
    categories: tuple[str, ...] = (),
) -> RequestFeature:
    return RequestFeature(
        name=name,
        description=str(compute.__doc__),
        owner=owner,
        compute=compute,
        nulls="fill",
        fill=fill,
        valid=(0, high),
        categories=categories,
    )


REVIEW_FEATURES = (
    _feature("account_plan", plan, high=len(PLANS), categories=PLANS),
    _feature("account_term", term, high=len(TERMS), categories=TERMS),
    _feature("active_days_30d", active_days, high=31),
    _feature("support_tickets_30d", tickets, high=1000),
    _feature("price_to_customer_avg_ratio", price_change, high=_LARGEST_RATIO, fill=1.0),
)
FAILURE_FEATURES = (
    _feature("failure_code", failure_code, high=len(FAILURES), categories=FAILURES),
    _feature("failed_attempt_number", attempt, high=50),
    _feature("failure_hour_of_day", hour_of_failure, high=23),
    _feature("days_to_payday", days_to_payday, high=31),
)
CASE_FEATURES = (
    _feature("amount_due_cents", amount_due, high=LARGEST_CENTS, owner="collections"),
    _feature("days_past_due", past_due, high=3660, owner="collections"),
    _feature("attempts_made", attempts_made, high=100, owner="collections"),
    _feature("churn_score", churn_score, high=1, fill=0.5, owner="collections"),
    _feature("retry_score", retry_score, high=1, fill=0.5, owner="collections"),
)
