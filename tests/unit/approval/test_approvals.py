"""Two people who are not the author sign, in time, on evidence that has not changed."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from countersign.aws import registry_decisions
from countersign.errors import (
    AlreadyDecidedError,
    ConflictError,
    ExpiredError,
    NotFoundError,
    RequestError,
    RoleError,
    SelfApprovalError,
)

from tests.unit.operate.house import House
from tests.unit.registry.world import USE_CASE

ROUTE = "/v1/approvals/{id}/decision"


def status(house: House, approval_id: str) -> str:
    return house.stores.registry.approval(approval_id).status


def test_an_approval_names_its_evidence_roles_authors_and_deadline(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    shown = house.call("team-lead", "GET", "/v1/approvals/{id}", id=opened).document
    assert shown["required_roles"] == ("ml-engineer", "team-lead")
    assert {a["person"] for a in shown["authors"]} == {"olga", "dana"}
    assert shown["evidence"]["validation"]["p95_ms"] == 1.5
    assert shown["evidence"]["candidate"]["version"] == "1.0.0"
    assert shown["deadline_at"] > shown["opened_at"]


def test_both_roles_sign_and_the_machine_goes_on(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    tokens = {role: house.wait_for(opened, role) for role in ("ml-engineer", "team-lead")}
    house.decide(opened, "ml-engineer")
    assert list(house.step_functions.resumed) == [tokens["ml-engineer"]]
    house.decide(opened, "team-lead")
    assert set(house.step_functions.resumed) == set(tokens.values())
    concluded = house.approval("conclude", approval_id=opened)
    assert (concluded["status"], concluded["signed_by"]) == (
        "APPROVED",
        ["ml-engineer", "team-lead"],
    )


def test_one_rejection_ends_it_and_wakes_every_branch(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    tokens = {house.wait_for(opened, role) for role in ("ml-engineer", "team-lead")}
    house.decide(opened, "team-lead", "reject")
    assert set(house.step_functions.resumed) == tokens
    assert house.approval("conclude", approval_id=opened)["status"] == "REJECTED"
    with pytest.raises(AlreadyDecidedError):
        house.decide(opened, "ml-engineer")


def test_nobody_approves_their_own_change(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    with pytest.raises(SelfApprovalError):
        house.decide(opened, "data-scientist")
    assert status(house, opened) == "PENDING"


def test_the_author_is_refused_in_any_role_they_hold(house: House) -> None:
    authors = ({"person": "milo", "role": "ml-engineer"},)
    opened = house.open_promotion(house.register("run-1", authors=authors))
    with pytest.raises(SelfApprovalError):
        house.decide(opened, "ml-engineer")


def test_a_role_that_is_not_asked_cannot_sign(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    with pytest.raises(RoleError):
        house.decide(opened, "bsa-officer")


def test_a_second_decision_by_a_role_is_refused(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    house.decide(opened, "ml-engineer")
    with pytest.raises(AlreadyDecidedError):
        house.decide(opened, "ml-engineer")


def test_the_person_comes_from_the_signature_never_from_the_body(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    body = {"decision": "approve", "reason": "r", "person": "tess", "role": "team-lead"}
    with pytest.raises(RequestError, match="person, role"):
        house.call("data-scientist", "POST", ROUTE, body, id=opened)


def test_a_late_decision_is_refused_and_the_approval_expires(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    token = house.wait_for(opened, "team-lead")
    house.pass_time(days=8)
    with pytest.raises(ExpiredError):
        house.decide(opened, "team-lead")
    assert house.approval("reconcile")["expired"] == 1
    assert status(house, opened) == "EXPIRED"
    assert house.step_functions.resumed[token]["verdict"] == "none"


def test_expiring_before_the_deadline_does_nothing(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    assert house.approval("expire", approval_id=opened)["status"] == "PENDING"
    house.pass_time(days=8)
    assert house.approval("expire", approval_id=opened)["status"] == "EXPIRED"


def tamper(house: House, version: str) -> None:
    """Someone edits the registered record behind the registry's back."""
    table, key = "registry", {"pk": {"S": f"model#{USE_CASE}"}}
    key["sk"] = {"S": "version#" + ".".join(f"{int(n):06d}" for n in version.split("."))}
    item = house.world.dynamodb.get_item(TableName=table, Key=key)["Item"]
    item["record"]["S"] = item["record"]["S"].replace('"auc":0.91', '"auc":0.99')
    house.world.dynamodb.put_item(TableName=table, Item=item)


def test_changed_evidence_voids_the_approval(house: House) -> None:
    version = house.register("run-1")
    opened = house.open_promotion(version)
    tokens = {house.wait_for(opened, role) for role in ("ml-engineer", "team-lead")}
    house.decide(opened, "ml-engineer")
    tamper(house, version.version)
    with pytest.raises(ConflictError, match="changed"):
        house.decide(opened, "team-lead")
    assert status(house, opened) == "VOID"
    assert set(house.step_functions.resumed) == tokens


def test_a_new_champion_voids_what_was_compared_with_the_old_one(house: House) -> None:
    waiting = house.register("run-1")
    opened = house.open_promotion(waiting)
    house.rollout(house.register("run-2"))
    with pytest.raises(ConflictError, match="changed"):
        house.decide(opened, "team-lead")
    assert status(house, opened) == "VOID"


