"""The soak: the candidate scores every request too, and nobody sees it."""

from __future__ import annotations

from typing import Any

from countersign.aws.stores import Stores
from countersign.governance.rollout import shadow_report
from countersign.steps.promote.asked import ACTOR, Request, candidate, planned


def start(stores: Stores, asked: Request) -> dict[str, Any]:
    """Make the candidate a shadow. Without a champion nothing is answered, so nothing is shadowed."""
    plan = planned(stores, asked)
    if not plan["champion"]:
        return {"shadowing": False, "reason": "no champion answers yet", "epoch": plan["epoch"]}
    change_id = f"shadow#{asked.rollout_id}"
    pointer = stores.registry.start_shadow(
        asked.use_case, candidate(plan), actor=ACTOR, change_id=change_id
    )
    facts = {"version": plan["version"], "epoch": pointer["epoch"], "rollout_id": asked.rollout_id}
    stores.audit.append(asked.use_case, "shadow-started", ACTOR, facts, once=change_id)
    return {"shadowing": True, "epoch": pointer["epoch"]}


def check(stores: Stores, asked: Request) -> dict[str, Any]:
    """What it said during the soak. A score that is no finite number sends it back; the rest informs."""
    plan = planned(stores, asked)
    since, now = str(plan["planned_at"]), stores.registry.now()
    pairs = []
    for prediction in stores.predictions.between(asked.use_case, since, now):
        said = prediction.shadow_scores.get(plan["version"])
        if said is not None and said.get("score") is not None:
            pairs.append(
                {
                    "score": prediction.score,
                    "decision": prediction.decision,
                    "shadow_score": said["score"],
                    "shadow_decision": said.get("decision", ""),
                }
            )
    report = shadow_report(pairs)
    verdict = "rollback" if report["non_finite"] else "advance"
    facts = {"rollout_id": asked.rollout_id, "version": plan["version"], "verdict": verdict}
    stores.audit.append(
        asked.use_case,
        "shadow-checked",
        ACTOR,
        {**facts, "n": report["n"]},
        once=f"shadow-checked#{asked.rollout_id}",
    )
    return {"verdict": verdict, **report}
