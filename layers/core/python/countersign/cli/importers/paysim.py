"""Import PaySim files: hours become moments, money becomes cents, frauds become labels that come later."""

import hashlib
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
from countersign.use_cases.paysim_fraud.sources import (
    FRAUD_LABELS,
    LABEL_DELAY,
    LAST_STEP,
    TRANSACTIONS,
    TYPES,
)

# Files count hours from a start that they do not state. PaySim was published in the spring of 2017.
ORIGIN = datetime(2017, 1, 1, tzinfo=UTC)
_AMOUNT = "an amount of 0 or more such as 1234.50"
_BALANCE = f"{_AMOUNT}, or a blank"


def _balance(column: str, *aliases: str) -> Field:
    return Field(column, money(blank=True), _BALANCE, aliases, amount=True)


def _identity(row: Row) -> tuple[Any, ...]:
    """Not the balances: two files of one simulation differ in how exactly they write them."""
    return tuple(row[key] for key in ("step", "type", "amount", "nameOrig", "nameDest"))


PAYSIM = Format(
    kind="paysim",
    fields=(
        Field("step", whole(1, LAST_STEP), f"a whole number of hours from 1 to {LAST_STEP}"),
        Field("type", one_of(*TYPES), f"one of {', '.join(TYPES)}"),
        Field("amount", money(blank=False), _AMOUNT, amount=True),
        Field("nameOrig", name, "an account, not a blank"),
        _balance("oldbalanceOrg", "oldbalanceOrig"),
        _balance("newbalanceOrig", "newbalanceOrg"),
        Field("nameDest", name, "an account, not a blank"),
        _balance("oldbalanceDest"),
        _balance("newbalanceDest"),
        Field("isFraud", flag, "0 or 1"),
        Field("isFlaggedFraud", flag, "0 or 1", absent=True),
    ),
    once=_identity,
    new="a transaction that no earlier row states",
)
COVERAGE: Mapping[str, tuple[str, str]] = {
    "transaction_id": ("derived", "SHA-256 of step, type, amount and both accounts, 16 digits"),
    "step": ("stated", "step"),
    "type": ("stated", "type"),
    "amount_minor": ("stated", "amount, in hundredths; the file names no currency"),
    "orig_account": ("stated", "nameOrig"),
    "dest_account": ("stated", "nameDest"),
    "orig_balance_before_minor": ("stated", "oldbalanceOrg"),
    "orig_balance_after_minor": ("stated", "newbalanceOrig"),
    "dest_balance_before_minor": ("stated", "oldbalanceDest; 0 for every merchant"),
    "dest_balance_after_minor": ("stated", "newbalanceDest; 0 for every merchant"),
    "flagged_by_rule": ("stated", "isFlaggedFraud; null where the file lacks it"),
    "occurred_at": ("assumed", "origin + step hours"),
    "known_at": ("assumed", "occurred_at for a transaction, label_delay later for its label"),
}


def import_paysim(
    paths: Sequence[Path],
    out: Path,
    *,
    origin: datetime = ORIGIN,
    label_delay: timedelta = LABEL_DELAY,
    renames: Mapping[str, str] | None = None,
) -> Delivered:
    """Write PaySim files as a delivery of transactions and fraud labels under `out/raw`.

    Step s happened at `origin` + s hours; a fraud is known `label_delay` after it happened. Of a
    transaction that several rows state, the first stands, in the order of `paths`.

    Raises
    ------
    ContractError   a header or mapping that is wrong, or no row that can be used
    """
    files = read_files(paths, PAYSIM, renames or {})
    rows = sorted(
        (row for file in files for row in file.rows), key=lambda row: (row["step"], _id(row))
    )
    transactions = [_transaction(row, origin) for row in rows]
    labels = [
        {
            "transaction_id": made["transaction_id"],
            "occurred_at": made["occurred_at"],
            "known_at": made["occurred_at"] + label_delay,
        }
        for row, made in zip(rows, transactions, strict=True)
        if row["isFraud"]
    ]
    return deliver(
        out,
        f"paysim-{tag_of(paths, origin, label_delay, renames or {})}",
        {TRANSACTIONS: transactions, FRAUD_LABELS: labels},
        kind="paysim",
        read=files,
        facts=_facts(files, transactions, labels, origin, label_delay),
    )


def _id(row: Row) -> str:
    stated = "\x1f".join(map(str, _identity(row)))
    return "ps-" + hashlib.sha256(stated.encode()).hexdigest()[:16]


def _transaction(row: Row, origin: datetime) -> Row:
    at = origin + timedelta(hours=row["step"])
    return {
        "transaction_id": _id(row),
        "step": row["step"],
        "type": row["type"],
        "amount_minor": row["amount"],
        "orig_account": row["nameOrig"],
        "dest_account": row["nameDest"],
        "orig_balance_before_minor": row["oldbalanceOrg"],
        "orig_balance_after_minor": row["newbalanceOrig"],
        "dest_balance_before_minor": row["oldbalanceDest"],
        "dest_balance_after_minor": row["newbalanceDest"],
        "flagged_by_rule": row["isFlaggedFraud"],
        "occurred_at": at,
        "known_at": at,
    }


def _facts(
    files: Sequence[FileRead],
    transactions: Sequence[Row],
    labels: Sequence[Row],
    origin: datetime,
    label_delay: timedelta,
) -> dict[str, Any]:
    return {
        "origin": instant(origin),
        "label_delay_hours": label_delay / timedelta(hours=1),
        "transactions": len(transactions),
        "frauds": len(labels),
        "frauds_per_file": {file.name: sum(row["isFraud"] for row in file.rows) for file in files},
        "steps": [transactions[0]["step"], transactions[-1]["step"]] if transactions else [],
        "coverage": COVERAGE,
    }
