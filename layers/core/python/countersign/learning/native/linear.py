"""A linear model over standardised inputs, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from countersign.learning.native.words import Floats, Inputs, Ints, Link, linked

# An input further out than so many deviations counts as this far: no single value outweighs the rest,
# and float32 never meets an infinity.
FURTHEST = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """sums = clip((row − mean) / scale) · coefficientsᵀ + intercept.

    Parameters
    ----------
    mean, scale : float64, shape (n_features,)
    coefficients : float64, shape (n_outputs, n_features)
    intercept : float64, shape (n_outputs,)
    link : str
    """

    mean: Floats
    scale: Floats
    coefficients: Floats
    intercept: Floats
    link: Link

    @property
    def n_features(self) -> int:
        """How many inputs there are."""
        return len(self.mean)

    @property
    def n_outputs(self) -> int:
        """How many probabilities a row has."""
        return len(self.intercept)

    def score(self, rows: Inputs) -> Floats:
        """Probabilities of float32 rows without nulls; (n_rows,) or (n_rows, n_outputs)."""
        return linked(self.sums(rows), self.link)

    def sums(self, rows: Inputs) -> Floats:
        """The weighted inputs, before the link; shape (n_rows, n_outputs)."""
        standard = standardised(rows, self.mean, self.scale)
        return np.asarray(standard @ self.coefficients.T + self.intercept)

    def split_points(self) -> tuple[Ints, Floats]:
        """A linear model compares nothing."""
        return np.empty(0, dtype=np.int32), np.empty(0)


def standardised(rows: Inputs, mean: Floats, scale: Floats) -> Floats:
    """Deviations from the mean, at most `FURTHEST` of them; shape (n_rows, n_features)."""
    return np.asarray(np.clip((rows.astype(np.float64) - mean) / scale, -FURTHEST, FURTHEST))
