"""What surrounds pay: confirmed errors, corrections, exceptions, worker changes, headcounts, rules."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from countersign.cli.payroll_generator.anomalies import KINDS
from countersign.cli.payroll_generator.countries import COUNTRIES
from countersign.cli.payroll_generator.pay import regulatory_steps
from countersign.cli.payroll_generator.world import NEVER, Ints, Times, World

DAY = 86_400
_CONFIRMED, _CORRECTED = 0.94, 0.85
_EXCEPTIONS = ("late_input", "missing_timesheet", "bank_rejected", "tax_id_missing", "cost_center")


Spans = npt.NDArray[np.timedelta64]


def seconds(days: Any) -> Spans:
    """Days, as a float array, to timedelta64[s]."""
    return np.asarray(np.round(np.asarray(days) * DAY)).astype("m8[s]")


def midnight(values: Any) -> Times:
    return np.asarray(values).astype("M8[D]").astype("M8[s]")


def confirmed_errors(slips: pd.DataFrame, world: World, *, stream: str) -> pd.DataFrame:
    """The errors that somebody confirmed, weeks after pay day; some are never found.

    `row` is the position in `slips`; `known` the instant of confirmation.
    """
    rng = world.clock.rng(stream)
    rows = np.flatnonzero(slips["kind"].to_numpy() != "")
    wrong = slips.iloc[rows]
    median = wrong["kind"].map({name: kind.found_after_days for name, kind in KINDS.items()})
    delay = median.to_numpy(dtype=float) * rng.lognormal(0.0, 0.5, len(rows))
    size = (wrong["gross"] - wrong["true_gross"]).abs() / wrong["true_gross"].clip(lower=1)
    severity = np.select(
        [size > 0.9, size > 0.3, size > 0.08], ["critical", "high", "medium"], "low"
    )
    errors = pd.DataFrame(
        {
            "row": rows,
            "kind": wrong["kind"].to_numpy(),
            "severity": severity,
            "occurred": midnight(wrong["pay_date"]),
            "known": midnight(wrong["pay_date"]) + seconds(np.clip(delay, 1.5, 90)),
        }
    )
    return errors[rng.random(len(rows)) < _CONFIRMED].reset_index(drop=True)


def corrections(slips: pd.DataFrame, errors: pd.DataFrame, world: World) -> pd.DataFrame:
    """Revisions of payslips: of confirmed errors, and of raises that were learned late."""
    rng = world.clock.rng("corrections")
    fixed = errors[rng.random(len(errors)) < _CORRECTED]
    wrong = slips.iloc[fixed["row"].to_numpy()].copy()
    wrong["gross"], wrong["bonus"] = wrong["true_gross"], wrong["true_bonus"]
    wrong["deductions"] = wrong["true_deductions"]
    wrong["known"] = fixed["known"].to_numpy() + seconds(rng.uniform(0.5, 10, len(wrong)))
    owed = slips[slips["settled_at"].notna() & (slips["short"] > 0) & (slips["kind"] == "")].copy()
    owed["gross"] = owed["gross"] + np.round(owed["short"]).astype(np.int64)
    owed["deductions"] = np.round(owed["gross"] * owed["rate"]).astype(np.int64)
    learned = np.maximum(owed["settled_at"].to_numpy().astype("M8[s]"), midnight(owed["pay_date"]))
    owed["known"] = learned + seconds(rng.uniform(1, 12, len(owed)))
    both = pd.concat([wrong, owed])
    both["net"] = both["gross"] - both["deductions"]
    both["revision"] = 1
    return both


def exceptions(slips: pd.DataFrame, world: World) -> pd.DataFrame:
    """Exceptions raised in the days before a pay run; likelier where something then went wrong."""
    rng = world.clock.rng("exceptions")
    proneness = world.clients.proneness[slips["client"].to_numpy()]
    chance = np.where(slips["kind"] != "", 0.3, 0.015 * np.clip(proneness, 0.2, 4))
    struck = slips[rng.random(len(slips)) < chance]
    raised = midnight(struck["pay_date"]) - seconds(rng.uniform(1, 7, len(struck)))
    heard = np.where(rng.random(len(struck)) < 0.1, rng.uniform(0.5, 4, len(struck)), 0.05)
    return pd.DataFrame(
        {
            "worker": struck["worker"].to_numpy(),
            "client": struck["client"].to_numpy(),
            "kind": np.array(_EXCEPTIONS)[rng.choice(len(_EXCEPTIONS), len(struck))],
            "raised": raised,
            "known": raised + seconds(heard),
        }
    )


def worker_changes(world: World) -> pd.DataFrame:
    """Hires, leaves, rehires, raises and smaller changes, each with the day it took effect."""
    rng, workers = world.clock.rng("changes"), world.workers
    every = np.arange(len(workers.country))
    start, end = world.clock.start, world.clock.end
    parts = []
    for kind, day in (
        ("hire", workers.hired),
        ("leave", workers.left),
        ("rehire", workers.rehired),
    ):
        who = every[(day >= start) & (day <= end) & (day != NEVER)]
        parts.append(_changes(kind, who, day[who], rng.uniform(-20, 4, len(who))))
    who, month = np.nonzero(world.raises.rate > 0)
    first = (start.astype("M8[M]") + month).astype("M8[D]")
    raised = _changes("raise", who, first, np.zeros(len(who)))
    parts.append(raised.assign(known=world.raises.known_at[who, month]))
    days = int((end - start).astype(int))
    for kind, yearly in (("contract", 0.05), ("address", 0.12), ("bank", 0.10)):
        count = rng.poisson(yearly * len(every) * days / 365)
        on = start + rng.integers(0, days, count).astype("m8[D]")
        parts.append(_changes(kind, rng.choice(every, count), on, rng.uniform(-10, 6, count)))
    found = pd.concat(parts, ignore_index=True)
    who = found["worker"].to_numpy()
    day = found["effective"].to_numpy().astype("M8[D]")
    gone = (day > workers.left[who]) & (day < workers.rehired[who])
    employed = (day >= workers.hired[who]) & ~gone
    kept: pd.DataFrame = found[employed]
    return kept.assign(client=workers.client[who[employed]])


def _changes(kind: str, who: Ints, day: Times, known_after_days: Any) -> pd.DataFrame:
    known = midnight(day) + seconds(np.asarray(known_after_days) + 0.4)
    return pd.DataFrame({"worker": who, "kind": kind, "effective": day, "known": known})


def headcounts(world: World) -> pd.DataFrame:
    """Employed workers of each client on the first of each month."""
    workers, clock = world.workers, world.clock
    firsts = (clock.start.astype("M8[M]") + np.arange(clock.months)).astype("M8[D]")
    rows = []
    for day in firsts:
        here = (workers.hired <= day) & (day < workers.left) | (workers.rehired <= day)
        rows.append(np.bincount(workers.client[here], minlength=len(world.clients.home)))
    counts = np.array(rows)
    client = np.tile(np.arange(counts.shape[1]), len(firsts))
    day = np.repeat(firsts, counts.shape[1])
    known = midnight(day) + seconds(world.clock.rng("headcounts").uniform(1.2, 4, len(day)))
    return pd.DataFrame({"client": client, "headcount": counts.ravel(), "day": day, "known": known})


def country_facts(world: World) -> pd.DataFrame:
    """Regulatory changes, mostly announced ahead; a few become known after they took effect."""
    rng, clock = world.clock.rng("facts"), world.clock
    country, month = np.nonzero(regulatory_steps(world))
    day = (clock.start.astype("M8[M]") + month).astype("M8[D]")
    ahead = np.where(
        rng.random(len(day)) < 0.1, rng.uniform(2, 20, len(day)), -rng.uniform(20, 80, len(day))
    )
    codes: Sequence[str] = [COUNTRIES[index].code for index in country]
    names = [f"{code}-{str(on)[:7]}" for code, on in zip(codes, day, strict=True)]
    return pd.DataFrame(
        {
            "country": country,
            "change": names,
            "effective": day,
            "known": midnight(day) + seconds(ahead),
        }
    )
