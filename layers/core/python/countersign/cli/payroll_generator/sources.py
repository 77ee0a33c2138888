"""The generated facts as the tables of the payroll sources: columns, order and types of the contract."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from countersign.cli.payroll_generator import events
from countersign.cli.payroll_generator.anomalies import inject
from countersign.cli.payroll_generator.countries import CONTRACTS, COUNTRIES, FREQUENCIES
from countersign.cli.payroll_generator.pay import payslips
from countersign.cli.payroll_generator.world import Ints, Times, World

TAINT = "_synthetic"
INSTANT = pa.timestamp("us", tz="UTC")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "payslips": (
        "payslip_id", "worker_id", "client_id", "country", "currency", "pay_frequency", "contract_type",
        "period_start", "period_end", "pay_date", "gross_pay_minor", "net_pay_minor", "deductions_minor",
        "bonus_minor", "deduction_lines", "revision", "known_at",
    ),
    "worker_changes": ("change_id", "worker_id", "client_id", "kind", "effective_date", "known_at"),
    "payroll_errors": (
        "error_id", "payslip_id", "worker_id", "client_id", "kind", "severity", "occurred_at", "known_at",
    ),
    "payroll_exceptions": ("exception_id", "worker_id", "client_id", "kind", "raised_at", "known_at"),
    "country_facts": ("country", "regulatory_change", "effective_date", "known_at"),
    "client_headcount": ("client_id", "headcount", "as_of_date", "known_at"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One source's rows, with what decides the file each row is delivered in."""

    table: pa.Table
    known_at: Times
    region: Ints


@dataclass(frozen=True, slots=True)
class History:
    """Everything up to the as-of instant, and the answer sheet that no file under `raw/` carries."""

    sources: Mapping[str, Part]
    truth: pa.Table


def history(world: World, *, anomalies: float) -> History:
    """Compute the sources as known at the as-of instant."""
    clock = world.clock
    paid = payslips(world)
    paid = paid[paid["pay_date"].to_numpy().astype("M8[D]") < clock.today].reset_index(drop=True)
    slips = inject(paid, world, rate=anomalies, stream="anomalies")
    slips["number"] = np.arange(len(slips))
    slips["revision"] = 0
    slips["known"] = _delivered(slips, world)
    found = events.confirmed_errors(slips, world, stream="errors")
    every = pd.concat([slips, events.corrections(slips, found, world)], ignore_index=True)
    changes, facts = events.worker_changes(world), events.country_facts(world)
    sources = {
        "payslips": _part(payslip_table(every, world), every, world),
        "worker_changes": _part(_change_table(changes, world), changes, world),
        "payroll_errors": _part(_error_table(found, slips, world), found, world),
        "payroll_exceptions": _exceptions(slips, world),
        "country_facts": _part(_fact_table(facts), facts, world),
        "client_headcount": _headcounts(world),
    }
    return History(sources, _truth(slips, found, world))


def _delivered(slips: pd.DataFrame, world: World) -> Times:
    """A payslip is known hours after pay day; two in a hundred are days late."""
    rng = world.clock.rng("delivered")
    late = rng.random(len(slips)) < 0.02
    days = rng.uniform(0.25, 0.85, len(slips)) + np.where(late, rng.integers(1, 5, len(slips)), 0)
    return events.midnight(slips["pay_date"]) + events.seconds(days)


def _part(table: pa.Table, frame: pd.DataFrame, world: World) -> Part:
    """Cut what is not known yet; tell the region by the worker's country where there is a worker."""
    known = frame["known"].to_numpy().astype("M8[s]")
    region = np.zeros(len(frame), dtype=np.int64)
    if "worker" in frame:
        regions = np.array([c.region for c in COUNTRIES])
        codes = np.unique(regions, return_inverse=True)[1]
        region = codes[world.workers.country[frame["worker"].to_numpy()]]
    seen = known <= world.clock.as_of
    return Part(table.filter(pa.array(seen)), known[seen], region[seen])


def identifiers(prefix: str, numbers: Ints, world: World, width: int) -> pa.Array:
    """`PREFIX-tag-000042`; the tag keeps two generated worlds apart in one store."""
    padded = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(f"{prefix}-{world.clock.tag}", padded, "-")


def _table(source: str, *columns: pa.Array) -> pa.Table:
    names = COLUMNS[source]
    taint = pa.array(np.ones(len(columns[0]), dtype=bool))
    return pa.table([*columns, taint], names=[*names, TAINT])


def _text(values: object) -> pa.Array:
    return pa.array(np.asarray(values, dtype=object), pa.string())


