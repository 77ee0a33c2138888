"""Subscriptions month by month: use, price, payments that fail, and accounts that leave."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from countersign.cli.payments_generator.world import World, between
from countersign.use_cases.payments.columns import FAILURES, PLANS, TERMS

PRICES = np.array([1_900, 3_900, 9_900])
_SHARE_SUBSCRIBED = 0.62
_HOUR = np.timedelta64(3600, "s")
_NEVER = np.datetime64("2200-01-01", "s")


@dataclass(slots=True)
class Ledger:
    """What the months leave behind, one frame per month and table."""

    changes: list[pd.DataFrame] = field(default_factory=list)
    reviews: list[pd.DataFrame] = field(default_factory=list)
    charges: list[pd.DataFrame] = field(default_factory=list)
    failures: list[pd.DataFrame] = field(default_factory=list)
    cancellations: list[pd.DataFrame] = field(default_factory=list)

    def table(self, name: str) -> pd.DataFrame:
        """All months of a table."""
        whole: pd.DataFrame = pd.concat(getattr(self, name), ignore_index=True)
        return whole


def live(world: World) -> Ledger:
    """Every month of every subscription, until its customer leaves."""
    rng, ledger = world.rng("billing"), Ledger()
    members = _members(world, rng)
    ledger.changes.append(_changes(members, "start", members["started"].to_numpy().astype("M8[s]")))
    for month in world.months:
        first = month.astype("M8[s]")
        _come_back(ledger, members, first, rng)
        on = members[(members["started"] < first) & (members["left"] > first)]
        if len(on):
            _month(ledger, members, on, first, rng)
    return ledger


def _members(world: World, rng: np.random.Generator) -> pd.DataFrame:
    people = world.customers[rng.random(len(world.customers)) < _SHARE_SUBSCRIBED].copy()
    count = len(people)
    plan = rng.choice(len(PLANS), count, p=[0.5, 0.35, 0.15])
    term = rng.choice(len(TERMS), count, p=[0.8, 0.2])
    shop = np.stack(people["favourites"].to_list())[:, 0]
    people["shop"] = world.merchants["merchant_id"].to_numpy()[shop]
    people["shop_country"] = world.merchants["country"].to_numpy()[shop]
    people["plan"], people["term"] = np.array(PLANS)[plan], np.array(TERMS)[term]
    people["price"] = PRICES[plan]
    signed = people["signed_up"].to_numpy().astype("M8[s]")
    opened = world.merchants["since"].to_numpy().astype("M8[s]")[shop]
    people["started"] = np.maximum(signed, opened) + rng.integers(2, 20, count).astype("m8[D]")
    people["left"] = _NEVER
    people["trouble"] = 0.0  # how much the last months' failed payments weigh
    people["downgraded"] = 0.0
    return people


def _month(
    ledger: Ledger,
    members: pd.DataFrame,
    on: pd.DataFrame,
    first: np.datetime64,
    rng: np.random.Generator,
) -> None:
    """One month of those who are `on`: their review, their bill, and whether they leave."""
    index, count = on.index, len(on)
    drift = rng.normal(-0.015, 0.09, count)
    use = np.clip(on["engagement"].to_numpy() + drift, 0.01, 0.98)
    members.loc[index, "engagement"] = use
    days = rng.binomial(30, use)
    tickets = rng.poisson(0.25 + 0.5 * (use < 0.25))
    ledger.reviews.append(_reviews(on, first, days, tickets))
    failed = _bill(ledger, on, first, rng)
    trouble = 0.5 * on["trouble"].to_numpy() + failed
    members.loc[index, "trouble"] = trouble
    _change_plans(ledger, members, on, first, rng)
    pull = -4.3 + 4.6 * (0.5 - use) + 0.7 * trouble + 0.35 * tickets
    pull += 0.6 * on["downgraded"].to_numpy() + np.where(on["term"] == "annual", -1.2, 0.0)
    leaves = rng.random(count) < 1 / (1 + np.exp(-pull))
    _leave(ledger, members, on[leaves], first, rng)


def _come_back(
    ledger: Ledger, members: pd.DataFrame, first: np.datetime64, rng: np.random.Generator
) -> None:
    """Of those who left two months ago or more, a few a month begin anew."""
    away = members["left"] < first - 60 * 24 * _HOUR
    index = members.index[(away & (rng.random(len(members)) < 0.04)).to_numpy()]
    if len(index):
        at = first - rng.integers(24, 20 * 24, len(index)) * _HOUR
        members.loc[index, "started"], members.loc[index, "left"] = at, _NEVER
        ledger.changes.append(_changes(members.loc[index], "start", at))


def _reviews(
    on: pd.DataFrame, first: np.datetime64, days: np.ndarray, tickets: np.ndarray
) -> pd.DataFrame:
    month = str(first.astype("M8[M]"))
    columns = ["customer_id", "country", "plan", "term"]
    return on[columns].assign(
        review_id=on["customer_id"] + f"-{month}",
        review_month=month,
        monthly_price_cents=on["price"],
        active_days_30d=days,
        support_tickets_30d=tickets,
        reviewed_at=first,
        known_at=first + _HOUR,
    )


def _why(on: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """The place of each one's reason to fail among FAILURES; one further for none."""
    count, poor = len(on), 1 - on["liquidity"].to_numpy()
    shares = (0.02, 0.018, 0.014, 0.003, 0.008)
    chances = np.column_stack([0.24 * poor**1.3, *(np.full(count, share) for share in shares)])
    code: np.ndarray = (rng.random(count)[:, None] >= chances.cumsum(axis=1)).sum(axis=1)
    return code


