"""Two versions side by side: figures with their intervals, and what one was made of that the other was not."""

from __future__ import annotations

from typing import Any

from countersign.governance.versions import VersionRecord

# Where less is better; a difference is `better` or `worse` by this.
LESS_IS_BETTER = ("brier", "log_loss", "cost", "false_positive", "latency", "psi", "error")


def side_by_side(left: VersionRecord, right: VersionRecord) -> list[dict[str, Any]]:
    """Each metric of both: {metric, version, with, version_interval, with_interval, difference, apart, verdict}.

    `apart`: the intervals do not overlap; null where one of them is unknown. `verdict` is better, worse
    or level (not apart), seen from `left`; null where it cannot be said.
    """
    rows = []
    for name in sorted({*left.metrics, *right.metrics}):
        mine, theirs = left.metrics.get(name), right.metrics.get(name)
        known = mine is not None and theirs is not None
        difference = (
            float(mine) - float(theirs) if mine is not None and theirs is not None else None
        )
        separate = _apart(left.intervals.get(name), right.intervals.get(name)) if known else None
        rows.append(
            {
                "metric": name,
                "version": mine,
                "with": theirs,
                "version_interval": left.intervals.get(name),
                "with_interval": right.intervals.get(name),
                "difference": difference,
                "apart": separate,
                "verdict": _verdict(name, difference, separate),
            }
        )
    return rows


def differences(left: VersionRecord, right: VersionRecord) -> dict[str, Any]:
    """What `left` was made of beside `right`: hyperparameters by name, data windows, threshold, code."""
    names = sorted({*left.hyperparameters, *right.hyperparameters})
    return {
        "hyperparameters": [
            {
                "name": n,
                "version": left.hyperparameters.get(n),
                "with": right.hyperparameters.get(n),
            }
            for n in names
            if left.hyperparameters.get(n) != right.hyperparameters.get(n)
        ],
        "windows": [
            {"split": n, "version": left.windows.get(n), "with": right.windows.get(n)}
            for n in ("train", "valid", "test")
            if left.windows.get(n) != right.windows.get(n)
        ],
        "threshold": {
            "version": left.cost_optimal_threshold,
            "with": right.cost_optimal_threshold,
        },
        "views_redefined": sorted(
            view
            for view in {*left.definitions, *right.definitions}
            if left.definitions.get(view) != right.definitions.get(view)
        ),
        "environment_equal": left.environment == right.environment,
        "why": {"version": left.why, "with": right.why},
    }


def _apart(mine: list[float | None] | None, theirs: list[float | None] | None) -> bool | None:
    if not mine or not theirs:
        return None
    (low, high), (their_low, their_high) = mine, theirs
    if low is None or high is None or their_low is None or their_high is None:
        return None
    return low > their_high or their_low > high


def _verdict(name: str, difference: float | None, separate: bool | None) -> str | None:
    if difference is None or separate is None:
        return None
    if not separate or not difference:
        return "level"
    less = any(word in name for word in LESS_IS_BETTER)
    return "better" if (difference < 0) == less else "worse"
