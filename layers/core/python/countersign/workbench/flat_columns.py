"""Label, time and key of a flat file: what each must be, told by row and expectation and never by value."""
# ruff: noqa: S608 - SQL is made of quoted column names, never of a file's values

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from countersign.clock import iso
from countersign.errors import ContractError, DataError, FieldError
from countersign.features import duck
from countersign.features.reading import RAW, column
from countersign.workbench.config import Config, Flat

MOST_CLASSES = 30
_YES_NO = ({"0", "1"}, {"false", "true"}, {"no", "yes"}, {"n", "y"}, {"f", "t"})
ZONED = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)? ?(Z|[+-]\d{2}(:?\d{2})?)$"
NAIVE = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?$"
DAY = r"^\d{4}-\d{2}-\d{2}$"


def label_of(connection: Any, config: Config, wanted: Flat) -> tuple[list[str], str]:
    """The classes (none: yes or no), and the value that is yes. Values are never told."""
    label = column(wanted.label)
    blank, first = connection.execute(
        f"SELECT count(*), min(_row) FROM {RAW} WHERE {label} IS NULL"
    ).fetchone()
    if blank:
        told = FieldError(wanted.label, "a label", int(first))
        raise ContractError(
            f"{blank} rows have no label in {wanted.label!r}, the first is row {first}; a label is never "
            "guessed: take them out",
            errors=[told],
        )
    found = connection.execute(
        f"SELECT DISTINCT {label} FROM {RAW} ORDER BY 1 LIMIT {MOST_CLASSES + 1}"
    ).fetchall()
    values = [text for (text,) in found]
    if len(values) == 1:
        raise DataError(
            f"Every row has the same label in {wanted.label!r}; nothing can be told apart"
        )
    if wanted.positive:
        if wanted.positive not in values:
            raise wanted.stated["positive"].refuse("is no value of the label")
        return [], wanted.positive
    if len(values) == 2 and config.model != "xgboost_multiclass":
        return [], _yes(values, wanted)
    if len(values) > MOST_CLASSES:
        raise DataError(
            f"{wanted.label!r} has more than {MOST_CLASSES} values; a label has classes, not numbers"
        )
    return values, ""


def _yes(values: Sequence[str], wanted: Flat) -> str:
    plain = {text.casefold().removesuffix(".0"): text for text in values}
    if set(plain) not in _YES_NO:
        raise wanted.stated["label"].refuse(
            "has two values that are not 0 and 1 or no and yes; say with positive which one is yes"
        )
    return plain[max(plain, key=lambda text: text in {"1", "true", "yes", "y", "t"})]


def check_time(connection: Any, name: str, wanted: Flat) -> None:
    """Raise ContractError unless every value is a day, or a moment whose time zone is stated."""
    zoned = f"({ZONED})|({DAY})" + (f"|({NAIVE})" if wanted.time_zone else "")
    bad, first = connection.execute(
        f"SELECT count(*), min(_row) FROM {RAW} "
        f"WHERE NOT coalesce(regexp_matches({column(name)}, {duck.quote(zoned)}), false)"
    ).fetchone()
    if bad:
        expected = "a day, or a moment with its time zone as 2026-11-21T05:47:00Z"
        hint = (
            ""
            if wanted.time_zone
            else "; or state data.time_zone, the zone that all of them are in"
        )
        raise ContractError(
            f"{name!r}: {bad} rows are no times, the first is row {first}; expected {expected}{hint}",
            errors=[FieldError(name, expected, int(first))],
        )


def check_past(connection: Any, name: str, moment: str, now: datetime) -> None:
    """Raise ContractError when a row's `moment` (SQL of UTC text) is after now: nobody knows how it ends."""
    later, first = connection.execute(
        f"SELECT count(*), min(_row) FROM {RAW} WHERE {moment} > {duck.quote(iso(now))}"
    ).fetchone()
    if later:
        raise ContractError(
            f"{name!r}: {later} rows lie in the future, the first is row {first}; what has not happened has "
            "no label",
            errors=[FieldError(name, "a moment that has passed", int(first))],
        )


def check_key(connection: Any, name: str) -> None:
    """Raise ContractError unless the column names every row, and no two alike."""
    blank, repeated = connection.execute(
        f"SELECT count(*) FILTER ({column(name)} IS NULL), "
        f"count({column(name)}) - count(DISTINCT {column(name)}) FROM {RAW}"
    ).fetchone()
    if blank or repeated:
        what = (
            f"{repeated} rows repeat the key of another"
            if repeated
            else f"{blank} rows have no key"
        )
        raise ContractError(
            f"{name!r}: {what}; a key names one row, take out what came twice",
            errors=[FieldError(name, "a key that no other row has")],
        )