def _bill(
    ledger: Ledger, on: pd.DataFrame, first: np.datetime64, rng: np.random.Generator
) -> np.ndarray:
    """Charge everybody who is due this month; 1 for those whose payment failed, else 0."""
    count = len(on)
    anniversary = on["started"].dt.month == pd.Timestamp(first).month
    due = ((on["term"] == "monthly") | anniversary).to_numpy()
    day = on["billing_day"].to_numpy()
    at = first + (day - 1).astype("m8[D]") + rng.integers(2 * 3600, 5 * 3600, count).astype("m8[s]")
    due = due & (at < on["left"].to_numpy().astype("M8[s]"))
    code = _why(on, rng)
    failed = due & (code < len(FAILURES))
    amount = on["price"] * np.where(on["term"] == "annual", 10, 1)
    order = "SUB-" + on["customer_id"].str.removeprefix("CU-") + f"-{first.astype('M8[M]')!s}"
    charges = pd.DataFrame(
        {
            "order_id": order, "customer_id": on["customer_id"], "merchant_id": on["shop"],
            "country": on["shop_country"], "amount_cents": amount, "at": at,
            "payment_method_type": on["method"], "card_brand": on["brand"],
            "card_country": on["country"].where(on["carded"], None),
            "payment_method_id": "pm-" + on["customer_id"] + "-a", "is_guest_checkout": False,
            # The platform itself tries some twice or three times before it gives up.
            "attempt_number": 1 + failed * rng.choice(3, count, p=[0.72, 0.2, 0.08]),
            "status": np.where(failed, "failed", "succeeded"), "fraud": "",
            "failure": code, "liquidity": on["liquidity"], "engagement": on["engagement"],
        }
    )  # fmt: skip
    ledger.charges.append(charges[due])
    ledger.failures.append(charges[failed])
    found: np.ndarray = failed.astype(np.float64)
    return found


def _change_plans(
    ledger: Ledger,
    members: pd.DataFrame,
    on: pd.DataFrame,
    first: np.datetime64,
    rng: np.random.Generator,
) -> None:
    """A few go up or down a plan; who uses little goes down."""
    level = on["plan"].map(PLANS.index).to_numpy()
    draw = rng.random(len(on))
    down = (draw < 0.03 * (1.2 - on["engagement"].to_numpy())) & (level > 0)
    up = (draw > 1 - 0.012 * on["engagement"].to_numpy()) & (level < len(PLANS) - 1)
    for moved, step, kind in ((down, -1, "downgrade"), (up, 1, "upgrade")):
        index = on.index[moved]
        if not len(index):
            continue
        members.loc[index, "plan"] = np.array(PLANS)[level[moved] + step]
        members.loc[index, "price"] = PRICES[level[moved] + step]
        members.loc[index, "downgraded"] = float(kind == "downgrade")
        when = first + rng.integers(3, 27, len(index)).astype("m8[D]")
        ledger.changes.append(_changes(members.loc[index], kind, when))


def _leave(
    ledger: Ledger,
    members: pd.DataFrame,
    gone: pd.DataFrame,
    first: np.datetime64,
    rng: np.random.Generator,
) -> None:
    at = between(
        rng, np.full(len(gone), first + 2 * 24 * _HOUR), np.full(len(gone), first + 29 * 24 * _HOUR)
    )
    members.loc[gone.index, "left"] = at
    reasons = np.where(
        gone["trouble"] > 0.5, "payment", np.where(gone["engagement"] < 0.3, "unused", "price")
    )
    ledger.cancellations.append(
        pd.DataFrame(
            {
                "cancellation_id": "CA-"
                + gone["customer_id"].str.removeprefix("CU-")
                + f"-{first.astype('M8[M]')!s}",
                "customer_id": gone["customer_id"],
                "reason": reasons,
                "cancelled_at": at,
                "known_at": at + rng.integers(1, 6 * 24, len(gone)) * _HOUR,
            }
        )
    )
    ledger.changes.append(_changes(gone, "end", at))


def _changes(members: pd.DataFrame, kind: str, at: np.ndarray) -> pd.DataFrame:
    stamp = pd.Series(at.astype("M8[D]").astype(str), index=members.index)
    return pd.DataFrame(
        {
            "change_id": "S-"
            + members["customer_id"].str.removeprefix("CU-")
            + f"-{kind}-"
            + stamp,
            "customer_id": members["customer_id"],
            "kind": kind,
            "plan": members["plan"],
            "term": members["term"],
            "monthly_price_cents": members["price"],
            "changed_at": at,
            "known_at": at,
        }
    )
