"""Rows of declared sources as a delivery: typed Parquet files, the marker, and the report."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from countersign.cli.importers.fields import FileRead, Row
from countersign.cli.importers.published import reasons, write_quarantine
from countersign.cli.payroll_generator.files import DeliveredFile, save, write_file, write_marker
from countersign.declare import Source
from countersign.errors import ContractError

_TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.timestamp("us", tz="UTC"),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True, slots=True)
class FileCount:
    """What became of one file: rows_in = rows_out + quarantined."""

    file: str
    rows_in: int
    rows_out: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """What was written: files by key, rows by source, and what became of each file that was read."""

    name: str
    marker: Path
    files: tuple[DeliveredFile, ...]
    rows: Mapping[str, int]
    read: tuple[FileCount, ...]
    report: Path


def deliver(
    out: Path,
    name: str,
    sources: Mapping[Source, Sequence[Row]],
    *,
    kind: str,
    read: Sequence[FileRead],
    facts: Mapping[str, Any],
) -> Delivered:
    """Write one file per source under `out/raw`, refused rows aside, and the report.

    A file lies at the day by which the last of its rows is known; a source without rows has none.

    Raises
    ------
    ContractError   no row of any file can be used; nothing is written then
    """
    if not any(file.rows for file in read):
        raise unusable(read)
    written = [_write(out, name, source, rows) for source, rows in sources.items() if rows]
    for file in read:
        write_quarantine(out, kind, file.name, file.refused)
    told = {"files_read": [_facts(file) for file in read], **facts}
    latest = [row["known_at"] for rows in sources.values() for row in rows]
    marker = write_marker(
        out,
        name,
        written,
        created_at=max(latest),
        synthetic=False,
        facts={"importer": told},
    )
    report = out / f"{name}.report.json"
    save(report, (json.dumps(told, indent=1) + "\n").encode())
    counts = tuple(
        FileCount(file.name, file.rows_in, len(file.rows), len(file.refused)) for file in read
    )
    rows_of = {source.name: len(rows) for source, rows in sources.items()}
    return Delivered(name, marker, tuple(written), rows_of, counts, report)


def _write(out: Path, name: str, source: Source, rows: Sequence[Row]) -> DeliveredFile:
    day = max(row["known_at"] for row in rows)
    key = f"raw/{source.name}/ingest_date={day:%Y-%m-%d}/{source.name}-{name}.parquet"
    columns = {
        c.name: pa.array([row[c.name] for row in rows], _TYPES[c.type]) for c in source.columns
    }
    return write_file(out, key, source.name, "parquet", pa.table(columns))


def _facts(file: FileRead) -> dict[str, Any]:
    return {
        "file": file.name,
        "encoding": file.encoding,
        "rows_in": file.rows_in,
        "rows_out": len(file.rows),
        "quarantined": len(file.refused),
        "reasons": reasons(file.refused),
        "amounts_rounded_by_a_spreadsheet": dict(sorted(file.rounded.items())),
        "columns": dict(file.columns),
        "columns_left_out": list(file.left_out),
    }


def instant(moment: datetime) -> str:
    """A UTC moment as the report says it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def tag_of(
    paths: Sequence[Path], start: datetime, delay: timedelta, renames: Mapping[str, str]
) -> str:
    """Ten digits that name a delivery: equal files read under equal assumptions have it again."""
    assumed = [start.isoformat(), delay.total_seconds(), sorted(renames.items())]
    digest = hashlib.sha256(json.dumps(assumed).encode())
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:10]


def unusable(read: Sequence[FileRead]) -> ContractError:
    """Why a delivery would be empty, by the first row that was refused."""
    refused = [row for file in read for row in file.refused]
    if not refused:
        return ContractError(f"{read[0].name} has a header and no rows")
    first = refused[0].error
    return ContractError(
        f"{refused[0].file}: no row can be used; first, column '{first.field}', row {first.row}: "
        f"expected {first.expected}",
        errors=(first,),
    )