def test_a_decision_that_names_other_evidence_is_refused(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    body = {"decision": "approve", "reason": "r", "evidence_digest": "0" * 64}
    with pytest.raises(ConflictError):
        house.call("team-lead", "POST", ROUTE, body, id=opened)
    assert status(house, opened) == "PENDING"


def test_a_decision_before_the_branch_waits_is_not_lost(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    house.decide(opened, "ml-engineer")
    token = house.wait_for(opened, "ml-engineer")
    assert house.step_functions.resumed[token]["verdict"] == "approve"


def test_a_decision_saved_whose_wake_up_was_lost_is_reconciled(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    token = house.wait_for(opened, "ml-engineer")
    house.step_functions.deaf = True
    with pytest.raises(ClientError):
        house.decide(opened, "ml-engineer")
    house.step_functions.deaf = False
    assert house.approval("reconcile")["resumed"] == 1
    assert house.step_functions.resumed[token]["verdict"] == "approve"
    assert house.approval("reconcile")["resumed"] == 0


def test_the_last_decision_whose_wake_up_was_lost_is_reconciled_too(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    house.decide(opened, "ml-engineer")
    token = house.wait_for(opened, "team-lead")
    house.step_functions.deaf = True
    with pytest.raises(ClientError):
        house.decide(opened, "team-lead")
    house.step_functions.deaf = False
    house.approval("reconcile")
    assert token in house.step_functions.resumed
    assert status(house, opened) == "APPROVED"


def test_a_token_that_no_longer_waits_harms_nothing(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    house.wait_for(opened, "ml-engineer")
    house.step_functions.waiting.clear()
    house.decide(opened, "ml-engineer")
    assert house.approval("reconcile")["resumed"] == 0
    house.decide(opened, "team-lead")
    assert status(house, opened) == "APPROVED"


def test_a_retried_branch_replaces_its_token(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    house.wait_for(opened, "ml-engineer")
    second = house.wait_for(opened, "ml-engineer")
    house.decide(opened, "ml-engineer")
    assert list(house.step_functions.resumed) == [second]


def test_no_token_leaves_the_server(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    token = house.wait_for(opened, "ml-engineer")
    shown = str(house.call("auditor", "GET", "/v1/approvals/{id}", id=opened).document)
    shown += str(house.call("auditor", "GET", "/v1/approvals").document)
    shown += str([e.as_dict() for e in house.stores.audit.entries(USE_CASE)])
    assert token not in shown


def test_the_same_request_asks_once(house: House) -> None:
    version = house.register("run-1")
    assert house.open_promotion(version, "one") == house.open_promotion(version, "one")
    assert house.actions().count("approval-opened") == 1


def test_what_is_not_there_is_not_found(house: House) -> None:
    with pytest.raises(NotFoundError):
        house.decide("promotion-unknown", "team-lead")


def console(house: House, approval_id: str, role: str, **changes: Any) -> dict[str, Any]:
    fields = {"decision": "approve", "reason": "r", "person": f"console:{role}", "via": "arn:x"}
    return house.approval("decide", approval_id=approval_id, role=role, **{**fields, **changes})


def test_the_console_machine_decides_for_its_role_with_its_execution_on_record(
    house: House,
) -> None:
    opened = house.open_promotion(house.register("run-1"))
    console(house, opened, "team-lead")
    (decision,) = house.stores.registry.approval(opened).decisions
    assert (decision.person, decision.via) == ("console:team-lead", "arn:x")


def test_the_console_cannot_sign_in_a_role_that_an_author_holds(house: House) -> None:
    """It knows no person, so any holder of the role could be the author."""
    authors = ({"person": "milo", "role": "ml-engineer"},)
    opened = house.open_promotion(house.register("run-1", authors=authors))
    with pytest.raises(SelfApprovalError, match="console"):
        console(house, opened, "ml-engineer")


def test_a_machine_speaks_for_its_own_role_only(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    with pytest.raises(RoleError):
        console(house, opened, "team-lead", person="console:ml-engineer")


def test_two_roles_deciding_at_the_same_moment_both_count(house: House) -> None:
    """The other signature lands between our read and our write."""
    opened = house.open_promotion(house.register("run-1"))
    dynamodb = house.stores.registry._db
    real, raced = dynamodb.transact_write_items, []

    def interfere(**arguments: Any) -> Any:
        if not raced:
            raced.append(True)
            house.decide(opened, "ml-engineer")
        return real(**arguments)

    dynamodb.transact_write_items = interfere
    house.decide(opened, "team-lead")
    dynamodb.transact_write_items = real
    approval = house.stores.registry.approval(opened)
    assert (approval.status, len(approval.decisions)) == ("APPROVED", 2)


def test_every_step_of_an_approval_is_on_the_chain(house: House) -> None:
    opened = house.open_promotion(house.register("run-1"))
    house.decide(opened, "ml-engineer")
    house.decide(opened, "team-lead", "reject")
    assert house.actions() == ["approval-opened", "approval-decided", "approval-decided"]
    assert house.stores.audit.verify(USE_CASE).valid


def test_an_unknown_action_is_named(house: House) -> None:
    with pytest.raises(RequestError):
        house.approval("approve")
    assert registry_decisions.reconcile(house.stores) == {"expired": 0, "resumed": 0}
