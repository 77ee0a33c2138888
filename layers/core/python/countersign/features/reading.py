"""Read a delivered file as text columns: CSV, Parquet or JSON lines, plain or gzip, with or without a BOM."""
# ruff: noqa: S608 - SQL is made of declarations and quoted names, never of a file's values

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign.errors import ContractError, FieldError
from countersign.features.duck import quote

FORMATS = ("csv", "csv.gz", "parquet", "jsonl", "jsonl.gz")
RAW = "raw_rows"
_LINE_LIMIT = 1_000_000
_REASONS = {
    "MISSING COLUMNS": "as many values as the header has names",
    "TOO MANY COLUMNS": "as many values as the header has names",
    "UNQUOTED VALUE": "quotes that are closed",
    "INVALID ENCODING": "UTF-8 text",
    "LINE SIZE OVER MAXIMUM": f"a line of at most {_LINE_LIMIT:,} bytes",
}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is no row. `line` counts from 1, the header included; 0 when it is not known."""

    line: int
    expected: str


def format_of(name: str) -> str:
    """The format that a file's name states. Raises ContractError."""
    for kind in sorted(FORMATS, key=len, reverse=True):
        if name.lower().endswith(f".{kind}"):
            return kind
    raise ContractError(
        f"The file's name states no known format; expected one of .{', .'.join(FORMATS)}"
    )


def read_raw(connection: Any, path: Path, kind: str) -> tuple[tuple[str, ...], list[Unreadable]]:
    """Load a file into the table `raw_rows`: `_row` (from 1) and its columns as trimmed VARCHAR.

    Returns the column names as delivered and the lines that could not be read. Empty text is null.

    Raises
    ------
    ContractError      not a file of its format, or columns without a name or with the same name
    """
    import duckdb

    reader = {"csv": _read_csv, "parquet": _read_parquet, "jsonl": _read_jsonl}
    try:
        return reader[kind.removesuffix(".gz")](connection, path, kind.endswith(".gz"))
    except (duckdb.Error, OSError, EOFError) as error:
        # The reason is not passed on: the library's message may quote the file.
        raise ContractError(f"Not a readable {kind} file ({type(error).__name__})") from None


def _read_csv(
    connection: Any, path: Path, zipped: bool
) -> tuple[tuple[str, ...], list[Unreadable]]:
    names = _header(path, zipped)
    types = ", ".join(f"{quote(name)}: 'VARCHAR'" for name in names)
    for table in ("reject_errors", "reject_scans"):
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    _keep(
        connection,
        names,
        f"read_csv({quote(str(path))}, auto_detect = false, header = true, delim = ',', "
        f"quote = '\"', escape = '\"', strict_mode = true, store_rejects = true, columns = {{{types}}}, "
        f"max_line_size = {_LINE_LIMIT}, compression = {quote('gzip' if zipped else 'none')})",
    )
    found = connection.execute(
        "SELECT line, any_value(error_type)::VARCHAR FROM reject_errors GROUP BY line ORDER BY line"
    ).fetchall()
    return names, [Unreadable(int(line), _REASONS.get(what, "a row")) for line, what in found]


def _header(path: Path, zipped: bool) -> tuple[str, ...]:
    """The names of a CSV's first line, without BOM and padding."""
    opened: Any = gzip.open if zipped else open
    with opened(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as lines:
        first = next(csv.reader(lines), [])
    return _named([name.strip() for name in first])


def _named(names: Sequence[str]) -> tuple[str, ...]:
    if not any(names):
        raise ContractError("The file has no header")
    lower = [name.casefold() for name in names]
    wrong = [
        FieldError(name or f"(column {n + 1})", "a name of its own")
        for n, name in enumerate(names)
        if not name or lower.index(name.casefold()) != n
    ]
    if wrong:
        raise ContractError("Columns without a name, or with the same name", errors=wrong)
    return tuple(names)


def _read_parquet(
    connection: Any, path: Path, zipped: bool
) -> tuple[tuple[str, ...], list[Unreadable]]:
    table = f"read_parquet({quote(str(path))}, hive_partitioning = false)"
    described = connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    names = _named([row[0] for row in described])
    _keep(connection, names, table)
    return names, []


def _read_jsonl(
    connection: Any, path: Path, zipped: bool
) -> tuple[tuple[str, ...], list[Unreadable]]:
    table = (
        f"read_ndjson_objects({quote(str(path))}, ignore_errors = true, "
        f"compression = {quote('gzip' if zipped else 'none')})"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE raw_lines AS SELECT row_number() OVER () AS _line, "
        f"CASE WHEN json_type(json) = 'OBJECT' THEN json END AS _json FROM {table}"
    )
    keys = connection.execute(
        "SELECT DISTINCT unnest(json_keys(_json)) AS k FROM raw_lines ORDER BY k"
    ).fetchall()
    names = _named([key for (key,) in keys])
    chosen = ", ".join(
        f"_json ->> {quote('$.' + json.dumps(name))} AS {column(name)}" for name in names
    )
    _keep(connection, names, f"(SELECT {chosen} FROM raw_lines WHERE _json IS NOT NULL)")
    bad = connection.execute("SELECT _line FROM raw_lines WHERE _json IS NULL").fetchall()
    return names, [Unreadable(int(line), "a JSON object on one line") for (line,) in bad]


def _keep(connection: Any, names: Sequence[str], table: str) -> None:
    texts = ", ".join(f"nullif(trim({column(n)}::VARCHAR), '') AS {column(n)}" for n in names)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {RAW} AS SELECT row_number() OVER () AS _row, {texts} FROM {table}"
    )


def column(name: str) -> str:
    """A quoted identifier."""
    return '"' + name.replace('"', '""') + '"'
