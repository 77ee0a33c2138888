"""Who works where, for how much, from when to when: the world that pay is computed from."""

import hashlib
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from countersign.cli.payroll_generator.countries import (
    CONTRACT_SHARES,
    CONTRACTS,
    COUNTRIES,
    FREQUENCIES,
)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Times = npt.NDArray[np.datetime64]

_DRAFT_HORIZON_DAYS = 45
NEVER = np.datetime64("2262-01-01", "D")


@dataclass(frozen=True, slots=True)
class Clock:
    """The generated span: first day of the history, the as-of instant (UTC), last drafted day."""

    seed: int
    start: np.datetime64
    as_of: np.datetime64
    end: np.datetime64
    tag: str

    def rng(self, stream: str) -> np.random.Generator:
        """An independent stream per purpose, so a new purpose leaves the others as they were."""
        return np.random.default_rng([self.seed, zlib.crc32(stream.encode())])

    @property
    def today(self) -> np.datetime64:
        day: np.datetime64 = self.as_of.astype("M8[D]")
        return day

    def month_of(self, days: Times) -> Ints:
        """Months since the first month of the history."""
        first = self.start.astype("M8[M]")
        months: Ints = (days.astype("M8[M]") - first).astype(np.int64)
        return np.asarray(np.maximum(months, 0))

    @property
    def months(self) -> int:
        """Calendar months from the start to the end of the drafted pay run."""
        return int(self.month_of(np.array([self.end]))[0]) + 1


@dataclass(frozen=True, slots=True)
class Clients:
    """Arrays of shape (n_clients,)."""

    home: Ints
    second: Ints
    weight: Floats
    proneness: Floats
    bonus_month: Ints


@dataclass(frozen=True, slots=True)
class Workers:
    """Arrays of shape (n_workers,). `base` is a month's pay in minor units at the start."""

    country: Ints
    client: Ints
    frequency: Ints
    contract: Ints
    base: Floats
    noise: Floats
    deduction_offset: Floats
    extra_lines: Ints
    bonus_share: Floats
    hired: Times
    left: Times
    rehired: Times


@dataclass(frozen=True, slots=True)
class Raises:
    """Arrays of shape (n_workers, n_months). A late raise is known after it took effect."""

    rate: Floats
    known_at: Times
    late: Bools
    lump: Bools


@dataclass(frozen=True, slots=True)
class World:
    clock: Clock
    clients: Clients
    workers: Workers
    raises: Raises


def build_world(*, seed: int, workers: int, months: int, as_of: datetime) -> World:
    """A world that depends on its arguments alone.

    Raises
    ------
    ValueError      as_of is naive, or there is no worker or no month
    """
    if as_of.tzinfo is None:
        raise ValueError("as_of must be timezone-aware")
    if workers < 1 or months < 1:
        raise ValueError("workers and months must be at least 1")
    utc = as_of.astimezone(UTC)
    now = np.datetime64(utc.replace(tzinfo=None), "s")
    start = (now.astype("M8[M]") - months).astype("M8[D]")
    name = f"{seed}|{workers}|{months}|{utc.isoformat()}"
    tag = hashlib.sha256(name.encode()).hexdigest()[:4]
    clock = Clock(seed, start, now, now.astype("M8[D]") + _DRAFT_HORIZON_DAYS, tag)
    clients = _clients(clock, max(len(COUNTRIES), round(workers / 45)))
    people = _workers(clock, clients, workers)
    return World(clock, clients, people, _raises(clock, people))


def _clients(clock: Clock, count: int) -> Clients:
    rng = clock.rng("clients")
    shares = np.array([country.share for country in COUNTRIES])
    every = np.arange(len(COUNTRIES))
    home = np.concatenate([every, rng.choice(every, count - len(every), p=shares / shares.sum())])
    return Clients(
        home=home,
        second=np.where(rng.random(count) < 0.4, rng.choice(every, count), home),
        weight=rng.lognormal(0.0, 0.7, count),
        proneness=rng.gamma(2.0, 0.5, count) + 0.1,
        bonus_month=rng.choice(np.array([2, 3, 4, 6, 12]), count),
    )


