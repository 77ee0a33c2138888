"""Golden vectors: inputs whose native scores every export, load and replay is held against."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from countersign.errors import ExportError
from countersign.learning.native import Floats, Inputs

MINIMUM = 1_000
TOLERANCE = 1e-5
_REAL_ROWS = 512
_SPLIT_POINTS = 200
_LARGE = (1e6, 1e12, 3e38)


@dataclass(frozen=True, slots=True)
class Golden:
    """`rows` float32 (n, n_features); `scores` float64 (n,) or (n, n_outputs), by the native library."""

    rows: Inputs
    scores: Floats

    def save(self) -> bytes:
        """The bytes of `golden.npz`."""
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, X=self.rows, score=self.scores)
        return buffer.getvalue()


def choose(
    rows: Inputs,
    split_points: tuple[NDArray[np.int32], Floats],
    score: Callable[[Inputs], Floats],
    *,
    seed: int,
) -> Golden:
    """At least 1 000 vectors: real rows, extremes, zeros, huge values and exact split points; and where
    the rows have nulls, each such input null alone and all of them at once.

    Parameters
    ----------
    rows : float32, shape (n_rows, n_features)
        Real inputs; NaN is a null that the model takes.
    split_points : (features, thresholds)
        Of the model's inner nodes.
    score : callable
        The native library's scorer.
    seed : int
        Of the choice.
    """
    random = np.random.default_rng(seed)
    real = rows[random.choice(len(rows), size=min(_REAL_ROWS, len(rows)), replace=False)]
    nullable: NDArray[np.bool_] = np.asarray(np.isnan(rows).any(axis=0))
    whole = np.where(np.isnan(rows), np.nanmedian(rows, axis=0), rows).astype(np.float32)
    parts = [real, _edges(whole), _nulls(whole, nullable)]
    parts.append(_at_split_points(whole, split_points, random))
    missing = max(MINIMUM - sum(map(len, parts)), 256)
    low, high = whole.min(axis=0).astype(np.float64), whole.max(axis=0).astype(np.float64)
    parts.append(random.uniform(low, high, size=(missing, rows.shape[1])).astype(np.float32))
    chosen = np.ascontiguousarray(np.concatenate(parts), dtype=np.float32)
    return Golden(chosen, score(chosen))


def _edges(rows: Inputs) -> Inputs:
    """Zeros, all minima, all maxima, huge values everywhere, and each feature alone at an extreme."""
    middle = np.median(rows, axis=0).astype(np.float32)
    low, high = rows.min(axis=0), rows.max(axis=0)
    whole = [np.zeros_like(middle), -np.zeros_like(middle), middle, low, high]
    whole += [np.full_like(middle, sign * size) for size in _LARGE for sign in (1, -1)]
    alone = []
    for column in range(rows.shape[1]):
        for value in (0.0, low[column], high[column], *_LARGE, *(-size for size in _LARGE)):
            row = middle.copy()
            row[column] = value
            alone.append(row)
    return np.stack(whole + alone).astype(np.float32)


def _nulls(rows: Inputs, nullable: NDArray[np.bool_]) -> Inputs:
    """The middle with each nullable input null alone, and with all of them null."""
    middle = np.median(rows, axis=0).astype(np.float32)
    columns = np.flatnonzero(nullable)
    made = np.repeat(middle[None, :], len(columns) + 1, axis=0)
    made[np.arange(len(columns)), columns] = np.nan
    made[-1, columns] = np.nan
    return made


def _at_split_points(
    rows: Inputs, split_points: tuple[NDArray[np.int32], Floats], random: np.random.Generator
) -> Inputs:
    """Real rows with one value moved to the float32 next below, at and next above a threshold."""
    features, thresholds = split_points
    inside = np.abs(thresholds) < _LARGE[-1]
    features, thresholds = features[inside], thresholds[inside]
    if not len(features):
        return np.empty((0, rows.shape[1]), dtype=np.float32)
    picked = random.choice(len(features), size=min(_SPLIT_POINTS, len(features)), replace=False)
    near = thresholds[picked].astype(np.float32)
    base = rows[random.integers(len(rows), size=len(picked))]
    moved = []
    for value in (
        np.nextafter(near, np.float32(-np.inf)),
        near,
        np.nextafter(near, np.float32(np.inf)),
    ):
        part = base.copy()
        part[np.arange(len(picked)), features[picked]] = value
        moved.append(part)
    return np.concatenate(moved)


def largest_difference(native: Floats, served: Floats) -> float:
    """Largest |served − native| over the golden vectors, in probability; both of shape (n_vectors,).

    Raises
    ------
    ExportError     too few vectors, a score that is not finite, or a difference above 1e-5
    """
    if len(native) < MINIMUM:
        raise ExportError(f"{len(native)} golden vectors; at least {MINIMUM} are needed")
    difference = float(np.abs(served - native).max())
    if not difference <= TOLERANCE:  # NaN fails too
        raise ExportError(
            f"The export differs from the native model by {difference:.3g} on the golden vectors; "
            f"{TOLERANCE:g} is allowed. Nothing was signed"
        )
    return difference
