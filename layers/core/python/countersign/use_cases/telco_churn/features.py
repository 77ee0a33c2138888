"""Features of a Telco customer, all made of the customer's own row: the file has no history."""

from collections.abc import Callable, Mapping
from typing import Any

from countersign.declare import RequestFeature

from .sources import (
    CONTRACTS,
    INTERNET,
    LARGEST_MINOR,
    LONGEST_TENURE,
    PAYMENTS,
    WITH_INTERNET,
    WITH_PHONE,
)

Row = Mapping[str, Any]
Usual = Mapping[str, float | None]
Compute = Callable[[Row, Usual], float | None]

_OWNER = "customer-data"


def total_to_tenure(row: Row, usual: Usual) -> float | None:
    """Mean charge of a month so far over this month's charge: 1 is steady, above 1 it was dearer."""
    months, total = row["tenure_months"], row["total_charges_minor"]
    monthly = row["monthly_charges_minor"]
    if not months or total is None or not monthly:
        return None
    return float(total / months / monthly)


def _number(column: str) -> Compute:
    def read(row: Row, usual: Usual) -> float | None:
        return None if row[column] is None else float(row[column])

    return read


def _place(column: str, categories: tuple[str, ...]) -> Compute:
    def read(row: Row, usual: Usual) -> float | None:
        text = row[column]
        if text is None:
            return None
        return float(categories.index(text) if text in categories else len(categories))

    return read


def _numeric(name: str, column: str, description: str, high: float = 1.0) -> RequestFeature:
    return RequestFeature(
        name=name,
        description=description,
        owner=_OWNER,
        compute=_number(column),
        valid=(0.0, high),
    )


def _category(column: str, description: str, categories: tuple[str, ...]) -> RequestFeature:
    return RequestFeature(
        name=f"telco_{column}",
        description=description,
        owner=_OWNER,
        compute=_place(column, categories),
        valid=(0.0, float(len(categories))),
        categories=categories,
    )


REQUEST_FEATURES = (
    _numeric("telco_tenure_months", "tenure_months", "Months a customer", LONGEST_TENURE),
    _numeric("telco_monthly_charges", "monthly_charges_minor", "This month, minor", LARGEST_MINOR),
    _numeric(
        "telco_total_charges",
        "total_charges_minor",
        "All that was billed, minor units; null before the first bill",
        LARGEST_MINOR,
    ),
    RequestFeature(
        name="telco_mean_to_monthly_charge",
        description=str(total_to_tenure.__doc__),
        owner=_OWNER,
        compute=total_to_tenure,
        valid=(0.0, 100.0),
    ),
    _numeric("telco_partner", "partner", "1 with a partner"),
    _numeric("telco_dependents", "dependents", "1 with dependents"),
    _numeric("telco_phone_service", "phone_service", "1 with a telephone"),
    _numeric("telco_paperless_billing", "paperless_billing", "1 when billed without paper"),
    _category("multiple_lines", "Several telephone lines", WITH_PHONE),
    _category("internet_service", "The kind of internet", INTERNET),
    _category("online_security", "Has online security", WITH_INTERNET),
    _category("online_backup", "Has online backup", WITH_INTERNET),
    _category("device_protection", "Has device protection", WITH_INTERNET),
    _category("tech_support", "Has technical support", WITH_INTERNET),
    _category("streaming_tv", "Streams television", WITH_INTERNET),
    _category("streaming_movies", "Streams films", WITH_INTERNET),
    _category("contract", "For how long the contract binds", CONTRACTS),
    _category("payment_method", "How bills are paid", PAYMENTS),
)
