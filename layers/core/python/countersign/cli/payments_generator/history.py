"""The generated facts as tables of the payments sources: columns, order and types of their contracts."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from countersign.cli.payments_generator import billing, collecting, shopping
from countersign.cli.payments_generator.world import World
from countersign.cli.payroll_generator.sources import INSTANT, TAINT
from countersign.declare import Source
from countersign.use_cases.payments import billing as bills
from countersign.use_cases.payments import sources

SOURCES: tuple[Source, ...] = (
    sources.PAYMENTS, sources.CHARGEBACKS, sources.CUSTOMERS, sources.MERCHANTS,
    bills.SUBSCRIPTIONS, bills.PAYMENT_FAILURES, bills.RETRY_ATTEMPTS, bills.RETRY_OUTCOMES,
    bills.ACCOUNT_REVIEWS, bills.CANCELLATIONS, bills.RECOVERY_CASES, bills.RECOVERIES,
)  # fmt: skip
_TYPES = {
    "string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(),
    "timestamp": INSTANT,
}  # fmt: skip
_DAY = np.timedelta64(86_400, "s")


def history(world: World) -> dict[str, pa.Table]:
    """Every source as known at the world's end, oldest knowledge first."""
    ledger = billing.live(world)
    bought = shopping.honest(world)
    stolen = shopping.fraudulent(world, len(bought))
    charges = ledger.table("charges").reset_index(drop=True)
    first = pd.concat([bought, stolen, charges], ignore_index=True)
    first = first.sort_values("at", kind="stable", ignore_index=True)
    first["payment_id"] = [f"PM-{n:07d}" for n in range(len(first))]
    order = first["order_id"].fillna("O-" + first["payment_id"].str.removeprefix("PM-"))
    first["order_id"] = order
    failed = first[first["failure"].lt(6)]
    done = collecting.collect(world, failed)
    again = done.payments
    again["payment_id"] += "-" + again["attempt_number"].astype(str)
    payments = pd.concat([first, again], ignore_index=True)
    frames = {
        "payments": payments.assign(created_at=payments["at"], known_at=payments["at"]),
        "chargebacks": shopping.chargebacks(first, world),
        "customers": _accounts(world),
        "merchants": _reviews(world),
        "subscriptions": ledger.table("changes"),
        "payment_failures": done.failures.assign(
            failed_at=done.failures["at"], known_at=done.failures["at"]
        ),
        "retry_attempts": done.attempts,
        "retry_outcomes": done.outcomes,
        "account_reviews": ledger.table("reviews"),
        "cancellations": ledger.table("cancellations"),
        "recovery_cases": done.cases,
        "recoveries": done.recoveries,
    }
    return {source.name: _table(source, frames[source.name], world) for source in SOURCES}


def _accounts(world: World) -> pd.DataFrame:
    people = world.customers
    signed = people["signed_up"].to_numpy().astype("M8[s]")
    return people.assign(signed_up_at=signed, known_at=signed)


def _reviews(world: World) -> pd.DataFrame:
    """Each merchant at onboarding, then in the first days of every month."""
    rng, shops = world.rng("reviews"), world.merchants
    since = shops["since"].to_numpy().astype("M8[s]")
    rounds = [(shops, since, "on")]
    for month in world.months[1:]:
        there = since < month.astype("M8[s]")
        at = month.astype("M8[s]") + rng.integers(0, 5 * 86_400, int(there.sum())).astype("m8[s]")
        rounds.append((shops[there], at, str(month)))
    return pd.concat(
        [
            reviewed[["merchant_id", "country", "category"]].assign(
                review_id="R-" + reviewed["merchant_id"] + f"-{name}",
                risk_tier=reviewed["tier"],
                reviewed_at=at,
                known_at=at + np.timedelta64(6 * 3600, "s"),
            )
            for reviewed, at, name in rounds
        ],
        ignore_index=True,
    )


def _table(source: Source, frame: pd.DataFrame, world: World) -> pa.Table:
    known = frame[source.known_at].to_numpy().astype("M8[s]")
    kept = frame[known <= world.end]
    kept = kept.sort_values([source.known_at, *source.key], kind="stable")
    schema = pa.schema([pa.field(c.name, _TYPES[c.type]) for c in source.columns])
    columns = {
        c.name: pa.array(kept[c.name].to_numpy().astype("M8[us]")).cast(INSTANT)
        if c.type == "timestamp"
        else pa.Array.from_pandas(kept[c.name], type=_TYPES[c.type])
        for c in source.columns
    }
    table = pa.table(columns, schema=schema)
    return table.append_column(TAINT, pa.array(np.ones(table.num_rows, dtype=bool)))


def facts(tables: Mapping[str, pa.Table]) -> dict[str, float]:
    """How the world came out: shares that a reader of a delivery may want to know."""
    payments, charged = tables["payments"].num_rows, tables["chargebacks"].num_rows
    reviews, left = tables["account_reviews"].num_rows, tables["cancellations"].num_rows
    cases, paid = tables["recovery_cases"].num_rows, tables["recoveries"].num_rows
    return {
        "chargebacks_per_payment": round(charged / max(payments, 1), 5),
        "cancellations_per_review": round(left / max(reviews, 1), 5),
        "recoveries_per_case": round(paid / max(cases, 1), 5),
    }
