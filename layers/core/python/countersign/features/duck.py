"""A DuckDB session of ours: UTC, two threads, bounded memory, files that may be empty."""

# ruff: noqa: S608 - SQL is made of declarations, never of what a request or a file says
from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from countersign.clock import iso
from countersign.declare import ColumnType, Source
from countersign.errors import DataError, FieldError

SQL_TYPES: dict[ColumnType, str] = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "TIMESTAMPTZ",
    "timestamp": "TIMESTAMPTZ",
}
# What ingestion adds to the declared columns; a file of an importer may lack the optional ones.
CLOCKS = {"event_time": "TIMESTAMPTZ", "known_at": "TIMESTAMPTZ"}
MARKS = {"_deleted": "BOOLEAN", "_synthetic": "BOOLEAN", "_digest": "VARCHAR"}


def connect(scratch: Path | None = None, *, memory_mb: int = 1024, threads: int = 2) -> Any:
    """A new in-memory session. It spills to `scratch`; without one it does not spill."""
    import duckdb

    connection = duckdb.connect(
        config={
            "threads": threads,
            "memory_limit": f"{memory_mb}MB",
            "autoinstall_known_extensions": False,
            "temp_directory": str(scratch) if scratch else "",
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def register_source(connection: Any, source: Source, files: Sequence[Path]) -> None:
    """Make the accepted files of `source` readable as the relation `source_<name>`.

    Raises
    ------
    DataError      a file whose clocks have no time zone: DuckDB would take them for UTC
    """
    _refuse_naive(connection, source, files)
    columns = {c.name: SQL_TYPES[c.type] for c in source.columns} | CLOCKS | MARKS
    name = source_relation(source)
    empty = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name}_shape ({empty})")
    rows = f"SELECT * FROM {name}_shape"
    if files:
        rows += f" UNION ALL BY NAME SELECT * FROM {parquet(files)}"
    chosen = ", ".join(f'"{column}"::{kind} AS "{column}"' for column, kind in columns.items())
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT {chosen} FROM ({rows})")


def _refuse_naive(connection: Any, source: Source, files: Sequence[Path]) -> None:
    names = ", ".join(quote(str(path)) for path in files)
    clocks = ", ".join(map(quote, CLOCKS))
    naive = (
        files
        and connection.execute(
            f"SELECT DISTINCT name FROM parquet_schema([{names}]) WHERE name IN ({clocks}) "
            "AND logical_type NOT LIKE '%isAdjustedToUTC=1%' IS NOT FALSE ORDER BY name"
        ).fetchall()
    )
    if naive:
        wrong = [FieldError(name, "timestamps with a time zone") for (name,) in naive]
        raise DataError(f"Files of {source.name} have clocks without a time zone", errors=wrong)


def source_relation(source: Source) -> str:
    """The name of the relation of a source."""
    return f"source_{source.name}"


def parquet(files: Sequence[Path]) -> str:
    """A table function over Parquet files whose columns may differ."""
    names = ", ".join(quote(str(path)) for path in files)
    return f"read_parquet([{names}], union_by_name = true, hive_partitioning = false)"


def quote(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def timestamp(moment: datetime) -> str:
    """A moment as a SQL TIMESTAMP in UTC."""
    return f"TIMESTAMP {quote(iso(moment).removesuffix('Z'))}"


def from_microseconds(value: int) -> datetime:
    """The UTC moment that many microseconds after 1970."""
    seconds, micros = divmod(value, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
