"""The pay run about to be paid: scoring requests, the answer sheet apart, and outcomes for later."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from countersign.cli.payroll_generator import events
from countersign.cli.payroll_generator.anomalies import inject
from countersign.cli.payroll_generator.countries import COUNTRIES
from countersign.cli.payroll_generator.pay import payslips, settle
from countersign.cli.payroll_generator.sources import payslip_table
from countersign.cli.payroll_generator.world import Bools, World, build_world

Row = dict[str, Any]

_BODY = (
    "payslip_id", "period_start", "period_end", "pay_date", "currency", "gross_pay_minor",
    "net_pay_minor", "deductions_minor", "bonus_minor", "deduction_lines",
)  # fmt: skip
_FIRST_DRAFT_NUMBER = 9_000_000
_DELIVERED_AFTER_DAYS = 6


@dataclass(frozen=True, slots=True)
class Drafts:
    """Rows in one order: `truth[i]` and `requests[i]` are of one payslip. No truth in a request.

    `outcomes` hold what becomes known of each payslip: `label`, of pay day `at`, learned `known_at`.
    """

    requests: tuple[Row, ...]
    truth: tuple[Row, ...]
    outcomes: tuple[Row, ...]


def drafts(
    *,
    seed: int,
    workers: int,
    months: int,
    as_of: datetime,
    anomalies: float = 0.04,
    drift: str = "none",
    newcomers: bool = False,
) -> Drafts:
    """Each employed worker's next payslip after `as_of`, of the same world as `generate` makes.

    Workers whom no delivered payslip mentions yet are left out unless `newcomers`. `drift` is a name of `DRIFTS`: a change in the world that is no error and that no model has seen.

    Raises
    ------
    ValueError      unknown drift, or an argument that `generate` would refuse
    """
    if drift not in DRIFTS:
        raise ValueError(f"drift must be one of {', '.join(DRIFTS)}")
    world = build_world(seed=seed, workers=workers, months=months, as_of=as_of)
    every = payslips(world)
    pay_date = every["pay_date"].to_numpy().astype("M8[D]")
    run = every[pay_date >= world.clock.today].drop_duplicates("worker").reset_index(drop=True)
    if not newcomers:
        paid = (every["active"] > 0) & (pay_date < world.clock.today - _DELIVERED_AFTER_DAYS)
        run = run[run["worker"].isin(every[paid]["worker"])].reset_index(drop=True)
    DRIFTS[drift](run, world)
    run = inject(run, world, rate=anomalies, stream=f"draft-anomalies-{drift}")
    first = _FIRST_DRAFT_NUMBER + list(DRIFTS).index(drift) * 100_000
    mixed_up = world.clock.rng("draft-order").permutation(len(run))
    run = run.iloc[mixed_up].reset_index(drop=True)
    run["number"] = np.arange(first, first + len(run))
    run["revision"], run["known"] = 0, world.clock.as_of
    return _drafts(run, world)


def _drafts(run: pd.DataFrame, world: World) -> Drafts:
    table = payslip_table(run, world)
    rows: list[Row] = _with_text_instants(table).to_pylist()
    kinds = run["kind"].tolist()
    found = events.confirmed_errors(run, world, stream="draft-errors")
    known_at = dict(zip(found["row"], found["known"].to_numpy().astype("M8[s]"), strict=True))
    settled = events.midnight(run["pay_date"]) + events.seconds(np.full(len(run), 45.0))
    ids = ("payslip_id", "worker_id", "country")
    return Drafts(
        requests=tuple(
            {
                **{name: row[name] for name in ("worker_id", "client_id", "country")},
                "payslip": {name: row[name] for name in _BODY},
                "idempotency_key": f"synthetic-{row['payslip_id']}",
            }
            for row in rows
        ),
        truth=tuple(
            {name: row[name] for name in ids} | {"anomaly": bool(kind), "kind": kind}
            for row, kind in zip(rows, kinds, strict=True)
        ),
        outcomes=tuple(
            {name: row[name] for name in ids}
            | {
                "label": position in known_at,
                "kind": kinds[position] if position in known_at else "",
                "at": row["pay_date"],
                "known_at": f"{known_at.get(position, settled[position])}Z",
            }
            for position, row in enumerate(rows)
        ),
    )


def _with_text_instants(table: pa.Table) -> pa.Table:
    for index, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type):
            whole = table[column.name].to_numpy().astype("M8[s]")
            text = pa.array([f"{instant}Z" for instant in whole])
            table = table.set_column(index, column.name, text)
    return table


def write_drafts(out: Path, made: Drafts, *, name: str) -> Path:
    """`out/drafts/<name>/{requests,truth,outcomes}.jsonl`, one JSON object a line."""
    folder = out / "drafts" / name
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("requests", "truth", "outcomes"):
        lines = [json.dumps(row, separators=(",", ":")) + "\n" for row in getattr(made, part)]
        (folder / f"{part}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def _in_countries(run: pd.DataFrame, *codes: str) -> Bools:
    named: Bools = np.array([c.code in codes for c in COUNTRIES])
    return np.asarray(named[run["country"].to_numpy()])


def _multiply(run: pd.DataFrame, factor: Any) -> None:
    for name in ("full", "regular", "bonus", "gross"):
        scaled = run[name] * factor
        run[name] = np.round(scaled).astype(np.int64) if name in ("bonus", "gross") else scaled
    settle(run)


def _no_drift(_: pd.DataFrame, __: World) -> None:
    """The world as it was."""


def _pay_jump(run: pd.DataFrame, _: World) -> None:
    """An indexation of 40 % in five countries at once."""
    _multiply(run, np.where(_in_countries(run, "US", "BR", "MX", "IN", "PL"), 1.4, 1.0))


def _redenomination(run: pd.DataFrame, _: World) -> None:
    """Brazil and India drop two zeros; Japan starts to state hundredths."""
    drops, adds = _in_countries(run, "BR", "IN"), _in_countries(run, "JP")
    _multiply(run, np.select([drops, adds], [0.01, 100.0], 1.0))


def _deduction_lines(run: pd.DataFrame, world: World) -> None:
    """A levy everywhere: three to five more lines on each payslip, and six points less net."""
    rng = world.clock.rng("new-levy")
    run["lines"] = run["lines"] + rng.integers(3, 6, len(run))
    run["rate"] = np.minimum(run["rate"] + 0.06, 0.85)
    settle(run)


def _mixed(run: pd.DataFrame, world: World) -> None:
    """All three in one month."""
    for change in (_pay_jump, _redenomination, _deduction_lines):
        change(run, world)


DRIFTS: Mapping[str, Callable[[pd.DataFrame, World], None]] = {
    "none": _no_drift,
    "pay_jump": _pay_jump,
    "redenomination": _redenomination,
    "deduction_lines": _deduction_lines,
    "mixed": _mixed,
}
