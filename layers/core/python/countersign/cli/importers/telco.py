"""Import Telco churn files: one moment for all customers, churn known later, a blank total is no total."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from countersign.cli.importers.delivery import Delivered, deliver, instant, tag_of
from countersign.cli.importers.fields import (
    Field,
    FileRead,
    Format,
    Row,
    flag,
    money,
    name,
    one_of,
    read_files,
    whole,
)
from countersign.use_cases.telco_churn.sources import (
    CHURN_LABELS,
    CONTRACTS,
    CUSTOMERS,
    GENDERS,
    INTERNET,
    LABEL_DELAY,
    LONGEST_TENURE,
    PAYMENTS,
    WITH_INTERNET,
    WITH_PHONE,
)

# The file states no date at all. This one is only a place on the time line: the same for every row.
SNAPSHOT = datetime(2018, 1, 1, tzinfo=UTC)
_AMOUNT = "an amount of 0 or more such as 29.85"


def _word(column: str, *aliases: str, of: tuple[str, ...]) -> Field:
    return Field(column, one_of(*of), f"one of {', '.join(of)}", aliases)


def _flag(column: str, *aliases: str) -> Field:
    return Field(column, flag, "Yes or No", aliases)


TELCO = Format(
    kind="telco",
    fields=(
        Field("customerID", name, "an id, not a blank"),
        _word("gender", of=GENDERS),
        Field("SeniorCitizen", lambda text: "yes" if flag(text) else "no", "0 or 1"),
        _flag("Partner"),
        _flag("Dependents"),
        Field(
            "tenure",
            whole(0, LONGEST_TENURE),
            f"a whole number of months from 0 to {LONGEST_TENURE}",
            ("Tenure Months", "Tenure in Months"),
        ),
        _flag("PhoneService"),
        _word("MultipleLines", of=WITH_PHONE),
        _word("InternetService", of=INTERNET),
        _word("OnlineSecurity", of=WITH_INTERNET),
        _word("OnlineBackup", of=WITH_INTERNET),
        _word("DeviceProtection", of=WITH_INTERNET),
        _word("TechSupport", of=WITH_INTERNET),
        _word("StreamingTV", of=WITH_INTERNET),
        _word("StreamingMovies", of=WITH_INTERNET),
        _word("Contract", of=CONTRACTS),
        _flag("PaperlessBilling"),
        _word("PaymentMethod", of=PAYMENTS),
        Field("MonthlyCharges", money(blank=False), _AMOUNT, ("Monthly Charge",), amount=True),
        Field("TotalCharges", money(blank=True), f"{_AMOUNT}, or a blank", amount=True),
        _flag("Churn", "Churn Label"),
    ),
    once=lambda row: row["customerID"],
    new="a customer that no earlier row states",
)
# Our column ← theirs, where nothing but the name changes.
_SAME = {
    "customer_id": "customerID",
    "gender": "gender",
    "senior_citizen": "SeniorCitizen",
    "partner": "Partner",
    "dependents": "Dependents",
    "tenure_months": "tenure",
    "phone_service": "PhoneService",
    "multiple_lines": "MultipleLines",
    "internet_service": "InternetService",
    "online_security": "OnlineSecurity",
    "online_backup": "OnlineBackup",
    "device_protection": "DeviceProtection",
    "tech_support": "TechSupport",
    "streaming_tv": "StreamingTV",
    "streaming_movies": "StreamingMovies",
    "contract": "Contract",
    "paperless_billing": "PaperlessBilling",
    "payment_method": "PaymentMethod",
    "monthly_charges_minor": "MonthlyCharges",
    "total_charges_minor": "TotalCharges",
}
COVERAGE: Mapping[str, tuple[str, str]] = {
    **{ours: ("stated", theirs) for ours, theirs in _SAME.items()},
    "total_charges_minor": ("stated", "TotalCharges; null where blank: nothing was billed yet"),
    "observed_at": ("assumed", "the snapshot; the file states no date"),
    "known_at": ("assumed", "the snapshot for a customer, label_delay later for churn"),
}


def import_telco(
    paths: Sequence[Path],
    out: Path,
    *,
    snapshot: datetime = SNAPSHOT,
    label_delay: timedelta = LABEL_DELAY,
    renames: Mapping[str, str] | None = None,
) -> Delivered:
    """Write Telco files as a delivery of customers and churn labels under `out/raw`.

    The file has no time: every customer is described as of `snapshot`, and who left is known
    `label_delay` later.

    Raises
    ------
    ContractError   a header or mapping that is wrong, or no row that can be used
    """
    files = read_files(paths, TELCO, renames or {})
    rows = sorted((row for file in files for row in file.rows), key=lambda row: row["customerID"])
    customers = [_customer(row, snapshot) for row in rows]
    labels = [
        {
            "customer_id": row["customerID"],
            "occurred_at": snapshot,
            "known_at": snapshot + label_delay,
        }
        for row in rows
        if row["Churn"]
    ]
    return deliver(
        out,
        f"telco-{tag_of(paths, snapshot, label_delay, renames or {})}",
        {CUSTOMERS: customers, CHURN_LABELS: labels},
        kind="telco",
        read=files,
        facts=_facts(files, customers, labels, snapshot, label_delay),
    )


def _customer(row: Row, snapshot: datetime) -> Row:
    stated = {ours: row[theirs] for ours, theirs in _SAME.items()}
    return {**stated, "observed_at": snapshot, "known_at": snapshot}


def _facts(
    files: Sequence[FileRead],
    customers: Sequence[Row],
    labels: Sequence[Row],
    snapshot: datetime,
    label_delay: timedelta,
) -> dict[str, Any]:
    return {
        "snapshot": instant(snapshot),
        "label_delay_hours": label_delay / timedelta(hours=1),
        "customers": len(customers),
        "churned": len(labels),
        "total_charges_blank": sum(row["total_charges_minor"] is None for row in customers),
        "coverage": COVERAGE,
    }
