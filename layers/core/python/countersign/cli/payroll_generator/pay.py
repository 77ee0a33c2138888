"""Gross to net: every payslip of every worker as it should have been, and as raises were known."""

import numpy as np
import pandas as pd

from countersign.cli.payroll_generator.countries import (
    CONTRACTS,
    COUNTRIES,
    FREQUENCIES,
    PAYS_PER_YEAR,
)
from countersign.cli.payroll_generator.schedule import pay_runs
from countersign.cli.payroll_generator.world import NEVER, Floats, Times, World

_LATE_MONTHS = 3


def payslips(world: World) -> pd.DataFrame:
    """One row per worker and pay run, first revision, in order of (worker, pay date).

    `active` is the share of the period the worker was employed; rows with 0 are kept, because a
    payslip after leaving is one of the errors. Money in minor units; `known_at` datetime64[s].
    """
    slips = _calendar(world)
    _employed(slips, world)
    _regular(slips, world)
    _bonuses(slips, world)
    _late_raises(slips, world)
    _to_net(slips, world)
    return slips


def _calendar(world: World) -> pd.DataFrame:
    """Cross the workers of each country and frequency with its pay runs."""
    workers, clock = world.workers, world.clock
    parts: list[dict[str, np.ndarray]] = []
    for country, rules in enumerate(COUNTRIES):
        for frequency, name in enumerate(FREQUENCIES):
            people = np.flatnonzero((workers.country == country) & (workers.frequency == frequency))
            runs = pay_runs(rules, name, clock.start, clock.end)
            parts.append(
                {
                    "worker": np.repeat(people, len(runs)),
                    "period_start": np.tile(runs.period_start, len(people)),
                    "period_end": np.tile(runs.period_end, len(people)),
                    "pay_date": np.tile(runs.pay_date, len(people)),
                }
            )
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((joined["pay_date"], joined["worker"]))
    slips = pd.DataFrame({name: values[order] for name, values in joined.items()})
    worker = slips["worker"].to_numpy()
    for field in ("country", "client", "frequency", "contract"):
        slips[field] = getattr(workers, field)[worker]
    slips["month"] = clock.month_of(_days(slips, "pay_date"))
    return slips


def _days(slips: pd.DataFrame, name: str) -> Times:
    return slips[name].to_numpy().astype("M8[D]")


def _employed(slips: pd.DataFrame, world: World) -> None:
    workers, worker = world.workers, slips["worker"].to_numpy()
    first, last = _days(slips, "period_start"), _days(slips, "period_end") + 1
    total = (last - first).astype(float)

    def days_between(start: Times, stop: Times) -> Floats:
        overlap = np.minimum(last, stop) - np.maximum(first, start)
        return np.asarray(np.maximum(overlap.astype(float), 0.0))

    never = np.full(len(slips), NEVER)
    days = days_between(workers.hired[worker], workers.left[worker])
    days += days_between(workers.rehired[worker], never)
    slips["active"] = days / total
    since = (_days(slips, "pay_date") - workers.hired[worker]).astype(float)
    slips["served_months"] = np.maximum(since / 30.4, 0.0)


def _regular(slips: pd.DataFrame, world: World) -> None:
    """Base pay of the period, with raises in force, hours that vary and unpaid leave."""
    rng, workers = world.clock.rng("hours"), world.workers
    worker, month = slips["worker"].to_numpy(), slips["month"].to_numpy()
    level = np.cumprod(1 + world.raises.rate, axis=1)[worker, month]
    yearly = np.array([PAYS_PER_YEAR[name] for name in FREQUENCIES])
    full = workers.base[worker] * level * 12 / yearly[workers.frequency[worker]]
    hours = np.exp(workers.noise[worker] * rng.standard_normal(len(slips)))
    unpaid = np.where(rng.random(len(slips)) < 0.012, rng.uniform(0.5, 0.95, len(slips)), 1.0)
    slips["full"] = full
    slips["level_raise"] = world.raises.rate[worker, month]
    slips["hours"] = hours * unpaid
    slips["regular"] = full * slips["hours"] * slips["active"]


