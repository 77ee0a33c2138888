"""An isolation forest as flat arrays: what `forest.npz` holds, and how it scores without scikit-learn.

The arrays are read without pickle. `score` is for explanations and checks; serving uses the ONNX export.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from countersign.errors import ArtifactError

Floats = NDArray[np.float64]
Inputs = NDArray[np.float32]
Ints = NDArray[np.int32]

LEAF = -1
_CHUNK = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """Trees one after another; node numbers are local to their tree and 0 is its root.

    Parameters
    ----------
    feature : int32, shape (n_nodes,)        the input compared, or -1 in a leaf
    threshold : float64, shape (n_nodes,)    go left when input <= threshold
    left, right : int32, shape (n_nodes,)    children, or -1 in a leaf
    path : float64, shape (n_nodes,)         in a leaf: the path length it stands for; else 0
    offsets : int64, shape (n_trees + 1,)    where each tree starts
    normaliser : float                       n_trees × c(max_samples); score = 2^(−Σ path / normaliser)
    n_features : int
    """

    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    path: Floats
    offsets: NDArray[np.int64]
    normaliser: float
    n_features: int

    @property
    def n_trees(self) -> int:
        """How many trees there are."""
        return len(self.offsets) - 1

    def score(self, rows: Inputs) -> Floats:
        """Anomaly scores in (0, 1), shape (n_rows,), of float32 rows of shape (n_rows, n_features)."""
        parts = [
            self._path_sum(rows[start : start + _CHUNK]) for start in range(0, len(rows), _CHUNK)
        ]
        total = np.concatenate(parts) if parts else np.empty(0)
        return np.asarray(np.exp2(-total / self.normaliser), dtype=np.float64)

    def _path_sum(self, rows: Inputs) -> Floats:
        """Σ path over the trees: all rows go down all trees together, one level at a time."""
        roots = self.offsets[:-1]
        node = np.broadcast_to(roots, (len(rows), self.n_trees)).copy()
        row = np.arange(len(rows))[:, None]
        while (inner := self.feature[node] != LEAF).any():
            value = rows[row, np.where(inner, self.feature[node], 0)].astype(np.float64)
            child = np.where(value <= self.threshold[node], self.left[node], self.right[node])
            node = np.where(inner, roots + child, node)
        return np.asarray(self.path[node].sum(axis=1), dtype=np.float64)

    def save(self) -> bytes:
        """The bytes of `forest.npz`; equal forests give equal bytes."""
        buffer = io.BytesIO()
        arrays = {f.name: np.asarray(getattr(self, f.name)) for f in fields(self)}
        np.savez(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def load(cls, content: bytes) -> Forest:
        """Read `forest.npz`. Raises ArtifactError when it is not one; verify its digest first."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                arrays = {f.name: archive[f.name] for f in fields(cls)}
        except (ValueError, KeyError, OSError, EOFError) as error:
            raise ArtifactError(
                "forest.npz is not an isolation forest saved by this project; train again"
            ) from error
        arrays["normaliser"] = float(arrays["normaliser"])
        arrays["n_features"] = int(arrays["n_features"])
        return cls(**arrays)
