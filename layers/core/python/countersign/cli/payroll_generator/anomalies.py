"""Eleven ways a payslip goes wrong, each chosen among the rows where it could really happen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from countersign.cli.payroll_generator.countries import COUNTRIES
from countersign.cli.payroll_generator.pay import settle
from countersign.cli.payroll_generator.world import NEVER, Bools, Floats, Times, World

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of error: its share among errors, where it can strike, what it does to the rows.

    `found_after_days` is the median delay until somebody confirms it; `extra` kinds add a payslip.
    """

    share: float
    found_after_days: float
    eligible: Callable[[pd.DataFrame, World], Bools]
    strike: Callable[[pd.DataFrame, Rng], None]
    extra: bool = False


def inject(slips: pd.DataFrame, world: World, *, rate: float, stream: str) -> pd.DataFrame:
    """Spoil about `rate` of the paid rows; the result holds only rows that are paid.

    Adds `kind` ("" where the payslip is right) and the right money in `true_gross`,
    `true_deductions`, `true_bonus`. Rows of more error-prone clients are hit more often.
    """
    rng = world.clock.rng(stream)
    slips = slips.assign(kind="", true_gross=slips["gross"], true_bonus=slips["bonus"])
    slips["true_deductions"] = slips["deductions"]
    wanted = rate * float((slips["active"] > 0).sum())
    free = np.ones(len(slips), dtype=bool)
    proneness = world.clients.proneness[slips["client"].to_numpy()]
    added: list[pd.DataFrame] = []
    for name, kind in KINDS.items():
        rows = np.flatnonzero(free & kind.eligible(slips, world))
        count = min(round(wanted * kind.share), len(rows))
        weight = proneness[rows] / max(float(proneness[rows].sum()), 1e-9)
        picked = np.sort(rng.choice(rows, count, replace=False, p=weight)) if count else rows[:0]
        free[picked] = False
        struck = slips.iloc[picked].copy()
        struck["kind"] = name
        kind.strike(struck, rng)
        if kind.extra:
            added.append(struck)
        else:
            slips.iloc[picked] = struck
    paid = slips[(slips["active"] > 0) | (slips["kind"] != "")]
    return pd.concat([paid, *added]).sort_values(
        ["pay_date", "worker"], kind="stable", ignore_index=True
    )


def _minor_digits(slips: pd.DataFrame) -> Floats:
    digits: Floats = np.array([float(c.minor_digits) for c in COUNTRIES])
    return np.asarray(digits[slips["country"].to_numpy()])


def _paid(slips: pd.DataFrame, _: World) -> Bools:
    return np.asarray((slips["active"] > 0) & (slips["gross"] > 0))


def _has_deductions(slips: pd.DataFrame, _: World) -> Bools:
    return np.asarray((slips["active"] > 0) & (slips["gross"] > 0) & (slips["rate"] > 0.05))


def _got_a_raise(slips: pd.DataFrame, _: World) -> Bools:
    raised = (slips["level_raise"] > 0) & (slips["short"] == 0)
    return np.asarray((slips["active"] > 0) & (slips["gross"] > 0) & raised)


def _got_a_bonus(slips: pd.DataFrame, _: World) -> Bools:
    return np.asarray((slips["active"] > 0) & (slips["gross"] > 0) & (slips["bonus"] > 0))


def _joined_or_left(slips: pd.DataFrame, _: World) -> Bools:
    partial = slips["active"].between(0.05, 0.85) & (slips["bonus"] == 0)
    return np.asarray((slips["gross"] > 0) & partial)


def _just_left(slips: pd.DataFrame, world: World) -> Bools:
    """The two months after the last day, before any return."""
    worker = slips["worker"].to_numpy()
    left, back = world.workers.left[worker], world.workers.rehired[worker]
    start: Times = slips["period_start"].to_numpy().astype("M8[D]")
    gone = (left != NEVER) & (start >= left) & (start < left + 62) & (start < back)
    return np.asarray(gone & (slips["active"] == 0).to_numpy())


def _scale(slips: pd.DataFrame, factor: Floats) -> None:
    slips["gross"] = np.round(slips["gross"] * factor).astype(np.int64)
    settle(slips)


def _wrong_decimal(slips: pd.DataFrame, rng: Rng) -> None:
    _scale(slips, rng.choice(np.array([10.0, 0.1, 100.0]), len(slips), p=[0.45, 0.5, 0.05]))


def _duplicate(slips: pd.DataFrame, rng: Rng) -> None:
    later = rng.integers(0, 4, len(slips)).astype("m8[D]")
    slips["pay_date"] = slips["pay_date"].to_numpy().astype("M8[D]") + later
    for name in ("true_gross", "true_deductions", "true_bonus"):
        slips[name] = 0


