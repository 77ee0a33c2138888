"""What stands for a null, fixed at training time and signed with the model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from countersign.declare import Feature, RequestFeature, UseCase
from countersign.learning.dataset import Rows
from countersign.serving.preprocess import KEEP

LOWEST, HIGHEST = 0.01, 0.99


def fill_constants(
    use_case: UseCase, train: Rows, *, takes_nulls: bool
) -> dict[str, float | str | None]:
    """By input: 0 for `zero`, the declared `fill`, None for `refuse`; for `keep` "keep" when the model
    takes nulls, else the training median.

    An isolation forest has no branch for NaN, so a kept null stands in the middle, where it is least odd.
    """
    return {
        name: _constant(use_case.feature(name), train.columns[name], takes_nulls)
        for name in use_case.inputs
    }


def _constant(
    feature: Feature | RequestFeature, values: np.ndarray, takes_nulls: bool
) -> float | str | None:
    match feature.nulls:
        case "refuse":
            return None
        case "zero":
            return 0.0
        case "fill":
            return float(feature.fill)
    return KEEP if takes_nulls else float(np.nanmedian(values))


def realistic_ranges(inputs: Sequence[str], train: Rows) -> dict[str, tuple[float, float]]:
    """By input: the range that 98 % of the training rows lie in; nulls left out."""
    found = {}
    for name in inputs:
        low, high = np.nanquantile(train.columns[name], [LOWEST, HIGHEST])
        found[name] = (float(low), float(high))
    return found
