"""Folds of the training rows: by time, each learned from everything before it; or stratified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.errors import TooFewRowsError
from countersign.learning.dataset import Rows

Index = NDArray[np.int64]
# The latest share of what a fold may see stops the training and calibrates it.
STOP = 0.2


@dataclass(frozen=True, slots=True)
class Fold:
    """Places in the training rows: `learn`, then `stop`, then `judge`; no row is in two."""

    learn: Index
    stop: Index
    judge: Index

    def told(self, rows: Rows) -> dict[str, Any]:
        """Rows, positives and span of each part, for the record."""
        parts = {"learn": self.learn, "stop": self.stop, "judge": self.judge}
        return {name: rows.take(index).span() for name, index in parts.items()}


def folds_of(rows: Rows, count: int, *, seed: int, by_time: bool) -> list[Fold]:
    """`count` folds of rows that lie oldest first, less those that cannot teach or judge.

    By time the window expands: fold k is judged on the (k+1)th of count+1 blocks and learns from all
    before it; no moment lies in two parts. Otherwise each class is dealt evenly, by the seed.

    Raises
    ------
    TooFewRowsError     no fold has every part with at least two classes
    """
    moments = len(np.unique(rows.as_of)) if by_time else 0
    made = _expanding(rows, count) if moments > count + 1 else _stratified(rows, count, seed)
    usable = [fold for fold in made if _can_be_used(rows, fold)]
    if not usable:
        raise TooFewRowsError(
            f"None of {count} folds of {len(rows)} training rows with {rows.positives} positives has both "
            "classes to learn from and to be judged by; use fewer folds, or more rows"
        )
    return usable


def _expanding(rows: Rows, count: int) -> list[Fold]:
    edges = [_moment_at(rows, (k + 1) / (count + 1)) for k in range(count)]
    ends = [*edges[1:], len(rows)]
    made = []
    for start, end in zip(edges, ends, strict=True):
        stop = _moment_at(rows.take(np.arange(start)), 1 - STOP) if start else 0
        made.append(Fold(np.arange(stop), np.arange(stop, start), np.arange(start, end)))
    return made


def _moment_at(rows: Rows, share: float) -> int:
    """The first place at or after `share` of the rows at which a new moment begins."""
    at = min(int(len(rows) * share), len(rows) - 1)
    return int(np.searchsorted(rows.as_of, rows.as_of[at], side="left"))


def _stratified(rows: Rows, count: int, seed: int) -> list[Fold]:
    """Five parts at least, so that one fold alone still leaves rows to learn from."""
    parts = max(count, 5)
    random = np.random.default_rng(seed)
    dealt = np.empty(len(rows), dtype=np.int64)
    for value in np.unique(rows.target):
        own = random.permutation(np.flatnonzero(rows.target == value))
        dealt[own] = np.arange(len(own)) % parts
    made = []
    for k in range(count):
        stop = (k + 1) % parts
        learn = np.flatnonzero((dealt != k) & (dealt != stop))
        made.append(Fold(learn, np.flatnonzero(dealt == stop), np.flatnonzero(dealt == k)))
    return made


def _can_be_used(rows: Rows, fold: Fold) -> bool:
    parts = (fold.learn, fold.stop, fold.judge)
    return all(len(np.unique(rows.target[part])) > 1 for part in parts)
