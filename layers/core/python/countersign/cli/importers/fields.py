"""Files of one row per fact: the fields a format has, found in any header, read row by row."""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from countersign.cli.importers.published import (
    HEADER_ROW,
    WHOLE_ROW,
    Published,
    Refused,
    cleaned,
    minor_units,
    open_published,
    refuse_wrong_column,
)
from countersign.cli.importers.renaming import plain, refusal, renamed
from countersign.errors import FieldError

Row = dict[str, Any]
POWER = re.compile(r"\d(?:\.\d{1,15})?[eE]\+?\d{1,2}")
_WHOLE = re.compile(r"(?P<whole>\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.0*)?")


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a published format. `read` makes a value of a cleaned cell, or raises ValueError.

    `expected` says what a cell should hold. `aliases`: other names it goes by; case and punctuation
    of names are free. A column that may be `absent` is None in every row then. In an `amount` cells
    such as 1.29e+07 are counted: a spreadsheet has rounded them.
    """

    name: str
    read: Callable[[str], Any]
    expected: str
    aliases: tuple[str, ...] = ()
    absent: bool = False
    amount: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """What a kind of file states. `once`: what no two rows may share; `new`: what a row then is."""

    kind: str
    fields: tuple[Field, ...]
    once: Callable[[Row], Hashable]
    new: str


@dataclass(slots=True)
class FileRead:
    """A file read to its end. rows_in = len(rows) + len(refused), always."""

    name: str
    encoding: str
    columns: Mapping[str, str | None]
    left_out: tuple[str, ...]
    rounded: Counter[str] = field(default_factory=Counter)
    rows_in: int = 0
    rows: list[Row] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def read_files(
    paths: Sequence[Path], kind: Format, renames: Mapping[str, str]
) -> tuple[FileRead, ...]:
    """Read files of one format in the order given; of rows that repeat each other the first stands.

    Raises
    ------
    ContractError   a header or mapping that is wrong, or a column that holds something else
    """
    seen: set[Hashable] = set()
    return tuple(_read(path, kind, renames, seen) for path in paths)


def _read(path: Path, kind: Format, renames: Mapping[str, str], seen: set[Hashable]) -> FileRead:
    file = open_published(path)
    names = [each.name for each in kind.fields]
    header = renamed(file.header, renames, known=names, file=file.name)
    place = _places(header, kind, file.name)
    stated = {n: None if at is None else file.header[at] for n, at in place.items()}
    left_out = tuple(n for at, n in enumerate(file.header) if at not in place.values())
    made = FileRead(file.name, file.encoding, stated, left_out)
    amounts = [(e.name, at) for e in kind.fields if e.amount and (at := place[e.name]) is not None]
    for line, cells in file.rows:
        made.rows_in += 1
        row = _row(cells, kind, place, file, line)
        if not isinstance(row, FieldError):
            fact = kind.once(row)
            if fact not in seen:
                seen.add(fact)
                made.rows.append(row)
                made.rounded.update(n for n, at in amounts if POWER.fullmatch(cleaned(cells[at])))
                continue
            row = FieldError(WHOLE_ROW, kind.new, line)
        made.refused.append(Refused(file.name, row, tuple(cells)))
    refuse_wrong_column(file.name, made.rows_in, _of_cells(made.refused))
    return made


def _of_cells(refused: Sequence[Refused]) -> list[Refused]:
    """Those that a cell refused: a file that was read before has no wrong column."""
    return [row for row in refused if row.error.field != WHOLE_ROW]


def _places(header: Sequence[str], kind: Format, file: str) -> dict[str, int | None]:
    """Where each field stands in the header; None for one that may be absent and is."""
    plains = [plain(name) for name in header]
    found: dict[str, int | None] = {}
    errors = []
    for each in kind.fields:
        known = [plain(name) for name in (each.name, *each.aliases)]
        at = [n for n, name in enumerate(plains) if name in known]
        if len(at) > 1:
            errors.append(FieldError(each.name, "to occur once in the header", HEADER_ROW))
        elif not at and not each.absent:
            errors.append(
                FieldError(each.name, "a column of this name (or --map theirs=it)", HEADER_ROW)
            )
        found[each.name] = at[0] if at else None
    if not any(at is not None for at in found.values()):
        # Perhaps a file without a header: then the first row is somebody's data, and is not told.
        names = ", ".join(each.name for each in kind.fields)
        raise refusal(file, [FieldError("header", f"column names: {names}", HEADER_ROW)])
    if errors:
        raise refusal(file, errors)
    return found


def _row(
    cells: Sequence[str], kind: Format, place: Mapping[str, int | None], file: Published, line: int
) -> Row | FieldError:
    if len(cells) != len(file.header):
        return FieldError(WHOLE_ROW, f"{len(file.header)} cells", line)
    row: Row = {}
    for each in kind.fields:
        at = place[each.name]
        try:
            row[each.name] = None if at is None else each.read(cleaned(cells[at]))
        except ValueError:
            stated = file.header[at or 0]
            taken = "" if plain(stated) == plain(each.name) else f" (taken as {each.name})"
            return FieldError(stated, f"{each.expected}{taken}", line)
    return row


def whole(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers, also as `1,234` or `17.0`, from `low` to `high`."""

    def read(text: str) -> int:
        found = _WHOLE.fullmatch(text)
        number = int(found["whole"].replace(",", "")) if found else low - 1
        if not low <= number <= high:
            raise ValueError("not such a number")
        return number

    return read


def money(*, blank: bool) -> Callable[[str], int | None]:
    """A reader of amounts of 0 or more in cents, also as 1.29e+07; a blank is None where it is allowed."""

    def read(text: str) -> int | None:
        amount = _power(text) if POWER.fullmatch(text) else minor_units(text)
        if not blank if amount is None else amount < 0:
            raise ValueError("not such an amount")
        return amount

    return read


def _power(text: str) -> int:
    cents = Decimal(text) * 100
    if cents != int(cents):
        raise ValueError("not whole cents")
    return int(cents)


def one_of(*values: str) -> Callable[[str], str]:
    """A reader of words, whatever their case and punctuation, as they are spelled here."""
    known = {plain(value): value for value in values}

    def read(text: str) -> str:
        if plain(text) not in known:
            raise ValueError("not such a word")
        return known[plain(text)]

    return read


def flag(text: str) -> bool:
    """0 or 1, also as `1.0`, yes or no, true or false."""
    if text.casefold() in {"1", "1.0", "yes", "true"}:
        return True
    if text.casefold() in {"0", "0.0", "no", "false"}:
        return False
    raise ValueError("neither 0 nor 1")


def name(text: str) -> str:
    """A name or id; never a blank."""
    if not text:
        raise ValueError("blank")
    return text