def _bonuses(slips: pd.DataFrame, world: World) -> None:
    """13th-month pay by country, a yearly bonus by client, spot bonuses; first run of a month."""
    rng, workers = world.clock.rng("bonus"), world.workers
    worker = slips["worker"].to_numpy()
    calendar = _days(slips, "pay_date").astype("M8[M]").astype(np.int64) % 12 + 1
    first_run = ~slips.duplicated(["worker", "month"]).to_numpy()
    table = np.array([[c.extra_months.get(m, 0.0) for m in range(13)] for c in COUNTRIES])
    served = np.minimum(slips["served_months"].to_numpy() / 12, 1.0)
    contractor = slips["contract"].to_numpy() == CONTRACTS.index("contractor")
    extra = table[workers.country[worker], calendar] * served * first_run * ~contractor
    months_of_client = world.clients.bonus_month[workers.client[worker]]
    yearly = workers.bonus_share[worker] * (months_of_client == calendar) * first_run
    yearly = yearly * (slips["served_months"].to_numpy() > 6) * rng.uniform(0.7, 1.3, len(slips))
    spot = np.where(rng.random(len(slips)) < 0.006, rng.uniform(0.1, 0.6, len(slips)), 0.0)
    pays = np.array([PAYS_PER_YEAR[name] for name in FREQUENCIES])[slips["frequency"].to_numpy()]
    monthly = slips["full"].to_numpy() * pays / 12
    slips["bonus"] = np.round(monthly * (extra + yearly + spot)) * (slips["active"] > 0)


def _late_raises(slips: pd.DataFrame, world: World) -> None:
    """Pay at the old level until a late raise was known; then a lump sum or a revision.

    `short` is what the first revision of the payslip lacks and `settled_at` when a correction of
    it becomes known (NaT where it was settled by a lump sum in a later payslip).
    """
    raises, worker = world.raises, slips["worker"].to_numpy()
    month = slips["month"].to_numpy()
    paid_on = _days(slips, "pay_date").astype("M8[s]")
    before = np.roll(paid_on, 1)
    before[np.r_[True, worker[1:] != worker[:-1]]] = np.datetime64("1970-01-01", "s")
    regular = slips["regular"].to_numpy()
    short, lump = np.zeros(len(slips)), np.zeros(len(slips))
    settled_at = np.full(len(slips), np.datetime64("NaT", "s"))
    for lag in range(_LATE_MONTHS):
        event = np.maximum(month - lag, 0)
        known = raises.known_at[worker, event]
        late = raises.late[worker, event] & (month >= lag)
        missing = np.where(
            late & (known > paid_on), regular * _gap(raises.rate[worker, event]), 0.0
        )
        short += missing
        pays_lump = late & raises.lump[worker, event]
        owed = np.zeros(raises.rate.shape)
        np.add.at(owed, (worker, event), missing * pays_lump)
        due = pays_lump & (known <= paid_on) & (known > before)
        lump += np.where(due, owed[worker, event], 0.0)
        settled_at = np.where((missing > 0) & ~pays_lump, known, settled_at)
    slips["short"], slips["lump"], slips["settled_at"] = short, lump, settled_at


def _gap(rate: Floats) -> Floats:
    return rate / (1 + rate)


def _to_net(slips: pd.DataFrame, world: World) -> None:
    """Deductions grow with the level of pay and move a little with each regulatory change."""
    workers, worker = world.workers, slips["worker"].to_numpy()
    country = workers.country[worker]
    base = np.array([c.deduction_rate for c in COUNTRIES])[country]
    slope = np.array([c.deduction_slope for c in COUNTRIES])[country]
    median = np.array([c.monthly_median * 10**c.minor_digits for c in COUNTRIES])[country]
    level = workers.base[worker] / median
    shift = regulation(world)[country, slips["month"].to_numpy()]
    rate = np.clip(
        base + slope * np.log(level) + workers.deduction_offset[worker] + shift, 0.01, 0.6
    )
    contractor = workers.contract[worker] == CONTRACTS.index("contractor")
    slips["rate"] = np.where(contractor, 0.01, rate)
    lines = np.array([c.deduction_lines for c in COUNTRIES])[country] + workers.extra_lines[worker]
    wobble = world.clock.rng("lines").random(len(slips)) < 0.03
    slips["lines"] = np.where(contractor, 1, lines + wobble)
    slips["bonus"] = slips["bonus"].astype(np.int64)
    gross = slips["regular"] - slips["short"] + slips["lump"] + slips["bonus"]
    slips["gross"] = np.round(gross).astype(np.int64)
    settle(slips)


def settle(slips: pd.DataFrame) -> None:
    """Deductions and net from gross, at the row's rate."""
    slips["deductions"] = np.round(slips["gross"] * slips["rate"]).astype(np.int64)
    slips["net"] = slips["gross"] - slips["deductions"]


def regulation(world: World) -> Floats:
    """Cumulative shift of the deduction rate, shape (n_countries, n_months)."""
    return np.cumsum(regulatory_steps(world), axis=1)


def regulatory_steps(world: World) -> Floats:
    """The shift that takes effect in each country and month; 0 where nothing changes."""
    rng = world.clock.rng("regulation")
    shape = (len(COUNTRIES), world.clock.months)
    changes = rng.random(shape) < 0.18
    return np.where(changes, rng.normal(0.0, 0.004, shape), 0.0)
