"""Import annual earnings files as payroll sources: nothing invented, nothing lost, nobody merged."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from countersign.cli.importers.earnings_identity import Identities, identify
from countersign.cli.importers.earnings_injection import error_rows, inject
from countersign.cli.importers.earnings_rows import EarningsFile, read_earnings
from countersign.cli.importers.earnings_tables import (
    COVERAGE,
    Slip,
    change_rows,
    client_id,
    component_row,
    headcount_rows,
    known_at,
    payslip_row,
    table,
)
from countersign.cli.importers.published import write_quarantine
from countersign.cli.payroll_generator.files import DeliveredFile, save, write_file, write_marker
from countersign.cli.payroll_generator.sources import COLUMNS
from countersign.errors import ContractError, FieldError


@dataclass(frozen=True, slots=True)
class FileCount:
    """What became of one file: rows_in = rows_out + quarantined."""

    file: str
    year: int
    shape: str
    encoding: str
    rows_in: int
    rows_out: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What was written. `anomalies` counts injected errors by kind and is empty unless asked for."""

    name: str
    marker: Path
    files: tuple[DeliveredFile, ...]
    rows: Mapping[str, int]
    anomalies: Mapping[str, int]
    read: tuple[FileCount, ...]
    identities: Mapping[str, int]
    report: Path


def import_earnings(
    paths: Sequence[Path],
    out: Path,
    *,
    inject_rate: float = 0.0,
    seed: int = 7,
    published_after: timedelta = timedelta(0),
    renames: Mapping[str, str] | None = None,
) -> Imported:
    """Write earnings files, or those in a folder, as a delivery under `out/raw`.

    With `inject_rate` that share of the later years' payslips is spoiled and labelled; the whole
    delivery is then marked synthetic. Year-to-year links need the years imported together.
    `renames` says names of the files' headers in known ones.

    Raises
    ------
    ContractError   an unknown header, a file without a year, no file, or two files of one year
    """
    files = _read(paths, renames or {})
    slips, who = _slips(files)
    if inject_rate:
        slips = inject(slips, rate=inject_rate, seed=seed)
    years = [file.year for file in files]
    tag = f"injected-{seed}" if inject_rate else "earnings"
    name = f"earnings-{min(years)}-{max(years)}" + (f"-{tag}" if inject_rate else "")
    written = _write_years(out, slips, published_after, seed=seed, tag=tag)
    for file in files:
        write_quarantine(out, "earnings", file.name, file.refused)
    facts = _facts(files, who, slips)
    marker = write_marker(
        out,
        name,
        written,
        created_at=max(known_at(year, published_after) for year in years),
        synthetic=bool(inject_rate),
        facts={"importer": facts},
    )
    report = out / f"{name}.report.json"
    save(report, (json.dumps(facts | {"coverage": COVERAGE}, indent=1) + "\n").encode())
    return _imported(name, marker, written, facts, report)


def _imported(
    name: str, marker: Path, files: Sequence[DeliveredFile], facts: dict[str, Any], report: Path
) -> Imported:
    rows = dict.fromkeys(COLUMNS, 0)
    for file in files:
        rows[file.source] += file.rows
    read = tuple(FileCount(**count) for count in facts["files_read"])
    return Imported(
        name, marker, tuple(files), rows, facts["injected"], read, facts["identities"], report
    )


def _read(paths: Sequence[Path], renames: Mapping[str, str]) -> list[EarningsFile]:
    named = [file for path in paths for file in _files_of(path)]
    if not named:
        expected = FieldError(
            "paths", "an earnings file, or a folder with *earnings*.csv or .csv.gz"
        )
        raise ContractError("There is no earnings file to import", errors=(expected,))
    files = sorted(
        (read_earnings(path, renames=renames) for path in named), key=lambda file: file.year
    )
    twice = [year for year, count in Counter(file.year for file in files).items() if count > 1]
    if twice:
        expected = FieldError("year", "one file a year")
        raise ContractError(f"More than one file is of {twice[0]}", errors=(expected,))
    return files


def _files_of(path: Path) -> list[Path]:
    return (
        sorted([*path.glob("*earnings*.csv"), *path.glob("*earnings*.csv.gz")])
        if path.is_dir()
        else [path]
    )


def _slips(files: Sequence[EarningsFile]) -> tuple[list[Slip], Identities]:
    earnings = [earning for file in files for earning in file.earnings]
    who = identify(earnings)
    made = [
        Slip(earning, worker, basis, f"earnings-{earning.year}-{worker}")
        for earning, worker, basis in zip(earnings, who.worker_ids, who.bases, strict=True)
    ]
    return made, who


def _write_years(
    out: Path, slips: Sequence[Slip], published_after: timedelta, *, seed: int, tag: str
) -> list[DeliveredFile]:
    """One Parquet file per source and year, and the components beside the delivery."""
    rows = {
        "payslips": [payslip_row(slip, published_after) for slip in slips],
        "worker_changes": change_rows(slips, published_after),
        "client_headcount": headcount_rows(slips, published_after),
        "payroll_errors": error_rows(slips, published_after, seed=seed),
    }
    synthetic = tag != "earnings"
    written = []
    for source, found in rows.items():
        clock = "occurred_at" if source == "payroll_errors" else "known_at"
        for at in sorted({row[clock] for row in found}):
            here = [row for row in found if row[clock] == at]
            day = max(row["known_at"] for row in here).date()
            key = f"raw/{source}/ingest_date={day}/{source}-{tag}-{_year_of(here[0])}.parquet"
            made = table(here, COLUMNS[source], synthetic=synthetic)
            written.append(write_file(out, key, source, "parquet", made))
    beside = [component_row(slip) for slip in slips]
    if beside:
        components = table(beside, list(beside[0]), synthetic=synthetic)
        write_file(out, f"components/{tag}.parquet", "components", "parquet", components)
    return written


def _year_of(row: Mapping[str, Any]) -> int:
    clocks = ("pay_date", "effective_date", "as_of_date", "occurred_at")
    return next(int(row[name].year) for name in clocks if name in row)


def _facts(files: Sequence[EarningsFile], who: Identities, slips: Sequence[Slip]) -> dict[str, Any]:
    spellings: dict[str, set[str]] = {}
    for slip in slips:
        spellings.setdefault(client_id(slip.earning.department), set()).add(slip.earning.department)
    sure = {k: v for k, v in asdict(who).items() if k not in ("worker_ids", "bases")}
    return {
        "files_read": [
            {
                "file": file.name,
                "year": file.year,
                "shape": file.shape,
                "encoding": file.encoding,
                "rows_in": file.rows_in,
                "rows_out": len(file.earnings),
                "quarantined": len(file.refused),
            }
            for file in files
        ],
        "identities": sure,
        "departments": len(spellings),
        "departments_of_several_spellings": sorted(
            sorted(names) for names in spellings.values() if len(names) > 1
        ),
        "injected": dict(sorted(Counter(slip.kind for slip in slips if slip.kind).items())),
    }
