"""Are there as many predictions as there should be?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from countersign.statistics.volume import ALPHA, TOLERANCE, volume_test

FEWEST = 2


def judge_volume(
    observed: int, comparable: Sequence[int], *, tolerance: float = TOLERANCE, alpha: float = ALPHA
) -> dict[str, Any]:
    """Hold a day's count against the same days of earlier weeks.

    Parameters
    ----------
    observed : int
        Predictions of the day.
    comparable : sequence of int
        Counts of the same weekday, or the same payroll day, before it; days that never were are left out.
    tolerance, alpha : float
        Alert at this relative change, if a Poisson count would show it with p below alpha.

    Returns
    -------
    dict
        `{verdict: normal|alert|insufficient data, observed, expected, change, p, days, reason}`
    """
    expected = sum(comparable) / len(comparable) if len(comparable) >= FEWEST else None
    result = asdict(volume_test(observed, expected, tolerance=tolerance, alpha=alpha))
    reason = {
        "normal": "within what the calendar and chance allow",
        "alert": f"{observed} where about {result['expected']:.0f} were expected",
        "insufficient data": f"{len(comparable)} comparable days; {FEWEST} with predictions are needed",
    }[result["verdict"]]
    return {**result, "days": len(comparable), "reason": reason}
