"""From named features to the model's input vector: the same lines in training and in scoring.

A null becomes the feature's fill constant, fixed at training and kept in `serving.json`; a feature whose
constant is null refuses nulls, and one whose constant is "keep" hands them to the model as NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from countersign.errors import DataError, FieldError

Fills = Mapping[str, float | str | None]
KEEP = "keep"
LARGEST = float(np.finfo(np.float32).max)


def vector(names: Sequence[str], fills: Fills, features: Mapping[str, float | None]) -> list[float]:
    """One row in the order of `names`, nulls filled.

    Raises
    ------
    DataError       a feature is absent from the mapping, infinite, or null where null is refused
    """
    row: list[float] = []
    wrong: list[FieldError] = []
    for name in names:
        value = features.get(name)
        if value is None or value != value:  # noqa: PLR0124 - NaN is null
            fill = fills[name] if name in features else None
            if fill is None:
                wrong.append(FieldError(name, "a value"))
                continue
            value = math.nan if fill == KEEP else float(fill)
        elif abs(value) > LARGEST:
            wrong.append(FieldError(name, "a finite value"))
        row.append(value)
    if wrong:
        named = ", ".join(error.field for error in wrong)
        raise DataError(f"Not a whole feature vector: {named}", errors=wrong)
    return row


def matrix(
    names: Sequence[str], fills: Fills, columns: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float32]:
    """Many rows at once, float32 (n_rows, n_features); NaN is null.

    Raises
    ------
    DataError       a column is absent, holds an infinity, or a null where null is refused
    """
    wrong = [FieldError(name, "a column of the dataset") for name in names if name not in columns]
    filled: list[NDArray[np.float64]] = []
    for name in names if not wrong else ():
        values, fill = np.asarray(columns[name], dtype=np.float64), fills[name]
        nulls = np.isnan(values)
        if fill is None and nulls.any():
            wrong.append(FieldError(name, "no null", int(np.argmax(nulls))))
        beyond = np.abs(values) > LARGEST
        if beyond.any():
            wrong.append(FieldError(name, "finite values", int(np.argmax(beyond))))
        stands = np.nan if fill == KEEP else 0.0 if fill is None else float(fill)
        filled.append(np.where(nulls, stands, values))
    if wrong:
        named = ", ".join(f"{error.field} (expected {error.expected})" for error in wrong)
        raise DataError(f"The rows cannot be scored: {named}", errors=wrong)
    return np.column_stack(filled).astype(np.float32)
