"""Request-time features and the model's vector: the same code for a scored body and a training row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from countersign.clock import parse_iso
from countersign.declare import UseCase
from countersign.errors import DataError, FieldError

Row = Mapping[str, Any]
Values = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Vector:
    """The model's inputs in their order, all finite or (nulls kept) NaN, and which were filled."""

    inputs: tuple[float, ...]
    filled: tuple[str, ...]


def row_of(use_case: UseCase, body: Mapping[str, Any]) -> dict[str, Any]:
    """A validated scoring body as a row: the last part of each declared path names the value."""
    row = {}
    for field in use_case.request_fields:
        value: Any = body
        for part in field.path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        row[field.path.rpartition(".")[2]] = value
    return row


def as_of(use_case: UseCase, row: Row) -> datetime:
    """The moment a row is about: its source's event time (a date is its midnight in UTC)."""
    return moment_of(str(row[use_case.spine.event_time]))


def moment_of(text: str) -> datetime:
    """A date or a zoned timestamp as a UTC moment. Raises DataError."""
    if len(text) == len("2026-11-21"):
        try:
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        except ValueError as error:
            raise DataError("Not a date; expected 2026-11-21") from error
    return parse_iso(text)


def compute(use_case: UseCase, row: Row, usual: Values) -> dict[str, float | None]:
    """Every request-time feature of one row.

    `usual` holds the views' features; one that is not in it counts as null. A result that is not
    finite is null.
    """
    known = {f.name: usual.get(f.name) for view in use_case.views for f in view.features}
    return {f.name: _finite(f.compute(row, known)) for f in use_case.request_features}


def vector(use_case: UseCase, values: Values) -> Vector:
    """The inputs in declared order, nulls filled as declared.

    Raises
    ------
    DataError      an input that refuses nulls is null
    """
    inputs, filled, refused = [], [], []
    for name in use_case.inputs:
        value = values.get(name)
        if value is None or not math.isfinite(value):
            feature = use_case.feature(name)
            refused += [name] if feature.nulls == "refuse" else []
            filled += [name] if feature.nulls in {"zero", "fill"} else []
            value = {"zero": 0.0, "fill": feature.fill}.get(feature.nulls, math.nan)
        inputs.append(float(value))
    if refused:
        raise DataError(
            f"These features may not be null: {', '.join(refused)}",
            errors=[FieldError(name, "a value") for name in refused],
        )
    return Vector(tuple(inputs), tuple(filled))


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
