"""Is a production model's retraining due? Then it is proposed, once in a period; a person approves it."""

from __future__ import annotations

from typing import Any

from countersign import use_cases
from countersign.aws.raised import raise_once
from countersign.aws.stores import Stores
from countersign.clock import iso, parse_iso
from countersign.governance.cadence import due_after, newest_due
from countersign.steps.monitor.psi import ACTOR

RUNBOOK = "docs/runbooks/retraining.md"
UNDER_WAY = ("APPROVED", "STARTED")
TO_DO = (
    "Look at the drift and performance of the last period, and approve the proposed retraining or reject it "
    "with a reason. Nothing is retrained until a data scientist approves."
)


def run(stores: Stores) -> dict[str, Any]:
    """Every champion: write down when it is due; propose what is, unless a retraining is under way."""
    results = {
        name: of_champion(stores, name, version) for name, version in stores.registry.production()
    }
    due = sorted(name for name, result in results.items() if result["due"])
    return {"day": stores.clock.now().date().isoformat(), "due": due, "results": results}


def of_champion(stores: Stores, use_case: str, version: str) -> dict[str, Any]:
    """`next_retrain` stays the first missed date until a newer version takes over."""
    cadence = use_cases.get(use_case).retrain
    record = stores.registry.version(use_case, version).record
    trained_at, now = parse_iso(record.training_date), stores.clock.now()
    next_retrain = iso(due_after(trained_at, cadence))
    stores.registry.record_monitoring(use_case, version, {"next_retrain": next_retrain})
    told = {"version": version, "cadence": cadence, "next_retrain": next_retrain}
    passed = newest_due(trained_at, cadence, now)
    if passed is None:
        return {**told, "due": False, "trigger_id": None, "reason": "not due yet"}
    busy = [t for t in stores.registry.triggers(use_case) if t["status"] in UNDER_WAY]
    if busy:
        waiting = f"{busy[-1]['trigger_id']} is {busy[-1]['status']}"
        return {**told, "due": True, "trigger_id": None, "reason": waiting}
    trigger_id = propose(stores, use_case, told, trained=record.training_date, due=iso(passed))
    return {**told, "due": True, "trigger_id": trigger_id, "reason": "proposed"}


def propose(stores: Stores, use_case: str, told: dict[str, Any], *, trained: str, due: str) -> str:
    """One proposal and one notice for a period, however often the check runs in it."""
    version, cadence = told["version"], told["cadence"]
    key = f"{version}#{due}"
    facts = {"version": version, "cadence": cadence, "trained": trained, "due": due}
    why = f"{version} was trained {trained[:10]}; its {cadence} retraining was due {due[:10]}"
    trigger_id = stores.registry.propose_retraining(
        use_case, "scheduled", facts, ACTOR, reason=why, key=key
    )
    raise_once(
        stores,
        use_case=use_case,
        kind="retraining",
        key=key,
        subject=f"Retraining of {use_case} {version} is due",
        severity="low",
        what=f"{use_case}: {why}.",
        facts={**facts, "proposal": trigger_id},
        to_do=TO_DO,
        runbook=RUNBOOK,
    )
    return trigger_id
