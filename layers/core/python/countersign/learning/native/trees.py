"""A tree ensemble as flat arrays, whatever library grew it: forests, boosted trees, isolation forests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from countersign.learning.native.words import Floats, Inputs, Ints, Link, linked

LEAF = -1
_CHUNK = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """Trees one after another; node numbers are local to their tree and 0 is its root.

    Parameters
    ----------
    feature : int32, shape (n_nodes,)         the input compared, or -1 in a leaf
    threshold : float64, shape (n_nodes,)     go left when input <= threshold (< when `strict`)
    left, right : int32, shape (n_nodes,)     children, or -1 in a leaf
    missing_left : bool, shape (n_nodes,)     where a null goes
    value : float64, shape (n_nodes, n_outputs)   what a leaf adds to each output; 0 in an inner node
    offsets : int64, shape (n_trees + 1,)     where each tree starts
    base : float64, shape (n_outputs,)        where the sums start
    link : str                                from sums to probabilities
    strict : bool                             whether a comparison is <, as boosted trees have it
    n_inputs : int
    """

    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    missing_left: NDArray[np.bool_]
    value: Floats
    offsets: NDArray[np.int64]
    base: Floats
    link: Link
    strict: bool
    n_inputs: int

    @property
    def n_features(self) -> int:
        """How many inputs there are."""
        return self.n_inputs

    @property
    def n_outputs(self) -> int:
        """How many probabilities a row has."""
        return len(self.base)

    @property
    def n_trees(self) -> int:
        """How many trees there are."""
        return len(self.offsets) - 1

    def score(self, rows: Inputs) -> Floats:
        """Probabilities of float32 rows, NaN being null; (n_rows,) or (n_rows, n_outputs)."""
        return linked(self.sums(rows), self.link)

    def sums(self, rows: Inputs) -> Floats:
        """What the leaves add up to, before the link; shape (n_rows, n_outputs)."""
        starts = range(0, len(rows), _CHUNK)
        parts = [self._sums(rows[start : start + _CHUNK]) for start in starts]
        return np.concatenate(parts) if parts else np.empty((0, self.n_outputs))

    def split_points(self) -> tuple[Ints, Floats]:
        """(feature, threshold) of every inner node."""
        inner = self.feature != LEAF
        return self.feature[inner], self.threshold[inner]

    def _sums(self, rows: Inputs) -> Floats:
        leaves = self.value[self.leaves(rows)]
        return np.asarray(leaves.sum(axis=1) + self.base, dtype=np.float64)

    def leaves(self, rows: Inputs) -> NDArray[np.int64]:
        """The node in which each row ends in each tree, shape (n_rows, n_trees).

        All rows go down all trees together, one level at a time.
        """
        roots = self.offsets[:-1]
        node = np.broadcast_to(roots, (len(rows), self.n_trees)).copy()
        row = np.arange(len(rows))[:, None]
        while (inner := self.feature[node] != LEAF).any():
            value = rows[row, np.where(inner, self.feature[node], 0)].astype(np.float64)
            bound = self.threshold[node]
            goes_left = value < bound if self.strict else value <= bound
            goes_left = np.where(np.isnan(value), self.missing_left[node], goes_left)
            child = np.where(goes_left, self.left[node], self.right[node])
            node = np.where(inner, roots + child, node)
        return node
