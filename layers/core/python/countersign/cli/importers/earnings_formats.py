"""The headers of annual earnings files: one declaration per shape, found by the header itself.

A new year with a known header needs nothing. A new header needs one more `Shape` in `SHAPES`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from countersign.cli.importers.published import HEADER_ROW, cleaned
from countersign.errors import ContractError, FieldError

COMPONENTS = ("regular", "retro", "other", "overtime", "injured", "detail", "quinn")
_MONEY = {
    "regular": "REGULAR",
    "retro": "RETRO",
    "other": "OTHER",
    "overtime": "OVERTIME",
    "injured": "INJURED",
    "detail": "DETAIL",
    "quinn": "QUINN/EDUCATION INCENTIVE",
    "total": "TOTAL EARNINGS",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """Which header holds which field. `left_out` are columns the file has and we do not take."""

    name: str
    columns: Mapping[str, str]
    left_out: tuple[str, ...] = ()

    @property
    def headers(self) -> tuple[str, ...]:
        return (*self.columns.values(), *self.left_out)


SHAPES: tuple[Shape, ...] = (
    Shape(
        "underscored",
        {"token": "NAME", "department": "DEPARTMENT_NAME", "title": "TITLE", **_MONEY},
        left_out=("POSTAL",),
    ),
    Shape(
        "spaced",
        {"token": "NAME", "department": "DEPARTMENT NAME", "title": "TITLE", **_MONEY},
        left_out=("POSTAL",),
    ),
    Shape(
        "with-analysis",
        {"token": "NAME", "department": "DEPARTMENT_NAME", "title": "TITLE", **_MONEY},
        left_out=("POSTAL", "AnnualSalary", "10PerAnnual", "MoreThan10", "OT/Salary"),
    ),
)


KNOWN = tuple(dict.fromkeys(chain.from_iterable(shape.headers for shape in SHAPES)))


@dataclass(frozen=True, slots=True)
class Layout:
    """A shape found in a file: the position of each field, and the header as we read it."""

    shape: Shape
    header: tuple[str, ...]
    position: Mapping[str, int]


def layout_of(cells: Sequence[str], *, file: str) -> Layout:
    """Recognise a header, its padding aside.

    Raises
    ------
    ContractError   no shape has these columns; `errors` names each that is missing, repeated or
                    unknown, against the shape that comes closest
    """
    header = tuple(cleaned(cell) for cell in cells)
    for shape in SHAPES:
        if sorted(header) == sorted(shape.headers):
            position = {field: header.index(name) for field, name in shape.columns.items()}
            return Layout(shape, header, position)
    if not set(header) & set(KNOWN):
        # Perhaps a file without a header: then the first row is a person, and is not told.
        expected = FieldError("header", f"column names such as {', '.join(KNOWN[:3])}", HEADER_ROW)
        raise ContractError(f"{file} has no known header in its first row", errors=(expected,))
    closest = max(SHAPES, key=lambda shape: len(set(shape.headers) & set(header)))
    errors = tuple(_differences(header, closest))
    wrong = "; ".join(f"{error.field}: {error.expected}" for error in errors)
    raise ContractError(
        f"{file} has no known header in row 1; closest is '{closest.name}', but {wrong}",
        errors=errors,
    )


def _differences(header: tuple[str, ...], shape: Shape) -> list[FieldError]:
    found = []
    for field, name in shape.columns.items():
        if name not in header:
            found.append(
                FieldError(name, f"a column '{name}' (the {field}) in the header", HEADER_ROW)
            )
    for name in shape.left_out:
        if name not in header:
            found.append(FieldError(name, f"a column '{name}' in the header", HEADER_ROW))
    for name in dict.fromkeys(header):
        if header.count(name) > 1:
            found.append(FieldError(name or "(blank)", "to occur once in the header", HEADER_ROW))
        elif name not in shape.headers:
            expected = "no such column in this shape" if name in KNOWN else "no such column"
            found.append(FieldError(name or "(blank)", expected, HEADER_ROW))
    return found
