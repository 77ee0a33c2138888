"""What a benchmark gives back, and how one is timed."""

from __future__ import annotations

import gc
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One measured thing beside what it is held against. `ratio` = value ÷ reference_value.

    `at_most` is the bound on the ratio that the product promises, or None where there is none.
    """

    name: str
    value: float
    unit: str
    reference: str
    reference_value: float
    at_most: float | None = None

    @property
    def ratio(self) -> float:
        return self.value / self.reference_value

    @property
    def kept(self) -> bool:
        return self.at_most is None or self.ratio <= self.at_most

    def as_row(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "kept": self.kept}


def seconds(call: Callable[[], object], *, repeat: int = 3) -> float:
    """The median wall time of `call` over `repeat` runs, the garbage collector held off."""
    spent = []
    for _ in range(repeat):
        gc.collect()
        started = time.perf_counter()
        call()
        spent.append(time.perf_counter() - started)
    return statistics.median(spent)


def percentiles(call: Callable[[], object], *, repeat: int) -> tuple[float, float]:
    """Median and 99th percentile of `call` in milliseconds, after a tenth of warm-up."""
    for _ in range(max(1, repeat // 10)):
        call()
    spent = []
    for _ in range(repeat):
        started = time.perf_counter_ns()
        call()
        spent.append((time.perf_counter_ns() - started) / 1e6)
    spent.sort()
    return spent[len(spent) // 2], spent[int(len(spent) * 0.99)]


def peak_megabytes() -> float:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
