"""Who may change a model on duty, and what each change does: the deployed system, from outside."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from countersign.cli.local_cloud.settings import ROLES

from tests.local.life import BY_TWO, MODEL, USE_CASE, Life

APPROVERS = ("ml-engineer", "data-scientist", "team-lead", "bsa-officer")


@pytest.mark.parametrize("role", ROLES)
def test_nobody_starts_a_training_by_hand_however_good_the_trigger(life: Life, role: str) -> None:
    triggers = life.told("auditor", "GET", f"{MODEL}/retraining")["triggers"]
    payload = {"use_case": USE_CASE, "trigger_id": triggers[0]["trigger_id"]}
    with pytest.raises(ClientError) as refused:
        life.cloud.start_machine("training", payload, identity=role)
    assert refused.value.response["Error"]["Code"].startswith("AccessDenied")


@pytest.mark.parametrize("machine", [f"decide-{role}" for role in APPROVERS])
def test_each_console_machine_belongs_to_its_role_alone(life: Life, machine: str) -> None:
    payload = {"approval_id": "promotion-none", "decision": "approve", "reason": "a test"}
    owner = machine.removeprefix("decide-")
    for role in set(ROLES) - {owner}:
        with pytest.raises(ClientError, match="not authorized"):
            life.cloud.start_machine(machine, payload, identity=role)
    assert life.cloud.start_machine(machine, payload, identity=owner)


def test_who_proposed_a_retraining_may_not_approve_it(life: Life) -> None:
    proposed = life.propose("data-scientist", life.as_of)
    status, headers, problem = life.decide(proposed["approval_id"], "data-scientist")
    assert status == 403
    assert headers["Content-Type"].startswith("application/problem+json")
    assert problem["type"] == "urn:countersign:problem:self-approval"
    assert life.execution("training", name=proposed["trigger_id"]) is None


def test_a_rejected_retraining_is_decided_for_good_and_starts_nothing(life: Life) -> None:
    proposed = life.propose("operator", life.as_of)
    approval = proposed["approval_id"]
    assert life.decide(approval, "ml-engineer").status == 403
    assert life.decide(approval, "operator").status == 403
    assert life.decide(approval, "data-scientist", "reject").body["status"] == "REJECTED"
    status, _, problem = life.decide(approval, "data-scientist")
    assert (status, problem["type"]) == (409, "urn:countersign:problem:already-decided")
    life.ended(proposed["execution"])
    assert life.execution("training", name=proposed["trigger_id"]) is None


def test_who_requests_a_promotion_may_not_sign_it_and_one_refusal_ends_it(life: Life) -> None:
    before = life.pointer()
    arn, approval = life.request_promotion(life.versions[1], "ml-engineer")
    identity = approval["approval_id"]
    assert set(approval["required_roles"]) == set(BY_TWO)
    assert life.decide(identity, "ml-engineer").body["type"].endswith(":self-approval")
    assert life.decide(identity, "data-scientist").status == 403
    assert life.decide(identity, "team-lead", "reject", "not now").status == 200
    assert life.decide(identity, "team-lead").status == 409
    ended = life.cloud.await_execution(arn, 60)
    assert not ended.ok
    after = life.pointer()
    assert (after["champion"], after["rollout"]) == (before["champion"], before["rollout"])


@pytest.mark.parametrize(
    ("identity", "method", "path", "body"),
    [
        ("auditor", "POST", f"{MODEL}/rollback", {"reason": "a test"}),
        ("data-scientist", "POST", f"{MODEL}/kill-switch", {"on": True, "reason": "a test"}),
        ("operator", "POST", f"{MODEL}/promotion", {"version": "1.0.0"}),
        ("scoring-client", "GET", "/v1/models", None),
        ("team-lead", "POST", f"{MODEL}/retraining", {"reason": "a test"}),
        ("auditor", "POST", "/v1/payroll/anomaly/score", {}),
    ],
)
def test_a_role_that_is_not_held_is_refused_and_moves_nothing(
    life: Life, identity: str, method: str, path: str, body: Any
) -> None:
    before = life.pointer()
    assert life.call(identity, method, path, body).status == 403
    assert life.pointer() == before


def test_workers_are_never_shared_out_by_chance(life: Life) -> None:
    before = life.pointer()
    body = {"use_case": USE_CASE, "champion_pct": 90, "challenger_pct": 10}
    status, _, problem = life.call("ml-engineer", "POST", "/v1/serving/routing", body)
    assert status == 403
    assert "never randomised" in problem["detail"]
    assert life.pointer() == before


def answered(life: Life) -> dict[str, Any]:
    """A fresh answer."""
    status, _, body = life.score(life.draft())
    assert status == 200
    return dict(body)


def test_the_kill_switch_leaves_the_rules_and_gives_the_model_back(life: Life) -> None:
    champion = life.pointer()["champion"]["version"]
    switch = f"{MODEL}/kill-switch"
    life.told("operator", "POST", switch, {"on": True, "reason": "a test"})
    try:
        told = life.wait(
            "rules alone",
            lambda: next((a for a in [answered(life)] if a["degraded"]), None),
            seconds=5,
        )
        assert told["model"]["version"] == "rules-only"
        assert life.logged(told["prediction_id"])["degraded"] == told["degraded"]
        path = f"/v1/predictions/{told['prediction_id']}/replay"
        assert life.told("auditor", "GET", path)["identical"]
    finally:
        life.told("operator", "POST", switch, {"on": False, "reason": "a test is over"})
    life.wait("the model", lambda: answered(life)["model"]["version"] == champion, seconds=5)


def test_a_rollback_serves_the_predecessor_within_seconds_and_puts_the_bad_version_away(
    life: Life,
) -> None:
    first, second = life.versions
    life.promote(second)
    life.wait("the new version", lambda: answered(life)["model"]["version"] == second, seconds=5)
    before = life.pointer()
    path, stale = f"{MODEL}/rollback", {"reason": "a test", "epoch": before["epoch"] - 1}
    status, _, problem = life.call("operator", "POST", path, stale)
    assert (status, problem["type"]) == (409, "urn:countersign:problem:epoch-conflict")
    assert life.pointer() == before

    current = {"reason": "a test", "epoch": before["epoch"]}
    assert life.told("operator", "POST", path, current)["version"] == first
    life.wait("the predecessor", lambda: answered(life)["model"]["version"] == first, seconds=5)
    after = life.pointer()
    assert second in after["quarantined"]
    assert after["epoch"] == before["epoch"] + 1
    again = life.call("data-scientist", "POST", f"{MODEL}/promotion", {"version": second})
    assert again.status == 409


def test_the_audit_chain_verifies_and_tells_the_life_in_order(life: Life) -> None:
    checked = life.told("auditor", "GET", f"/v1/audit/{USE_CASE}/verify")
    assert checked["valid"], checked
    entries = life.told("auditor", "GET", f"/v1/audit/{USE_CASE}")["entries"]
    actions = [entry["action"] for entry in entries]
    told = [
        actions.index(a) for a in ("approval-opened", "approval-decided", "promotion-requested")
    ]
    assert told == sorted(told)
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
