"""Read annual earnings files: every row becomes an earning or a quarantined row with its reason."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from countersign.cli.importers.earnings_formats import COMPONENTS, KNOWN, Layout, layout_of
from countersign.cli.importers.published import (
    WHOLE_ROW,
    Refused,
    cleaned,
    minor_units,
    open_published,
    refuse_wrong_column,
)
from countersign.cli.importers.renaming import renamed
from countersign.errors import ContractError, FieldError

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
class EarningsFile:
    """A file read to its end. rows_in = len(earnings) + len(refused), always."""

    name: str
    year: int
    shape: str
    encoding: str
    rows_in: int
    earnings: tuple[Earning, ...]
    refused: tuple[Refused, ...]


def read_earnings(
    path: Path, *, year: int | None = None, renames: Mapping[str, str] | None = None
) -> EarningsFile:
    """Read one file, gzip or plain, UTF-8 (with or without mark) or latin-1.

    `renames` maps names of its header to known ones.

    Raises
    ------
    ContractError   the header is unknown, the file is empty, a column holds something else
                    throughout, or no year is in its name or given
    """
    of_year = _year_of(path.name) if year is None else year
    file = open_published(path)
    header = renamed(file.header, renames or {}, known=KNOWN, file=file.name)
    layout = layout_of(header, file=path.name)
    stated = {field: file.header[at] for field, at in layout.position.items()}
    earnings: list[Earning] = []
    refused: list[Refused] = []
    for number, cells in file.rows:
        read = _earning(cells, layout, stated, file=path.name, row=number, year=of_year)
        if isinstance(read, Earning):
            earnings.append(read)
        else:
            refused.append(Refused(path.name, read, tuple(cells)))
    count = len(earnings) + len(refused)
    refuse_wrong_column(file.name, count, refused)
    return EarningsFile(
        path.name, of_year, layout.shape.name, file.encoding, count, tuple(earnings), tuple(refused)
    )


def _year_of(name: str) -> int:
    years = set(_YEAR.findall(name))
    if len(years) != 1:
        expected = FieldError(
            "year", "one year in the file's name, e.g. earnings_2019.csv, or given"
        )
        raise ContractError(f"{name} does not say which year it is of", errors=(expected,))
    return int(years.pop())


def _earning(
    cells: Sequence[str],
    layout: Layout,
    stated: Mapping[str, str],
    *,
    file: str,
    row: int,
    year: int,
) -> Earning | FieldError:
    """An earning, or what is wrong with the row, by the column as the file names it (`stated`)."""
    if len(cells) != len(layout.header):
        return FieldError(WHOLE_ROW, f"{len(layout.header)} cells", row)
    position = layout.position
    texts = {field: cleaned(cells[position[field]]) for field in ("token", "department", "title")}
    for field, text in texts.items():
        if not text or text == stated[field]:
            return FieldError(stated[field], "a value, not a blank or a repeated header", row)
    amounts: dict[str, int | None] = {}
    for field in (*COMPONENTS, "total"):
        try:
            amounts[field] = minor_units(cells[position[field]])
        except ValueError:
            return FieldError(stated[field], "an amount such as $1,234.50, (12.00) or a blank", row)
    total = amounts.pop("total")
    if total is None:
        return FieldError(stated["total"], "an amount, not a blank", row)
    if total != sum(amount or 0 for amount in amounts.values()):
        return FieldError(stated["total"], "the sum of the row's components", row)
    return Earning(file, row, year, **texts, components=tuple(amounts.values()), total=total)
