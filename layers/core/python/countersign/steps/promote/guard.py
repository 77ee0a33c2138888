"""Look at what the candidate did for the cohorts that it serves."""

from __future__ import annotations

from typing import Any

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.errors import EpochConflictError
from countersign.governance.rollout import Seen, judge_guard
from countersign.serving.prediction import Prediction
from countersign.steps.promote.asked import ACTOR, Request, planned

NON_FINITE = "model-output-invalid"


def run(stores: Stores, asked: Request) -> dict[str, Any]:
    """Advance, complete, hold or roll back. What was judged once for a step stands.

    Raises EpochConflictError when this rollout is no longer under way: someone rolled it back.
    """
    plan = planned(stores, asked)
    pointer = stores.registry.pointer(asked.use_case)
    rollout = pointer["rollout"]
    if rollout is None or rollout["rollout_id"] != asked.rollout_id:
        raise EpochConflictError(f"Rollout {asked.rollout_id} is no longer under way")
    step = int(rollout["step"])
    judged = stores.registry.guards(asked.use_case, asked.rollout_id)
    done = [g for g in judged if g["step"] == step and g["verdict"] != "hold"]
    verdict = done[0] if done else judge(stores, asked, plan, step, len(judged))
    last = step >= len(plan["steps"])
    outcome = "complete" if last and verdict["verdict"] == "advance" else verdict["verdict"]
    return {
        "verdict": outcome,
        "step": step,
        "reason": verdict["reason"],
        "n": verdict["n"],
        "metrics": verdict["metrics"],
    }


def judge(
    stores: Stores, asked: Request, plan: dict[str, Any], step: int, number: int
) -> dict[str, Any]:
    """Judge the step on the requests since it began, and keep the verdict."""
    rollout = stores.registry.pointer(asked.use_case)["rollout"]
    began = stores.registry.change_made(asked.use_case, f"rollout#{asked.rollout_id}#{step}")
    since = began["updated_at"] if began else str(plan["planned_at"])
    cohorts = set(rollout["cohorts"]) if rollout else set()
    logged = stores.predictions.between(asked.use_case, since, stores.registry.now())
    seen = [seen_of(p, plan["version"]) for p in logged if p.cohort in cohorts]
    earlier = stores.registry.guards(asked.use_case, asked.rollout_id)
    holds = sum(1 for g in earlier if g["step"] == step and g["verdict"] == "hold")
    gates = use_cases.get(asked.use_case).rollout.guards
    verdict = {"step": step, "since": since, **judge_guard(gates, seen, holds=holds).as_dict()}
    name = f"{step:02d}#{number:04d}"
    stores.registry.record_guard(asked.use_case, asked.rollout_id, name, verdict)
    stores.audit.append(
        asked.use_case,
        "guard-judged",
        ACTOR,
        {"rollout_id": asked.rollout_id, "version": plan["version"], **verdict},
        once=f"guard-judged#{asked.rollout_id}#{name}",
    )
    return verdict


def seen_of(prediction: Prediction, version: str) -> Seen:
    """A logged prediction as the guard sees it."""
    return Seen(
        answered=prediction.version == version,
        decision=prediction.decision,
        latency_ms=sum(prediction.latency_ms.values()),
        non_finite=f"{NON_FINITE}:{version}" in prediction.degraded,
    )
