"""Is the number of predictions unusual?"""

from dataclasses import dataclass
from typing import Literal

from countersign.statistics.special import poisson_at_least, poisson_at_most

TOLERANCE = 0.30
ALPHA = 0.001


@dataclass(frozen=True, slots=True)
class VolumeResult:
    """`change` is relative to the expectation (−1 means none came), None when nothing was expected."""

    verdict: Literal["normal", "alert", "insufficient data"]
    observed: int
    expected: float
    change: float | None
    p: float


def volume_test(
    observed: int, expected: float | None, *, tolerance: float = TOLERANCE, alpha: float = ALPHA
) -> VolumeResult:
    """Alert when the count is off by `tolerance` **and** a Poisson count would be so with p < `alpha`.

    The tolerance alone cries wolf: at a mean of 20, noise passes ±30 % on 14 % of days.
    """
    if expected is None or not expected > 0:
        return VolumeResult("insufficient data", observed, expected or 0.0, None, 1.0)
    p = min(1.0, 2 * min(poisson_at_least(observed, expected), poisson_at_most(observed, expected)))
    change = observed / expected - 1.0
    alert = abs(change) >= tolerance and p < alpha
    return VolumeResult("alert" if alert else "normal", observed, expected, change, p)
