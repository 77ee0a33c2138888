"""Steps `train`, `gates`, `approve`, `promote`, `rollback` and `audit_verify`: a model's governed life."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from countersign.cli.demo.recorder import DemoError, Facts
from countersign.cli.demo.world import USE_CASE, MachineFailedError, World, stopwatch
from countersign.clock import iso

MODEL = f"/v1/models/{USE_CASE}"
EARLIER = timedelta(days=62)


def train(world: World) -> Facts:
    """Two versions: one from what was known two months ago, one from what is known now."""
    facts: Facts = {}
    for as_of in (world.as_of - EARLIER, world.as_of):
        run = train_one(world, as_of)
        facts[run.pop("version")] = run
    return facts


def train_one(world: World, as_of: datetime) -> Facts:
    """One version from what was known at `as_of`."""
    _, arn = retrain(world, as_of)
    ended = world.execution(arn, seconds=300)
    version = str(ended.output["version"])
    world.versions.append(version)
    return {"version": version, "execution": arn, "seconds": round(ended.seconds, 1)}


def retrain(world: World, as_of: datetime, use_case: str = USE_CASE) -> tuple[str, str]:
    """The operator proposes, the data scientist approves; returns the trigger and the execution."""
    started = world.now()
    proposal = world.api(
        "operator",
        "POST",
        f"/v1/models/{use_case}/retraining",
        {"trigger_type": "incident", "reason": "demo: a model is wanted", "as_of": iso(as_of)},
        expect=202,
    )
    decide(world, proposal["approval_id"], "data-scientist")
    arn = world.wait(
        "the approved training to start", lambda: world.newest_execution("training", started)
    )
    return str(proposal["trigger_id"]), str(arn)


def gates(world: World) -> Facts:
    """What was measured, gate by gate, and the evaluation report to look at."""
    facts: Facts = {}
    for version in world.versions:
        record = world.api("auditor", "GET", f"{MODEL}/versions/{version}")
        failed = [gate["metric"] for gate in record["gates"] if not gate["passed"]]
        if failed:
            raise DemoError(f"Version {version} failed its gates: {', '.join(failed)}")
        facts[version] = {gate["metric"]: gate["value"] for gate in record["gates"]}
        facts[version]["dataset"] = record["dataset_id"]
        facts["report"] = world.save_report("models", record["report_key"])
    return facts


def approve(world: World) -> Facts:
    """Request the first version's promotion; the author is refused, two others sign."""
    requested = request_promotion(world, world.versions[0])
    approval = requested["approval_id"]
    path = f"/v1/approvals/{approval}/decision"
    body = {"decision": "approve", "reason": "demo: evidence read"}
    world.api("data-scientist", "POST", path, body, expect=403)
    decide(world, approval, "ml-engineer")
    world.api("ml-engineer", "POST", path, body, expect=409)
    decide(world, approval, "team-lead")
    return {
        **requested,
        "signed_by": ["ml-engineer", "team-lead"],
        "author_refused": 403,
        "second_decision_refused": 409,
    }


def promote(world: World) -> Facts:
    """Wait for the staged rollout to reach Production."""
    return promoted(world, world.versions[0])


def request_promotion(world: World, version: str) -> Facts:
    """Start the promotion machine; wait until it asks for signatures."""
    answer = world.api(
        "data-scientist", "POST", f"{MODEL}/promotion", {"version": version}, expect=202
    )
    world.promotion = answer["execution"]

    def asked() -> dict[str, Any] | None:
        pending: list[dict[str, Any]] = world.api("team-lead", "GET", "/v1/approvals")["approvals"]
        mine = [a for a in pending if a["subject"].get("version") == version]
        if mine:
            return mine[0]
        world.fail_fast(world.promotion)
        return None

    approval = world.wait("the promotion to ask for signatures", asked, seconds=120)
    return {
        "execution": world.promotion,
        "approval_id": approval["approval_id"],
        "evidence_digest": approval["evidence_digest"],
        "required_roles": approval["required_roles"],
    }


def decide(world: World, approval_id: str, identity: str) -> None:
    """Sign an approval, once its branch of the machine waits for it."""
    body = {"decision": "approve", "reason": "demo: evidence read"}
    world.api(identity, "POST", f"/v1/approvals/{approval_id}/decision", body)


def promoted(world: World, version: str) -> Facts:
    """Wait for the promotion to end and look at what the pointer says."""
    ended = world.execution(world.promotion, seconds=300)
    model = world.api("auditor", "GET", MODEL)
    champion = model["pointer"]["champion"]
    if champion["version"] != version:
        raise DemoError(f"The champion is {champion['version']}, expected {version}")
    return {
        "execution": ended.arn,
        "version": version,
        "epoch": model["pointer"]["epoch"],
        "seconds": round(ended.seconds, 1),
        "steps": ended.output.get("steps"),
    }


def rollback(world: World) -> Facts:
    """Promote the challenger, then go back to its recorded predecessor with one call."""
    first = world.versions[0]
    second, requested, refused = promotable(world)
    for identity in ("ml-engineer", "team-lead"):
        decide(world, requested["approval_id"], identity)
    challenger = promoted(world, second)
    with stopwatch() as seconds:
        world.api(
            "operator",
            "POST",
            f"{MODEL}/rollback",
            {"reason": "demo: too many reviews"},
            expect=202,
        )
        world.wait("workers to serve the predecessor", lambda: serving(world) == first)
        effective = seconds()
    model = world.api("auditor", "GET", MODEL)
    return {
        "promoted": challenger,
        "refused_by_backtest": refused,
        "version": model["pointer"]["champion"]["version"],
        "epoch": model["pointer"]["epoch"],
        "quarantined": model["pointer"]["quarantined"],
        "effective_seconds": effective,
    }


def promotable(world: World) -> tuple[str, Facts, list[str]]:
    """A version that the backtest lets through: the challenger, or else the champion's data again."""
    refused: list[str] = []
    for version in (world.versions[1], ""):
        candidate = version or train_one(world, world.as_of - EARLIER)["version"]
        try:
            return candidate, request_promotion(world, candidate), refused
        except MachineFailedError as failed:
            if failed.state != "Worse":
                raise
            refused.append(candidate)
    raise DemoError(f"The backtest refused {', '.join(refused)}; nothing was promoted")


def serving(world: World) -> str:
    """The version that a worker serves right now."""
    served = world.api("operator", "GET", "/v1/serving/monitoring")
    return str(served["use_cases"][USE_CASE]["version"])


def audit_verify(world: World) -> Facts:
    """Recompute the chain; anything edited, dropped or reordered would be located."""
    checked = world.api("auditor", "GET", f"/v1/audit/{USE_CASE}/verify")
    if not checked["valid"]:
        raise DemoError(f"The audit chain does not verify: {checked}")
    return {"entries": checked["entries"], "head": checked["head"], "valid": True}