def _missed_raise(slips: pd.DataFrame, _: Rng) -> None:
    regular = slips["gross"] - slips["bonus"]
    missing = regular * slips["level_raise"] / (1 + slips["level_raise"])
    slips["gross"] = np.round(slips["gross"] - missing).astype(np.int64)
    settle(slips)


def _wrong_deduction(slips: pd.DataFrame, rng: Rng) -> None:
    """Nothing deducted, too little, or too much; in half of the cases the lines show it too."""
    size = len(slips)
    little, much = rng.uniform(0.35, 0.8, size), rng.uniform(1.2, 1.9, size)
    factor = np.choose(rng.choice(3, size, p=[0.15, 0.4, 0.45]), [np.zeros(size), little, much])
    share = np.minimum(slips["rate"].to_numpy() * factor, 0.85)
    slips["deductions"] = np.round(slips["gross"].to_numpy() * share).astype(np.int64)
    slips["net"] = slips["gross"] - slips["deductions"]
    moved = np.where(factor < 1, -rng.integers(1, 4, size), rng.integers(1, 5, size))
    shown = rng.random(size) < 0.5
    slips["lines"] = np.maximum(slips["lines"].to_numpy() + moved * shown, 0)


def _net_gross_swapped(slips: pd.DataFrame, _: Rng) -> None:
    gross = slips["gross"].to_numpy().copy()
    slips["gross"] = slips["net"].to_numpy().copy()
    slips["net"] = gross


def _bonus_twice(slips: pd.DataFrame, _: Rng) -> None:
    slips["gross"] = slips["gross"] + slips["bonus"]
    slips["bonus"] = slips["bonus"] * 2
    settle(slips)


def _paid_after_leaving(slips: pd.DataFrame, _: Rng) -> None:
    slips["bonus"] = 0
    slips["gross"] = np.round(slips["full"] * slips["hours"]).astype(np.int64)
    slips["active"] = 1.0
    settle(slips)
    for name in ("true_gross", "true_deductions", "true_bonus"):
        slips[name] = 0


def _wrong_currency_scale(slips: pd.DataFrame, rng: Rng) -> None:
    """Read with another currency's decimals, or the dollar amount paid as local money."""
    digits = _minor_digits(slips)
    hundredfold = np.where(rng.random(len(slips)) < 0.5, 100.0, 0.01)
    dollars = np.array([c.usd_rate for c in COUNTRIES])[slips["country"].to_numpy()]
    foreign = (rng.random(len(slips)) < 0.4) & (dollars != 1.0)
    by_digits = np.select([digits == 0, digits == 3], [100.0, 0.1], hundredfold)
    _scale(slips, np.where(foreign & (digits == 2), dollars, by_digits))


def _zero_pay(slips: pd.DataFrame, _: Rng) -> None:
    for name in ("gross", "net", "deductions", "bonus"):
        slips[name] = 0


def _missed_proration(slips: pd.DataFrame, _: Rng) -> None:
    slips["gross"] = np.round(slips["full"] * slips["hours"]).astype(np.int64)
    settle(slips)


def _hours_typo(slips: pd.DataFrame, rng: Rng) -> None:
    up, down = rng.uniform(1.15, 1.7, len(slips)), rng.uniform(0.45, 0.85, len(slips))
    regular = slips["gross"] - slips["bonus"]
    changed = regular * np.where(rng.random(len(slips)) < 0.7, up, down)
    slips["gross"] = np.round(changed + slips["bonus"]).astype(np.int64)
    settle(slips)


# The rarest opportunities choose first, so that a busy row does not starve them.
KINDS: Mapping[str, Kind] = {
    "paid_after_leaving": Kind(0.06, 25, _just_left, _paid_after_leaving),
    "missed_proration": Kind(0.04, 30, _joined_or_left, _missed_proration),
    "missed_raise": Kind(0.10, 30, _got_a_raise, _missed_raise),
    "bonus_paid_twice": Kind(0.08, 18, _got_a_bonus, _bonus_twice),
    "duplicate_payment": Kind(0.12, 12, _paid, _duplicate, extra=True),
    "wrong_decimal": Kind(0.11, 5, _paid, _wrong_decimal),
    "wrong_deduction": Kind(0.16, 22, _has_deductions, _wrong_deduction),
    "net_gross_swapped": Kind(0.08, 10, _has_deductions, _net_gross_swapped),
    "wrong_currency_scale": Kind(0.08, 5, _paid, _wrong_currency_scale),
    "zero_pay": Kind(0.08, 3, _paid, _zero_pay),
    "hours_typo": Kind(0.09, 20, _paid, _hours_typo),
}
