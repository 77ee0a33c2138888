"""How available was the feature store, and how much of the month's error budget is spent?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from countersign.statistics.proportions import wilson

TARGET = 0.999


def judge_availability(
    outcomes: Sequence[bool],
    *,
    probe_minutes: float,
    month_minutes: float,
    due: int,
    target: float = TARGET,
) -> dict[str, Any]:
    """The month so far, from probes at regular times.

    Parameters
    ----------
    outcomes : sequence of bool, shape (k,)
        Whether the store did its part, probe by probe.
    probe_minutes : float
        What one probe stands for, minutes.
    month_minutes : float
        The whole month, minutes: the budget is the share of it that the target leaves.
    due : int
        Probes that should have been made so far. One that was not made says nothing of the store; it
        is told apart.
    target : float
        The share of the time in which the store must do its part.

    Returns
    -------
    dict
        `{verdict: within budget|exhausted|insufficient data, available_share: {value, low, high}, probes,
        failed, missed, budget_minutes, spent_minutes, left_minutes}`; Wilson's interval at 95 %.
    """
    probes, failed = len(outcomes), sum(not available for available in outcomes)
    budget, spent = (1 - target) * month_minutes, failed * probe_minutes
    if not probes:
        verdict = "insufficient data"
    else:
        verdict = "exhausted" if spent > budget else "within budget"
    return {
        "verdict": verdict,
        "available_share": asdict(wilson(probes - failed, probes)),
        "target": target,
        "probes": probes,
        "failed": failed,
        "missed": max(0, due - probes),
        "budget_minutes": round(budget, 3),
        "spent_minutes": round(spent, 3),
        "left_minutes": round(budget - spent, 3),
    }
