"""The words that native models share: array types, links, and what every model can do."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Inputs = NDArray[np.float32]
Ints = NDArray[np.int32]

# From the sum of leaves or terms to a probability.
Link = Literal["identity", "logistic", "softmax", "exp2"]


class Model(Protocol):
    """A native model: how many inputs and outputs it has, and its scores."""

    @property
    def n_features(self) -> int: ...

    @property
    def n_outputs(self) -> int: ...

    def score(self, rows: Inputs) -> Floats:
        """Probabilities of float32 rows: shape (n_rows,), or (n_rows, n_outputs) when there are several."""
        ...

    def split_points(self) -> tuple[Ints, Floats]:
        """(feature, threshold) of every comparison: where a float32 could go to the wrong side."""
        ...


def linked(sums: Floats, link: Link) -> Floats:
    """Probabilities from sums of shape (n_rows, n_outputs); one output loses its axis."""
    if link == "softmax":
        shifted = np.exp(sums - sums.max(axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
    if link == "logistic":
        # Never exponentiates a large positive number, so that nothing overflows.
        small = np.exp(-np.abs(sums))
        sums = np.where(sums >= 0, 1.0 / (1.0 + small), small / (1.0 + small))
    elif link == "exp2":
        sums = np.exp2(sums)
    return sums[:, 0] if sums.shape[1] == 1 else sums
