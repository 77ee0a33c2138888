"""Annual earnings as payroll sources, and the coverage table: what a file states and what it lacks."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pyarrow as pa

from countersign.cli.importers.earnings_formats import COMPONENTS
from countersign.cli.importers.earnings_rows import Earning
from countersign.cli.payroll_generator.sources import COLUMNS, INSTANT, TAINT

Row = dict[str, Any]
How = Literal["stated", "derived", "assumed", "absent"]

_INTEGERS = {"revision", "deduction_lines", "headcount"}
_INSTANTS = {
    "period_start",
    "period_end",
    "pay_date",
    "effective_date",
    "occurred_at",
    "as_of_date",
    "known_at",
}


@dataclass(frozen=True, slots=True)
class Slip:
    """One annual payslip on its way to a table. `kind` names an injected error, "" otherwise."""

    earning: Earning
    worker_id: str
    basis: str
    payslip_id: str
    kind: str = ""

    @property
    def client_id(self) -> str:
        return client_id(self.earning.department)


# What of each source an annual earnings file gives; "absent" is null in every row.
COVERAGE: Mapping[str, Mapping[str, tuple[How, str]]] = {
    "payslips": {
        "payslip_id": ("derived", "year and worker id"),
        "worker_id": ("derived", "NAME, with department and title where a name token is shared"),
        "client_id": ("derived", "department, as a slug"),
        "country": ("assumed", "US: the files are of one American city"),
        "currency": ("assumed", "USD: $ in two of the files, none in the others"),
        "pay_frequency": ("derived", "annual: one row is one year's total"),
        "contract_type": ("absent", "titles hint at it and are not a contract"),
        "period_start": ("derived", "1 January of the file's year"),
        "period_end": ("derived", "31 December of the file's year"),
        "pay_date": ("assumed", "31 December: the total is complete then; no date is stated"),
        "gross_pay_minor": ("stated", "TOTAL EARNINGS"),
        "net_pay_minor": ("absent", "the files state gross only"),
        "deductions_minor": ("absent", "the files state gross only"),
        "bonus_minor": ("derived", "OTHER, the only column of one-off pay; a blank is 0, or the row would not add up"),
        "deduction_lines": ("absent", "the files state gross only"),
        "revision": ("assumed", "0: a published total has no history of corrections"),
        "known_at": ("assumed", "the year's end in Boston plus `published_after`; no date is stated"),
    },
    "worker_changes": {
        "change_id": ("derived", "year and worker id"),
        "worker_id": ("derived", "as in payslips"),
        "client_id": ("derived", "as in payslips"),
        "kind": ("derived", "contract: title or department differ from the year before"),
        "effective_date": ("assumed", "31 December of the later year: it happened by then"),
        "known_at": ("assumed", "as in payslips"),
    },
    "client_headcount": {
        "client_id": ("derived", "as in payslips"),
        "headcount": ("derived", "rows of the department in the year: people paid, not posts"),
        "as_of_date": ("assumed", "31 December of the file's year"),
        "known_at": ("assumed", "as in payslips"),
    },
    "payroll_errors": dict.fromkeys(COLUMNS["payroll_errors"], ("absent", "no file says which pay was wrong")),
    "payroll_exceptions": dict.fromkeys(COLUMNS["payroll_exceptions"], ("absent", "not published")),
    "country_facts": dict.fromkeys(COLUMNS["country_facts"], ("absent", "not published")),
}  # fmt: skip


def client_id(department: str) -> str:
    """`Boston Cntr - Youth & Families` → `boston-cntr-youth-families`."""
    return re.sub(r"[^a-z0-9]+", "-", department.casefold()).strip("-")


def year_end(year: int) -> datetime:
    """31 December, midnight UTC."""
    return datetime(year, 12, 31, tzinfo=UTC)


def known_at(year: int, published_after: timedelta) -> datetime:
    """New Year's midnight in Boston, plus the lag of publication."""
    return datetime(year + 1, 1, 1, 5, tzinfo=UTC) + published_after


def payslip_row(slip: Slip, published_after: timedelta) -> Row:
    """A row of `payslips`; what the file lacks is None."""
    earning = slip.earning
    return {
        "payslip_id": slip.payslip_id,
        "worker_id": slip.worker_id,
        "client_id": slip.client_id,
        "country": "US",
        "currency": "USD",
        "pay_frequency": "annual",
        "contract_type": None,
        "period_start": datetime(earning.year, 1, 1, tzinfo=UTC),
        "period_end": year_end(earning.year),
        "pay_date": year_end(earning.year),
        "gross_pay_minor": earning.total,
        "net_pay_minor": None,
        "deductions_minor": None,
        "bonus_minor": earning.components[COMPONENTS.index("other")] or 0,
        "deduction_lines": None,
        "revision": 0,
        "known_at": known_at(earning.year, published_after),
    }


def component_row(slip: Slip) -> Row:
    """What the contract has no column for: the seven components, and where the row stood."""
    earning = slip.earning
    amounts = zip(COMPONENTS, earning.components, strict=True)
    return {
        "payslip_id": slip.payslip_id,
        "worker_id": slip.worker_id,
        "identity_basis": slip.basis,
        "title": earning.title,
        "department": earning.department,
        **{f"{name}_minor": amount for name, amount in amounts},
        "total_minor": earning.total,
        "file": earning.file,
        "file_row": earning.row,
    }


def change_rows(slips: Sequence[Slip], published_after: timedelta) -> list[Row]:
    """A change where title or department differ from the same worker's year before."""
    rows: list[Row] = []
    by_year = {(slip.worker_id, slip.earning.year): slip for slip in slips}
    for (worker, year), slip in by_year.items():
        before = by_year.get((worker, year - 1))
        if before is not None and _job(before) != _job(slip):
            rows.append(
                {
                    "change_id": f"earnings-change-{year}-{worker}",
                    "worker_id": worker,
                    "client_id": slip.client_id,
                    "kind": "contract",
                    "effective_date": year_end(year),
                    "known_at": known_at(year, published_after),
                }
            )
    return rows


def _job(slip: Slip) -> tuple[str, str]:
    return slip.client_id, slip.earning.title.casefold()


def headcount_rows(slips: Sequence[Slip], published_after: timedelta) -> list[Row]:
    """People paid by each department in each year."""
    people = {(slip.client_id, slip.earning.year, slip.worker_id) for slip in slips}
    counts = Counter((client, year) for client, year, _ in people)
    return [
        {
            "client_id": client,
            "headcount": count,
            "as_of_date": year_end(year),
            "known_at": known_at(year, published_after),
        }
        for (client, year), count in sorted(counts.items())
    ]


def table(rows: Sequence[Row], names: Sequence[str], *, synthetic: bool) -> pa.Table:
    """Typed columns in the order of `names`; the taint column only where the delivery is tainted."""
    columns = {name: pa.array([row[name] for row in rows], _type_of(name)) for name in names}
    if synthetic:
        columns[TAINT] = pa.array([True] * len(rows), pa.bool_())
    return pa.table(columns)


def _type_of(name: str) -> pa.DataType:
    if name in _INSTANTS:
        return INSTANT
    return pa.int64() if name in _INTEGERS or name.endswith(("_minor", "_row")) else pa.string()


def with_pay(slip: Slip, kind: str, components: tuple[int | None, ...]) -> Slip:
    """The slip with other components, and the total they add up to."""
    total = sum(amount or 0 for amount in components)
    return replace(
        slip, kind=kind, earning=replace(slip.earning, components=components, total=total)
    )