def _instants(values: object) -> pa.Array:
    return pa.array(np.asarray(values).astype("M8[us]")).cast(INSTANT)


def _labels(names: tuple[str, ...], codes: Ints) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(names)).cast(pa.string())


def payslip_table(slips: pd.DataFrame, world: World) -> pa.Table:
    """Rows of `payslips`. Needs number, revision and known beside what `inject` returns."""
    country = slips["country"].to_numpy()
    money = [
        pa.array(slips[name].to_numpy(np.int64)) for name in ("gross", "net", "deductions", "bonus")
    ]
    return _table(
        "payslips",
        identifiers("PS", slips["number"].to_numpy(), world, 7),
        identifiers("W", slips["worker"].to_numpy(), world, 5),
        identifiers("C", slips["client"].to_numpy(), world, 3),
        _labels(tuple(c.code for c in COUNTRIES), country),
        _labels(tuple(c.currency for c in COUNTRIES), country),
        _labels(FREQUENCIES, slips["frequency"].to_numpy()),
        _labels(CONTRACTS, slips["contract"].to_numpy()),
        _instants(slips["period_start"]),
        _instants(slips["period_end"]),
        _instants(slips["pay_date"]),
        *money,
        pa.array(slips["lines"].to_numpy(np.int64)),
        pa.array(slips["revision"].to_numpy(np.int64)),
        _instants(slips["known"]),
    )


def _change_table(changes: pd.DataFrame, world: World) -> pa.Table:
    return _table(
        "worker_changes",
        identifiers("CH", np.arange(len(changes)), world, 6),
        identifiers("W", changes["worker"].to_numpy(), world, 5),
        identifiers("C", changes["client"].to_numpy(), world, 3),
        _text(changes["kind"]),
        _instants(changes["effective"]),
        _instants(changes["known"]),
    )


def _error_table(found: pd.DataFrame, slips: pd.DataFrame, world: World) -> pa.Table:
    wrong = slips.iloc[found["row"].to_numpy()]
    found["worker"] = wrong["worker"].to_numpy()
    return _table(
        "payroll_errors",
        identifiers("ER", np.arange(len(found)), world, 6),
        identifiers("PS", wrong["number"].to_numpy(), world, 7),
        identifiers("W", wrong["worker"].to_numpy(), world, 5),
        identifiers("C", wrong["client"].to_numpy(), world, 3),
        _text(found["kind"]),
        _text(found["severity"]),
        _instants(found["occurred"]),
        _instants(found["known"]),
    )


def _exceptions(slips: pd.DataFrame, world: World) -> Part:
    raised = events.exceptions(slips, world)
    table = _table(
        "payroll_exceptions",
        identifiers("EX", np.arange(len(raised)), world, 6),
        identifiers("W", raised["worker"].to_numpy(), world, 5),
        identifiers("C", raised["client"].to_numpy(), world, 3),
        _text(raised["kind"]),
        _instants(raised["raised"]),
        _instants(raised["known"]),
    )
    return _part(table, raised, world)


def _fact_table(facts: pd.DataFrame) -> pa.Table:
    return _table(
        "country_facts",
        _labels(tuple(c.code for c in COUNTRIES), facts["country"].to_numpy()),
        _text(facts["change"]),
        _instants(facts["effective"]),
        _instants(facts["known"]),
    )


def _headcounts(world: World) -> Part:
    counts = events.headcounts(world)
    table = _table(
        "client_headcount",
        identifiers("C", counts["client"].to_numpy(), world, 3),
        pa.array(counts["headcount"].to_numpy(np.int64)),
        _instants(counts["day"]),
        _instants(counts["known"]),
    )
    return _part(table, counts, world)


def _truth(slips: pd.DataFrame, found: pd.DataFrame, world: World) -> pa.Table:
    """Every spoiled payslip that was delivered, also those that nobody has confirmed."""
    seen = slips["known"].to_numpy().astype("M8[s]") <= world.clock.as_of
    rows = np.flatnonzero((slips["kind"].to_numpy() != "") & seen)
    wrong = slips.iloc[rows]
    confirmed = found[found["known"].to_numpy().astype("M8[s]") <= world.clock.as_of]["row"]
    return pa.table(
        {
            "payslip_id": identifiers("PS", wrong["number"].to_numpy(), world, 7),
            "worker_id": identifiers("W", wrong["worker"].to_numpy(), world, 5),
            "kind": _text(wrong["kind"]),
            "confirmed": pa.array(np.isin(rows, confirmed.to_numpy())),
        }
    )
