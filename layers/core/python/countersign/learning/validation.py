"""The checks that a version must pass before anybody is asked to sign for it (requirement E1)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

VECTORS = 100
NULL_SHARE = 0.05
MEMORY_MB = 1_024.0
GOLDEN_TOLERANCE = 1e-5
SUM_TOLERANCE = 1e-4
CLASS_CHECK = "probabilities_sum_to_one"
Features = dict[str, float | None]


def synthetic_vectors(serving: Mapping[str, Any], *, seed: int = 0) -> list[Features]:
    """100 vectors over the ranges that 98 % of the training rows lie in, with a null here and there.

    A feature that refuses nulls gets none. Whole-number ranges stay whole.
    """
    random = np.random.default_rng(seed)
    vectors: list[Features] = [{} for _ in range(VECTORS)]
    for name in serving["features"]:
        low, high = serving["ranges"][name]
        values = random.uniform(low, high, VECTORS)
        if float(low).is_integer() and float(high).is_integer():
            values = np.round(values)
        nulls = random.uniform(size=VECTORS) < NULL_SHARE
        refuses = serving["fills"][name] is None
        for vector, value, null in zip(vectors, values.tolist(), nulls.tolist(), strict=True):
            vector[name] = None if null and not refuses else value
    return vectors


def checks_of(
    runs: Sequence[Mapping[str, Any]], *, score_range: Sequence[float], latency_limit_ms: float
) -> dict[str, dict[str, Any]]:
    """The checks over what fresh processes reported of the same vectors, one report per process.

    Each is `{passed, …figures}`; without a report nothing passes. A model of classes has one check more,
    CLASS_CHECK.
    """
    if not runs:
        return {name: {"passed": False} for name in NAMES}
    scores = [float.fromhex(text) for run in runs for text in run["scores"]]
    low, high = score_range
    outside = sum(not low <= score <= high for score in scores)
    infinite = sum(not math.isfinite(score) for score in scores)
    p95 = float(np.quantile([t for run in runs for t in run["latency_ms"]], 0.95))
    difference = float(np.max([run["golden_difference"] for run in runs]))  # NaN stays NaN
    peak = max(run["peak_mb"] for run in runs)
    said = {_bits(run, suffix) for run in runs for suffix in ("", "_again")}
    return {
        "model_loads": {"passed": True, "load_ms": max(run["load_ms"] for run in runs)},
        "scores_valid": {"passed": infinite == 0, "vectors": VECTORS, "not_finite": infinite},
        "scores_in_range": {
            "passed": outside == 0,
            "low": _figure(np.min(scores)),
            "high": _figure(np.max(scores)),
        },
        "latency_within_sla": {
            "passed": p95 <= latency_limit_ms,
            "p95_ms": p95,
            "limit_ms": latency_limit_ms,
        },
        "golden": {
            "passed": difference <= GOLDEN_TOLERANCE,
            "rows": runs[0]["golden_rows"],
            "max_abs_difference": _figure(difference),
        },
        "deterministic": {"passed": len(said) == 1, "processes": len(runs)},
        "memory": {"passed": peak <= MEMORY_MB, "peak_mb": peak, "limit_mb": MEMORY_MB},
        **_class_checks(runs),
    }


def _bits(run: Mapping[str, Any], suffix: str) -> str:
    """Everything that a process said in one pass, to the bit."""
    return json.dumps([run["again" if suffix else "scores"], run.get(f"shares{suffix}")])


def _class_checks(runs: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of a model of classes: each vector's probabilities are shares of one, each in [0, 1]."""
    if "shares" not in runs[0]:
        return {}
    rows = [[float.fromhex(share) for share in row] for run in runs for row in run["shares"]]
    off = [abs(sum(row) - 1.0) if row else math.nan for row in rows]
    outside = sum(not 0.0 <= share <= 1.0 for row in rows for share in row)
    furthest = float(np.max(off)) if off else math.nan  # NaN stays NaN
    return {
        CLASS_CHECK: {
            "passed": furthest <= SUM_TOLERANCE and outside == 0,
            "vectors": len(off) // len(runs),
            "outside_zero_to_one": outside,
            "furthest_from_one": _figure(furthest),
            "recommended": len({name for run in runs for name in run["decisions"]}),
        }
    }


def _figure(value: Any) -> float | None:
    """A number that JSON can hold."""
    return float(value) if math.isfinite(value) else None


NAMES = (
    "model_loads", "scores_valid", "scores_in_range", "latency_within_sla", "golden",
    "deterministic", "memory",
)  # fmt: skip
