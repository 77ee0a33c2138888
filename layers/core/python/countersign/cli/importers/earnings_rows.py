"""Read annual earnings files: every row becomes an earning or a quarantined row with its reason."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from countersign.cli.importers.earnings_formats import (
    COMPONENTS,
    HEADER_ROW,
    Layout,
    cleaned,
    layout_of,
)
from countersign.errors import ContractError, FieldError

_AMOUNT = re.compile(
    r"\s*(?P<open>\()?(?P<minus>-)?\s*\$?\s*(?P<whole>\d{1,3}(?:,\d{3})+|\d+)"
    r"(?:\.(?P<cents>\d{1,2}))?\s*(?(open)\))\s*"
)
_NOTHING = re.compile(r"\s*(?:(?:\$\s*)?-\s*)?")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


@dataclass(frozen=True, slots=True)
class Earning:
    """One person's year. Components in cents, None where the cell is blank; `row` counts from 1."""

    file: str
    row: int
    year: int
    token: str
    department: str
    title: str
    components: tuple[int | None, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that cannot be used: where, what was expected, and its cells as they were."""

    file: str
    error: FieldError
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EarningsFile:
    """A file read to its end. rows_in = len(earnings) + len(refused), always."""

    name: str
    year: int
    shape: str
    encoding: str
    rows_in: int
    earnings: tuple[Earning, ...]
    refused: tuple[Refused, ...]


def read_earnings(path: Path, *, year: int | None = None) -> EarningsFile:
    """Read one file, gzip or plain, UTF-8 (with or without mark) or latin-1.

    Raises
    ------
    ContractError   the header is unknown, the file is empty, or no year is in its name or given
    """
    of_year = _year_of(path.name) if year is None else year
    text, encoding = _text(path)
    rows = _numbered(text)
    _, header = next(rows, (HEADER_ROW, []))
    if not header:
        expected = FieldError("header", "a first row with column names", HEADER_ROW)
        raise ContractError(f"{path.name} is empty", errors=(expected,))
    layout = layout_of(header, file=path.name)
    earnings: list[Earning] = []
    refused: list[Refused] = []
    count = 0
    for number, cells in rows:
        count += 1
        read = _earning(cells, layout, file=path.name, row=number, year=of_year)
        if isinstance(read, Earning):
            earnings.append(read)
        else:
            refused.append(Refused(path.name, read, tuple(cells)))
    return EarningsFile(
        path.name, of_year, layout.shape.name, encoding, count, tuple(earnings), tuple(refused)
    )


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


def _year_of(name: str) -> int:
    years = set(_YEAR.findall(name))
    if len(years) != 1:
        expected = FieldError(
            "year", "one year in the file's name, e.g. earnings_2019.csv, or given"
        )
        raise ContractError(f"{name} does not say which year it is of", errors=(expected,))
    return int(years.pop())


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


def _earning(
    cells: Sequence[str], layout: Layout, *, file: str, row: int, year: int
) -> Earning | FieldError:
    if len(cells) != len(layout.header):
        return FieldError("(row)", f"{len(layout.header)} cells", row)
    names, position = layout.shape.columns, layout.position
    texts = {field: cleaned(cells[position[field]]) for field in ("token", "department", "title")}
    for field, text in texts.items():
        if not text or text == names[field]:
            return FieldError(names[field], "a value, not a blank or a repeated header", row)
    amounts: dict[str, int | None] = {}
    for field in (*COMPONENTS, "total"):
        try:
            amounts[field] = minor_units(cells[position[field]])
        except ValueError:
            return FieldError(names[field], "an amount such as $1,234.50, (12.00) or a blank", row)
    total = amounts.pop("total")
    if total is None:
        return FieldError(names["total"], "an amount, not a blank", row)
    if total != sum(amount or 0 for amount in amounts.values()):
        return FieldError(names["total"], "the sum of the row's components", row)
    return Earning(file, row, year, **texts, components=tuple(amounts.values()), total=total)
