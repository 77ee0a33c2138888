"""Sample-ratio mismatch: did the split deliver the shares that were planned?"""

from collections.abc import Sequence
from dataclasses import dataclass

from countersign.statistics.errors import ShapeError
from countersign.statistics.special import chi_square_tail

HALT_BELOW = 0.001


@dataclass(frozen=True, slots=True)
class RatioResult:
    """`halt` when the counts are very unlikely under the planned shares."""

    statistic: float
    p: float
    halt: bool


def sample_ratio_mismatch(
    counts: Sequence[int], shares: Sequence[float], *, alpha: float = HALT_BELOW
) -> RatioResult:
    """Chi-square of observed counts against planned shares; halt at p < `alpha`.

    A variant planned at share 0 that receives anything halts at once. No rows at all never halts.
    """
    if len(counts) != len(shares) or len(counts) < 2 or not sum(shares) > 0:
        raise ShapeError("as many counts as shares, two or more, and shares with a positive sum")
    total, whole = sum(counts), sum(shares)
    if any(share == 0 and count > 0 for count, share in zip(counts, shares, strict=True)):
        return RatioResult(float("inf"), 0.0, halt=True)
    planned = [
        (count, total * share / whole)
        for count, share in zip(counts, shares, strict=True)
        if share > 0
    ]
    if total == 0 or len(planned) < 2:
        return RatioResult(0.0, 1.0, halt=False)
    statistic = sum((count - expected) ** 2 / expected for count, expected in planned)
    p = chi_square_tail(statistic, len(planned) - 1)
    return RatioResult(statistic, p, halt=p < alpha)
