"""Published CSV files as they come: packed or plain, marked or not, padded, with cells that are refused.

What every importer does with a file before it knows what the file means. A refusal says which column,
which row and what was expected, and never what stood there.
"""

import csv
import gzip
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from countersign.cli.payroll_generator.files import save
from countersign.errors import ContractError, FieldError

HEADER_ROW = 1
# The column of a refusal that no single cell is to blame for.
WHOLE_ROW = "(row)"
# When one column refuses this share of a file's rows, its header or mapping is wrong, not the rows.
WRONG_COLUMN = 0.5
# Below this many rows a share says nothing.
FEW_ROWS = 20

_AMOUNT = re.compile(
    r"\s*(?P<open>\()?(?P<minus>-)?\s*\$?\s*(?P<whole>\d{1,3}(?:,\d{3})+|\d+)"
    r"(?:\.(?P<cents>\d{1,2}))?\s*(?(open)\))\s*"
)
_NOTHING = re.compile(r"\s*(?:(?:\$\s*)?-\s*)?")


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that cannot be used: where, what was expected, and its cells as they were."""

    file: str
    error: FieldError
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """A file's header, cleaned, and its rows with the line each begins on (the header is row 1)."""

    name: str
    encoding: str
    header: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]


def open_published(path: Path) -> Published:
    """Read a CSV, gzip or plain, UTF-8 (with or without mark) or latin-1.

    Raises
    ------
    ContractError   the file is empty, or cannot be unpacked
    """
    text, encoding = _text(path)
    rows = _numbered(text)
    _, header = next(rows, (HEADER_ROW, []))
    if not header:
        expected = FieldError("header", "a first row with column names", HEADER_ROW)
        raise ContractError(f"{path.name} is empty", errors=(expected,))
    return Published(path.name, encoding, tuple(cleaned(cell) for cell in header), rows)


def cleaned(cell: str) -> str:
    """A cell without padding, byte-order mark and doubled blanks."""
    return " ".join(cell.lstrip("\ufeff").split())


def minor_units(text: str) -> int | None:
    """Cents of `$1,234.50 `, `(12.00)`, `-3`, `0`; None for a blank or a lone dash.

    Raises
    ------
    ValueError      anything else; an amount is never guessed
    """
    if _NOTHING.fullmatch(text):
        return None
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise ValueError("not an amount of money")
    amount = int(found["whole"].replace(",", "")) * 100 + int((found["cents"] or "").ljust(2, "0"))
    return -amount if found["open"] or found["minus"] else amount


def refuse_wrong_column(file: str, rows_in: int, refused: Sequence[Refused]) -> None:
    """Raise ContractError when one column refuses most of a file's rows: it holds something else."""
    columns = Counter(row.error.field for row in refused)
    for column, count in columns.most_common(1):
        if rows_in >= FEW_ROWS and count > WRONG_COLUMN * rows_in:
            first = next(row.error for row in refused if row.error.field == column)
            raise ContractError(
                f"{file}: column '{column}' is not what it is taken for; first in row {first.row}, "
                f"expected {first.expected} ({count} of {rows_in} rows are not so)",
                errors=(first,),
            )


def reasons(refused: Sequence[Refused]) -> dict[str, int]:
    """How many rows were refused for each "column: expectation"."""
    found = Counter(f"{row.error.field}: {row.error.expected}" for row in refused)
    return dict(sorted(found.items()))


def write_quarantine(out: Path, kind: str, file: str, refused: Sequence[Refused]) -> None:
    """Put refused rows under `out/quarantine/<kind>`, cells included; nothing where there are none."""
    if not refused:
        return
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "row", "column", "expected", "cells"])
    for row in refused:
        error = row.error
        writer.writerow([row.file, error.row, error.field, error.expected, json.dumps(row.cells)])
    save(out / "quarantine" / kind / f"{file}.rows.csv", text.getvalue().encode())


def _text(path: Path) -> tuple[str, str]:
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            expected = FieldError("(file)", "a whole gzip file")
            raise ContractError(f"{path.name} cannot be unpacked", errors=(expected,)) from error
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def _numbered(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line each begins on; wholly blank lines are no rows."""
    reader = csv.reader(io.StringIO(text, newline=""))
    begins = 1
    for cells in reader:
        if cells:
            yield begins, cells
        begins = reader.line_num + 1