def _workers(clock: Clock, clients: Clients, count: int) -> Workers:
    rng = clock.rng("workers")
    shares = np.array([country.share for country in COUNTRIES])
    country = rng.choice(len(COUNTRIES), count, p=shares / shares.sum())
    contract = rng.choice(len(CONTRACTS), count, p=CONTRACT_SHARES)
    part_time = contract == CONTRACTS.index("part_time")
    hours = np.where(part_time, rng.choice(np.array([0.5, 0.6, 0.75, 0.8]), count), 1.0)
    median = np.array([c.monthly_median * 10**c.minor_digits for c in COUNTRIES])[country]
    frequency = _frequencies(rng, country)
    hired, left, rehired = _employment(clock, count)
    permanent = contract == CONTRACTS.index("permanent")
    salaried = (rng.random(count) < 0.55) & (frequency == 0)
    return Workers(
        country=country,
        client=_employers(rng, clients, country),
        frequency=frequency,
        contract=contract,
        base=np.round(median * rng.lognormal(0.0, 0.38, count) * hours / 100) * 100,
        noise=np.where(salaried, 0.0, rng.uniform(0.01, 0.09, count)),
        deduction_offset=rng.normal(0.0, 0.015, count),
        extra_lines=rng.poisson(0.8, count),
        bonus_share=np.where(
            permanent & (rng.random(count) < 0.45), rng.uniform(0.3, 1.8, count), 0.0
        ),
        hired=hired,
        left=left,
        rehired=rehired,
    )


def _frequencies(rng: np.random.Generator, country: Ints) -> Ints:
    shares = np.array([[c.frequencies.get(name, 0.0) for name in FREQUENCIES] for c in COUNTRIES])
    ceilings = np.cumsum(shares, axis=1)[country]
    drawn = (rng.random(len(country))[:, None] > ceilings).sum(axis=1)
    return np.asarray(np.minimum(drawn, len(FREQUENCIES) - 1))


def _employers(rng: np.random.Generator, clients: Clients, country: Ints) -> Ints:
    """Each worker's client is one that operates in the worker's country."""
    employer = np.zeros(len(country), dtype=np.int64)
    for index in range(len(COUNTRIES)):
        here = np.flatnonzero(country == index)
        offers = np.flatnonzero((clients.home == index) | (clients.second == index))
        weight = clients.weight[offers]
        employer[here] = rng.choice(offers, len(here), p=weight / weight.sum())
    return employer


def _employment(clock: Clock, count: int) -> tuple[Times, Times, Times]:
    """Hire, leave and rehire days; NEVER where it does not happen before the end."""
    rng = clock.rng("employment")
    span = max(int((clock.today - clock.start).astype(int)), 1)
    before = clock.start - np.maximum(rng.exponential(1_100, count), 40).astype("m8[D]")
    within = clock.start + rng.integers(0, span, count).astype("m8[D]")
    hired = np.where(rng.random(count) < 0.78, before, within)
    stay = np.maximum(rng.exponential(365 * 7.0, count), 45).astype("m8[D]")
    left = np.maximum(hired, clock.start) + stay
    left = np.where(left > clock.end, NEVER, left)
    back = left + rng.integers(60, 200, count).astype("m8[D]")
    returns = (left != NEVER) & (rng.random(count) < 0.15) & (back < clock.today)
    return hired, left, np.where(returns, back, NEVER)


def _raises(clock: Clock, workers: Workers) -> Raises:
    """A yearly raise in the country's month for most, a promotion now and then for a few."""
    rng = clock.rng("raises")
    shape = (len(workers.country), clock.months)
    month = np.arange(clock.months) + clock.start.astype("M8[M]")
    calendar_month = month.astype(np.int64) % 12 + 1
    raise_month = np.array([c.raise_month for c in COUNTRIES])[workers.country]
    usual = np.array([c.raise_rate for c in COUNTRIES])[workers.country]
    settled = month.astype("M8[D]")[None, :] > (workers.hired + 180)[:, None]
    yearly = (
        (raise_month[:, None] == calendar_month[None, :]) & (rng.random(shape) < 0.85) & settled
    )
    promoted = (rng.random(shape) < 0.005) & settled
    rate = np.where(yearly, np.maximum(usual[:, None] + rng.normal(0.0, 0.012, shape), 0.008), 0.0)
    rate = rate + np.where(promoted, rng.uniform(0.06, 0.2, shape), 0.0)
    effective = np.broadcast_to(month.astype("M8[D]").astype("M8[s]"), shape)
    late = (rng.random(shape) < 0.14) & (rate > 0)
    notice = rng.integers(5 * 86_400, 25 * 86_400, shape).astype("m8[s]")
    delay = rng.integers(8 * 86_400, 55 * 86_400, shape).astype("m8[s]")
    known_at = np.where(late, effective + delay, effective - notice)
    return Raises(rate, known_at, late, rng.random(shape) < 0.45)
