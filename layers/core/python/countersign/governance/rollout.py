"""A staged rollout: which cohorts come when, and what its guards make of what was seen.

A guard never promotes: it lets the next step be taken, holds it, or rolls it back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from countersign.declare import Gate, Rollout

Verdict = Literal["advance", "hold", "rollback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardPolicy:
    """What a guard does when it sees little.

    No request at all reached the step's cohorts: nothing served, nothing to judge, the step is taken
    and recorded as `no-traffic`. Fewer than `minimum` requests: another wait, `holds` times at most,
    after which the few are judged as they are. Scores that are not finite numbers never wait.
    """

    minimum: int = 30
    holds: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request of the step's cohorts: did the candidate answer it, in what time, how."""

    answered: bool
    decision: str
    latency_ms: float
    non_finite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardReport:
    """What was seen and what follows. `failed` names the guards that did not hold."""

    verdict: Verdict
    reason: str
    n: int
    metrics: dict[str, float | None]
    failed: tuple[str, ...] = ()
    holds: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "failed": list(self.failed)}


def cohort_steps(rollout: Rollout) -> list[list[str]]:
    """The cohorts of each step, lowest risk first; each step serves more than the one before.

    A share is rounded up, so the first step serves at least one cohort, and the last serves all.
    """
    steps: list[list[str]] = []
    for share in rollout.steps:
        count = min(len(rollout.cohorts), max(1, math.ceil(share * len(rollout.cohorts) - 1e-9)))
        if not steps or count > len(steps[-1]):
            steps.append(list(rollout.cohorts[:count]))
    if not steps or len(steps[-1]) < len(rollout.cohorts):
        steps.append(list(rollout.cohorts))
    return steps


def judge_guard(
    gates: Sequence[Gate], seen: Sequence[Seen], *, holds: int, policy: GuardPolicy | None = None
) -> GuardReport:
    """Advance, hold or roll back, from the requests seen since the step began.

    `holds` counts the waits already added to this step for want of data.
    """
    policy = policy or GuardPolicy()
    metrics = guard_metrics(seen)

    def report(verdict: Verdict, reason: str, failed: tuple[str, ...] = ()) -> GuardReport:
        return GuardReport(
            verdict=verdict, reason=reason, n=len(seen), metrics=metrics, failed=failed, holds=holds
        )

    if any(s.non_finite for s in seen):
        return report("rollback", "a score was not a finite number in its range", ("non_finite",))
    if not seen:
        return report("advance", "no-traffic")
    if len(seen) < policy.minimum and holds < policy.holds:
        return report("hold", f"{len(seen)} requests of the {policy.minimum} that it takes")
    known = {name: value for name, value in metrics.items() if value is not None}
    failed = tuple(gate.metric for gate in gates if not gate.holds(known))
    if failed:
        return report("rollback", f"{', '.join(failed)} did not hold", failed)
    few = len(seen) < policy.minimum
    return report("advance", "guards hold on few requests" if few else "guards hold")


def guard_metrics(seen: Sequence[Seen]) -> dict[str, float | None]:
    """`error_rate`: share that the candidate did not answer; `latency_p95_ms`; `review_rate`.

    Where decisions are strategies nobody reviews or passes: `review_rate` is unknown, and its guard fails.
    """
    if not seen:
        return {"error_rate": None, "latency_p95_ms": None, "review_rate": None}
    latencies = sorted(s.latency_ms for s in seen)
    return {
        "error_rate": sum(not s.answered for s in seen) / len(seen),
        "latency_p95_ms": latencies[max(0, math.ceil(0.95 * len(latencies)) - 1)],
        "review_rate": _review_rate(seen),
    }


def _review_rate(seen: Sequence[Seen]) -> float | None:
    if any(s.decision not in {"review", "pass"} for s in seen):
        return None
    return sum(s.decision == "review" for s in seen) / len(seen)


def seconds(span_seconds: float, time_scale: float) -> int:
    """A declared wait in this environment, in whole seconds as state machines count them."""
    return max(0, round(span_seconds * time_scale))


def shadow_report(pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a shadow said beside what was answered: {score, decision} of each, and {shadow_…}."""
    gaps = [abs(float(p["shadow_score"]) - float(p["score"])) for p in pairs]
    return {
        "n": len(pairs),
        "mean_absolute_difference": sum(gaps) / len(gaps) if gaps else None,
        "share_over_0.1": sum(gap > 0.1 for gap in gaps) / len(gaps) if gaps else None,
        "decisions_that_differ": sum(p["shadow_decision"] != p["decision"] for p in pairs),
        "non_finite": sum(not math.isfinite(float(p["shadow_score"])) for p in pairs),
    }
