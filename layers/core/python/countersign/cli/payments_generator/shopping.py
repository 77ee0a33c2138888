"""One-off payments: of customers, of guests, and of those who pay with what is not theirs."""

import numpy as np
import pandas as pd

from countersign.cli.payments_generator.world import Floats, Times, World, between, by_day
from countersign.use_cases.payments.columns import BRANDS, COUNTRIES

_DAY = np.timedelta64(1, "D")
# Fraud per honest payment, before the merchants' own risk.
_FRAUD_SHARE = 0.025
_REASONS = {"takeover": "account_takeover", "stolen": "stolen_card", "tested": "stolen_card"}


def honest(world: World) -> pd.DataFrame:
    """What customers with an account and guests buy."""
    bought = pd.concat([_of_customers(world), _of_guests(world)], ignore_index=True)
    rng = world.rng("honest")
    # Travellers, big presents and insomniacs look like fraud and are not.
    rich = rng.random(len(bought)) < 0.03
    bought["amount_cents"] = _cents(
        bought["amount_cents"] * np.where(rich, rng.uniform(3, 9, len(bought)), 1)
    )
    abroad = rng.random(len(bought)) < 0.05
    foreign = rng.choice(COUNTRIES, len(bought))
    card = bought["card_country"].notna() & abroad
    bought.loc[card, "card_country"] = foreign[card]
    bought["status"] = np.where(rng.random(len(bought)) < 0.05, "failed", "succeeded")
    bought["fraud"] = ""
    return bought


def _of_customers(world: World) -> pd.DataFrame:
    rng, people = world.rng("shopping"), world.customers
    since = np.maximum(people["signed_up"].to_numpy().astype("M8[s]"), world.start)
    months = (world.end - since).astype(np.int64) / (30 * 86_400)
    who = np.repeat(np.arange(len(people)), rng.poisson(people["pace"].to_numpy() * months))
    at = by_day(rng, between(rng, since[who], np.full(len(who), world.end)))
    favourites = np.stack(people["favourites"].to_list())[who, rng.integers(0, 4, len(who))]
    usual = rng.random(len(who)) < 0.85
    anywhere = rng.choice(len(world.merchants), len(who), p=world.merchants["popularity"])
    shop = np.where(usual, favourites, anywhere)
    bought = _payments(
        world, shop, at, people["spend"].to_numpy()[who] + rng.normal(0, 0.45, len(who))
    )
    mine = people.iloc[who].reset_index(drop=True)
    bought["customer_id"], bought["payment_method_type"] = mine["customer_id"], mine["method"]
    bought["card_brand"] = mine["brand"]
    bought["card_country"] = mine["country"].where(mine["carded"], None)
    other = np.where(rng.random(len(who)) < 0.06, "-b", "-a")
    bought["payment_method_id"] = "pm-" + mine["customer_id"] + other
    bought["is_guest_checkout"] = False
    after = at > people["signed_up"].to_numpy().astype("M8[s]")[who]
    return bought[after].reset_index(drop=True)


