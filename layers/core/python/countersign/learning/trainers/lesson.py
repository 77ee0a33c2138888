"""What a trainer is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.declare import ModelSpec
from countersign.errors import DataError
from countersign.learning.native import FILE, Floats, Inputs, Model, save

Hyperparameters = Mapping[str, float | int | str | bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Rows to learn from: `rows` float32 (n, n_features), `target` int64 (n,), the class's index."""

    rows: Inputs
    target: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """`train` teaches; `valid` stops it early and calibrates it. `classes` is empty for yes or no.

    `members` are the parts of an ensemble. `progress` is called with (rounds done, rounds in all).
    """

    train: Examples
    valid: Examples
    classes: tuple[str, ...] = ()
    hyperparameters: Hyperparameters = field(default_factory=dict)
    members: tuple[ModelSpec, ...] = ()
    seed: int = 7
    progress: Callable[[int, int], None] | None = None

    @property
    def n_outputs(self) -> int:
        """How many probabilities a row has."""
        return len(self.classes) or 1

    def choose(self, trainer: str, defaults: Hyperparameters) -> dict[str, Any]:
        """The defaults, with what the lesson asks for. Raises DataError for a name the trainer lacks."""
        unknown = sorted(set(self.hyperparameters) - set(defaults))
        if unknown:
            raise DataError(
                f"{trainer} has no hyperparameter {', '.join(unknown)}; it has {', '.join(defaults)}"
            )
        return {**defaults, **self.hyperparameters}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A trained model: its arrays, the library's own scorer, and every hyperparameter as it was used.

    `files` are kept beside `native.npz`; `found` is what training found out (rounds used, calibration).
    """

    model: Model
    score: Callable[[Inputs], Floats]
    hyperparameters: dict[str, Any]
    found: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def native_files(self) -> dict[str, bytes]:
        """The native model by file name."""
        return {FILE: save(self.model), **self.files}


def refuse_nulls(trainer: str, rows: Inputs) -> None:
    """Raise DataError unless every value is finite."""
    if not np.isfinite(rows).all():
        raise DataError(
            f"{trainer} learns from finite rows only; declare a fill for the inputs that may be null"
        )


def check_same(arrays: Model, score: Callable[[Inputs], Floats], rows: Inputs, near: float) -> None:
    """Raise DataError unless the saved arrays score like the library, within `near`, on the rows."""
    difference = float(np.abs(arrays.score(rows) - score(rows)).max()) if len(rows) else 0.0
    if not difference <= near:
        raise DataError(
            f"The saved arrays score {difference:.3g} away from the library that trained them; this "
            "version of it is not supported"
        )
