"""Who there is: merchants, customers and what is only known to this world, all from one seed."""

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from countersign.use_cases.payments.columns import BRANDS, COUNTRIES, METHODS

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]

_COUNTRY_SHARES = (0.14, 0.05, 0.04, 0.08, 0.2, 0.09, 0.1, 0.12, 0.1, 0.08)
_METHOD_SHARES = (0.62, 0.18, 0.1, 0.05, 0.05)
_BRAND_SHARES = (0.47, 0.36, 0.07, 0.07, 0.03)
_CATEGORIES = ("books", "fashion", "electronics", "travel", "games", "groceries", "software")
_TIER_SHARES, TIER_RISK = (0.6, 0.3, 0.1), np.array([0.5, 1.2, 4.0])


@dataclass(frozen=True, slots=True)
class World:
    """`start` and `end` bound what happens (datetime64[s], UTC); frames are indexed by position."""

    seed: int
    start: np.datetime64
    end: np.datetime64
    merchants: pd.DataFrame
    customers: pd.DataFrame

    def rng(self, stream: str) -> np.random.Generator:
        """A generator of its own for each part of the story, so that one may change without the others."""
        return _rng(self.seed, stream)

    @property
    def months(self) -> npt.NDArray[np.datetime64]:
        """The months of the history, the one of `end` included (datetime64[M])."""
        return np.arange(self.start.astype("M8[M]"), self.end.astype("M8[M]") + 1)


def build_world(
    *, seed: int, customers: int, merchants: int, months: int, as_of: datetime
) -> World:
    """The world as of an instant, `months` complete months long. Raises ValueError for a naive one."""
    if as_of.tzinfo is None:
        raise ValueError("as_of must be timezone-aware")
    if not 3 <= months <= 36:
        raise ValueError("months must lie between 3 and 36")
    end = np.datetime64(as_of.astimezone(UTC).replace(tzinfo=None), "s")
    start = (end.astype("M8[M]") - months).astype("M8[s]")
    shops = _merchants(_rng(seed, "merchants"), merchants, start, end)
    people = _customers(_rng(seed, "customers"), customers, shops, start, end)
    return World(seed, start, end, shops, people)


def between(rng: np.random.Generator, first: Times, last: Times) -> Times:
    """A moment in [first, last) for each pair, whole seconds."""
    span = np.maximum((last - first).astype("m8[s]").astype(np.int64), 1)
    found: Times = first.astype("M8[s]") + (rng.random(len(span)) * span).astype("m8[s]")
    return found


def by_day(rng: np.random.Generator, moments: Times, *, night: float = 0.06) -> Times:
    """The same days at hours when people pay: around 15:00 UTC, and with probability `night` at 0 to 5."""
    hours = np.clip(rng.normal(15, 4, len(moments)), 6, 23.9)
    hours = np.where(rng.random(len(moments)) < night, rng.random(len(moments)) * 5.5, hours)
    found: Times = moments.astype("M8[D]").astype("M8[s]") + (hours * 3600).astype("m8[s]")
    return found


def _rng(seed: int, stream: str) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(stream.encode())])


def _merchants(
    rng: np.random.Generator, count: int, start: np.datetime64, end: np.datetime64
) -> pd.DataFrame:
    popularity = rng.pareto(1.6, count) + 0.2
    joined = np.where(rng.random(count) < 0.8, 0.0, rng.random(count) * 0.6)
    since = start + (joined * (end - start).astype(np.int64)).astype("m8[s]")
    tier = rng.choice(3, count, p=_TIER_SHARES)
    return pd.DataFrame(
        {
            "merchant_id": [f"M-{n:04d}" for n in range(count)],
            "country": rng.choice(COUNTRIES, count, p=_COUNTRY_SHARES),
            "category": rng.choice(_CATEGORIES, count),
            "tier": tier + 1,
            "popularity": popularity / popularity.sum(),
            "price": rng.normal(8.3, 0.6, count),  # log cents of its usual basket
            # Two shops of one tier differ: what compliance cannot see shows in their chargebacks.
            "risk": TIER_RISK[tier] * np.exp(rng.normal(0, 0.5, count)),
            "since": np.maximum(since, start),
        }
    )


def _customers(
    rng: np.random.Generator,
    count: int,
    shops: pd.DataFrame,
    start: np.datetime64,
    end: np.datetime64,
) -> pd.DataFrame:
    first = np.full(count, start - np.timedelta64(500, "D"))
    last = np.full(count, end - np.timedelta64(3, "D"))
    favourites = rng.choice(len(shops), (count, 4), p=shops["popularity"].to_numpy())
    method = rng.choice(METHODS, count, p=_METHOD_SHARES)
    carded = np.isin(method, ("card", "wallet"))
    brand = rng.choice(BRANDS, count, p=_BRAND_SHARES)
    return pd.DataFrame(
        {
            "customer_id": [f"CU-{n:06d}" for n in range(count)],
            "country": shops["country"].to_numpy()[favourites[:, 0]],
            "channel": rng.choice(
                ["web", "app", "sales", "partner"], count, p=[0.5, 0.3, 0.1, 0.1]
            ),
            "signed_up": between(rng, first, last),
            "method": method,
            "brand": pd.Series(brand, dtype=object).where(carded, None),
            "carded": carded,
            "pace": rng.lognormal(-1.2, 0.7, count),  # one-off payments a month
            "spend": rng.normal(0, 0.4, count),  # log of basket to the shop's usual
            "favourites": list(favourites),
            "engagement": rng.beta(2.2, 1.8, count),
            "liquidity": rng.beta(2.5, 1.5, count),
            "billing_day": rng.integers(1, 29, count),
        }
    )