def _of_guests(world: World) -> pd.DataFrame:
    rng = world.rng("guests")
    count = len(world.customers)
    # Three in four guests come once; some come back with the same card.
    who = np.where(
        rng.random(count) < 0.75, np.arange(count), rng.integers(0, max(count // 6, 1), count)
    )
    at = by_day(rng, between(rng, np.full(count, world.start), np.full(count, world.end)))
    shop = rng.choice(len(world.merchants), count, p=world.merchants["popularity"])
    bought = _payments(world, shop, at, rng.normal(0, 0.55, count))
    names = pd.Series([f"{n + 7919 * (world.seed + 1):012x}" for n in who])
    return _as_guest(bought, names, rng)


def _as_guest(bought: pd.DataFrame, names: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    bought["customer_id"] = "guest:" + names
    bought["payment_method_type"] = rng.choice(["card", "wallet"], len(bought), p=[0.8, 0.2])
    bought["card_brand"] = rng.choice(BRANDS, len(bought), p=(0.47, 0.36, 0.07, 0.07, 0.03))
    bought["card_country"] = bought["country"]
    bought["payment_method_id"] = "pm-" + names
    bought["is_guest_checkout"] = True
    return bought


def fraudulent(world: World, honest_count: int) -> pd.DataFrame:
    """Stolen cards used as a guest or tested in bursts, and accounts that were taken over."""
    rng = world.rng("fraud")
    count = max(int(honest_count * _FRAUD_SHARE), 12)
    drawn = (world.merchants["popularity"] * world.merchants["risk"]).to_numpy(dtype=np.float64)
    shop = rng.choice(len(world.merchants), count, p=drawn / drawn.sum())
    at = by_day(
        rng, between(rng, np.full(count, world.start), np.full(count, world.end)), night=0.35
    )
    kind = rng.choice(["takeover", "stolen", "tested"], count, p=[0.4, 0.4, 0.2])
    # One in six buys what anybody buys: no model finds it.
    quiet = rng.random(count) < 0.17
    greed = np.where(quiet, rng.normal(0, 0.4, count), rng.normal(1.1, 0.6, count))
    bought = _payments(world, shop, at, greed)
    bought = _as_guest(
        bought, pd.Series([f"f{n + 7919 * world.seed:011x}" for n in range(count)]), rng
    )
    bought["fraud"], bought["status"] = kind, "succeeded"
    foreign = (rng.random(count) < 0.45) & ~quiet
    bought.loc[foreign, "card_country"] = rng.choice(COUNTRIES, int(foreign.sum()))
    _take_over(bought, world, rng, (kind == "takeover"), quiet)
    refused = (rng.random(count) < 0.12) & ~quiet
    bought.loc[refused, "status"] = "failed"
    tests = _tests_before(bought[kind == "tested"], rng)
    return pd.concat([bought, tests], ignore_index=True)


def _take_over(
    bought: pd.DataFrame,
    world: World,
    rng: np.random.Generator,
    taken: np.ndarray,
    quiet: np.ndarray,
) -> None:
    """Payments of real accounts, mostly with an instrument that the account never had."""
    people = world.customers
    eligible = np.flatnonzero(
        people["signed_up"].to_numpy().astype("M8[s]") < world.start + 20 * _DAY
    )
    who = people.iloc[
        rng.choice(eligible if len(eligible) else np.arange(len(people)), len(bought))
    ]
    who = who.reset_index(drop=True)
    known = taken & (bought["at"] > who["signed_up"]).to_numpy()
    bought.loc[known, "customer_id"] = who["customer_id"][known]
    bought.loc[known, "is_guest_checkout"] = False
    own = known & quiet
    bought.loc[own, "payment_method_id"] = "pm-" + who["customer_id"][own] + "-a"


def _tests_before(final: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Three to seven small payments in the hour before, most of them refused."""
    times = rng.integers(3, 8, len(final))
    tests = final.loc[final.index.repeat(times)].reset_index(drop=True)
    minutes = rng.integers(60, 3600, len(tests)).astype("m8[s]")
    tests["at"] = tests["at"].to_numpy().astype("M8[s]") - minutes
    tests["amount_cents"] = rng.integers(99, 900, len(tests))
    tests["status"] = np.where(rng.random(len(tests)) < 0.8, "failed", "succeeded")
    return tests


def chargebacks(payments: pd.DataFrame, world: World) -> pd.DataFrame:
    """What card holders call fraud, twelve days later in the median and up to three months; few are wrong."""
    rng = world.rng("chargebacks")
    paid = payments["status"] == "succeeded"
    draw = rng.random(len(payments))
    claimed = paid & np.where(payments["fraud"] != "", draw < 0.95, draw < 0.0004)
    found = payments[claimed].reset_index(drop=True)
    lag = np.clip(rng.lognormal(2.5, 0.75, len(found)), 1, 95) * 86_400
    found["known_at"] = found["at"].to_numpy().astype("M8[s]") + lag.astype("m8[s]")
    found["reason"] = found["fraud"].map(_REASONS).fillna("fabricated_identity")
    found["chargeback_id"] = "CB-" + found["payment_id"].str.removeprefix("PM-")
    return found.rename(columns={"at": "paid_at"})


def _payments(world: World, shop: np.ndarray, at: Times, factor: Floats) -> pd.DataFrame:
    """Payments of `shop` at `at`, for `factor` (log) times its usual basket."""
    place = world.merchants.iloc[shop].reset_index(drop=True)
    at = np.maximum(at, place["since"].to_numpy().astype("M8[s]") + np.timedelta64(3600 * 26, "s"))
    return pd.DataFrame(
        {
            "merchant_id": place["merchant_id"],
            "country": place["country"],
            "amount_cents": _cents(np.exp(place["price"].to_numpy() + factor)),
            "at": np.minimum(at, world.end - np.timedelta64(60, "s")),
            "attempt_number": 1,
        }
    )


def _cents(amount: np.ndarray | pd.Series) -> np.ndarray:
    return np.clip(np.round(np.asarray(amount, dtype=np.float64)), 50, 90_000_000).astype(np.int64)
