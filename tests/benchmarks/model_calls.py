"""One row through a model of 200 trees, as a request calls it: `ModelSession.score`, its checks included."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tests.benchmarks.measure import Measurement

TREES, INPUTS, CALLS = 200, 20, 4_000
PROMISED_MICROSECONDS = 20.0


def rows(count: int) -> Any:
    return np.random.default_rng(5).normal(size=(count, INPUTS)).astype(np.float32)


def measure(name: str, native: bytes) -> list[Measurement]:
    """The exported model's time for one row, against the promise."""
    from countersign.learning import export
    from countersign.serving.session import ModelSession

    names = [f"x{n}" for n in range(INPUTS)]
    serving = {
        "features": names,
        "request_time": [],
        "fills": dict.fromkeys(names, 0.0),
        "threshold": 0.5,
        "score_range": [0.0, 1.0],
        "hybrid": {"model_weight": 1.0, "rules_weight": 0.0},
        "rules": [],
        "rules_version": "none",
    }
    session = ModelSession("", export.to_onnx(native), serving)
    vectors = [row.tolist() for row in rows(CALLS)]
    for vector in vectors[:200]:
        session.score(vector)
    spent = []
    for vector in vectors:
        started = time.perf_counter_ns()
        session.score(vector)
        spent.append(time.perf_counter_ns() - started)
    return [
        Measurement(
            name=name,
            value=float(np.median(spent)) / 1_000,
            unit="µs",
            reference="promise: 20 µs a row for 200 trees, the median of single rows",
            reference_value=PROMISED_MICROSECONDS,
            at_most=1.0,
        )
    ]
