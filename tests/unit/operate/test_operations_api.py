"""The operations API, as each role meets it."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from countersign.aws.audit import Seals
from countersign.clock import iso
from countersign.errors import (
    ConflictError,
    CountersignError,
    EpochConflictError,
    ForbiddenError,
    GateError,
    NotFoundError,
    RequestError,
    RoleError,
    SelfApprovalError,
)
from countersign.steps import build_features, register, seal_audit

from tests.unit.operate.house import House
from tests.unit.registry.world import REGION, USE_CASE, settings

MODEL = "/v1/models/{use_case}"


def post(house: House, role: str, action: str, body: Any, **options: Any) -> Any:
    return house.call(role, "POST", f"{MODEL}/{action}", body, use_case=USE_CASE, **options)


def get(house: House, resource: str, role: str = "auditor", **params: Any) -> Any:
    answer = house.call(role, "GET", resource, **params)
    json.dumps(answer.document, allow_nan=False)
    return answer.document


def seal_bucket() -> Seals:
    s3: Any = boto3.client("s3", region_name=REGION)
    where = {"LocationConstraint": REGION}
    s3.create_bucket(
        Bucket="seal", CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True
    )
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket="seal", ObjectLockConfiguration=lock)
    return Seals(s3, "seal")


def test_a_model_shows_its_pointer_versions_and_ledger(house: House) -> None:
    house.rollout(house.register("run-1"))
    model = get(house, MODEL, use_case=USE_CASE)
    assert model["pointer"]["champion"]["version"] == "1.0.0"
    assert [v["stage"] for v in model["versions"]] == ["Production"]
    assert model["ledger"][-1]["action"] == "promote"
    listed = get(house, "/v1/models")["models"]
    assert [m["champion"] for m in listed if m["use_case"] == USE_CASE] == ["1.0.0"]
    assert get(house, "/v1/health")["champions"][USE_CASE] == "1.0.0"


def test_what_was_in_production_on_a_date(house: House) -> None:
    before = iso(house.clock.at)
    house.rollout(house.register("run-1"))
    asked = {"at": before}
    assert get(house, MODEL, use_case=USE_CASE, query=asked)["champion_at"] is None
    asked = {"at": iso(house.clock.at)}
    assert get(house, MODEL, use_case=USE_CASE, query=asked)["champion_at"]["version"] == "1.0.0"


def test_a_version_shows_its_whole_record(house: House) -> None:
    house.register("run-1")
    shown = get(house, f"{MODEL}/versions/{{version}}", use_case=USE_CASE, version="1.0.0")
    assert shown["gates"][0]["passed"] is True
    assert shown["report_key"].endswith("report.html")
    assert shown["dataset_digest"] == "rows-of-run-1"


def test_two_versions_compare(house: House) -> None:
    house.rollout(house.register("run-1"))
    house.register("run-2", hyperparameters={"trees": 200}, metrics={"auc": 0.95})
    compared = get(house, f"{MODEL}/compare", use_case=USE_CASE)
    assert (compared["version"], compared["with"]) == ("1.1.0", "1.0.0")
    assert compared["changes"]["hyperparameters"]["to"] == {"trees": 200}
    (auc,) = [row for row in compared["metrics"] if row["metric"] == "auc"]
    assert (auc["version"], auc["with"]) == (0.95, 0.91)


def test_a_proposal_opens_an_approval_and_its_machine_and_trains_nothing(house: House) -> None:
    body = {"trigger_type": "incident", "reason": "errors", "as_of": "2026-11-20T00:00:00Z"}
    answer = post(house, "operator", "retraining", body)
    opened = answer.document
    assert answer.status == 202
    started = house.step_functions.started
    assert list(started) == [opened["approval_id"]]
    assert started[opened["approval_id"]]["machine"].endswith("approval")
    trigger = house.stores.registry.trigger(USE_CASE, opened["trigger_id"])
    assert (trigger["status"], trigger["as_of"]) == ("PROPOSED", "2026-11-20T00:00:00.000000Z")


def authorise(house: House, trigger_id: str, execution: str = "execution-1") -> dict[str, Any]:
    asked = register.Request("authorise", USE_CASE, trigger_id=trigger_id, execution=execution)
    return register.run(asked, house.stores)


def test_only_an_approved_trigger_trains_and_it_trains_once(house: House) -> None:
    opened = post(house, "operator", "retraining", {"reason": "errors"}).document
    with pytest.raises(ForbiddenError, match="PROPOSED"):
        authorise(house, opened["trigger_id"])
    house.decide(opened["approval_id"], "data-scientist")
    run = authorise(house, opened["trigger_id"])
    assert (run["run_id"], run["requested_by"]) == (f"run-{opened['trigger_id']}", "olga")
    assert authorise(house, opened["trigger_id"]) == run
    with pytest.raises(ConflictError):
        authorise(house, opened["trigger_id"], "execution-2")


def test_a_rejected_proposal_never_trains(house: House) -> None:
    opened = post(house, "operator", "retraining", {"reason": "errors"}).document
    house.decide(opened["approval_id"], "data-scientist", "reject")
    with pytest.raises(ForbiddenError, match="REJECTED"):
        authorise(house, opened["trigger_id"])


def test_a_data_scientist_cannot_approve_the_retraining_they_proposed(house: House) -> None:
    opened = post(house, "data-scientist", "retraining", {"reason": "errors"}).document
    with pytest.raises(SelfApprovalError):
        house.decide(opened["approval_id"], "data-scientist")


def test_a_proposal_by_monitoring_is_put_to_approval_by_a_person(house: House) -> None:
    trigger_id = house.stores.registry.propose_retraining(
        USE_CASE, "drift", {"psi": 0.31, "n": 100}, "monitoring", key="2026-W47"
    )
    again = house.stores.registry.propose_retraining(
        USE_CASE, "drift", {"psi": 0.31, "n": 100}, "monitoring", key="2026-W47"
    )
    assert again == trigger_id
    body = {"reason": "drift is real", "trigger_id": trigger_id}
    opened = post(house, "operator", "retraining", body).document
    assert opened["trigger_id"] == trigger_id
    house.decide(opened["approval_id"], "data-scientist")
    log = get(house, f"{MODEL}/retraining", use_case=USE_CASE)["triggers"]
    assert [(t["trigger_type"], t["status"]) for t in log] == [("drift", "APPROVED")]
    with pytest.raises(ConflictError):
        post(house, "operator", "retraining", body)


def test_a_promotion_request_starts_the_machine_in_the_caller_s_name(house: House) -> None:
    house.register("run-1")
    answer = post(house, "data-scientist", "promotion", {"version": "1.0.0"}, key="once")
    post(house, "data-scientist", "promotion", {"version": "1.0.0"}, key="once")
    ((name, given),) = house.step_functions.started.items()
    assert answer.document["execution"].endswith(name)
    assert len(name) <= 80
    assert (given["requested_by"], given["requester_role"]) == ("dana", "data-scientist")
    assert house.actions().count("promotion-requested") == 1


def test_promoting_what_is_not_there_or_serves_already_is_refused(house: House) -> None:
    with pytest.raises(NotFoundError):
        post(house, "ml-engineer", "promotion", {"version": "7.0.0"})
    house.rollout(house.register("run-1"))
    with pytest.raises(ConflictError):
        post(house, "ml-engineer", "promotion", {"version": "1.0.0"})
    assert house.step_functions.started == {}


@pytest.mark.parametrize("name", ["card.md", "report.html", "evaluation.json"])
def test_a_version_without_its_documents_cannot_be_promoted(house: House, name: str) -> None:
    house.register("run-1")
    house.stores.artifacts.delete(f"{USE_CASE}/runs/run-1/{name}")
    with pytest.raises(GateError, match="documented 92%, not whole"):
        post(house, "ml-engineer", "promotion", {"version": "1.0.0"})
    shown = get(house, f"{MODEL}/versions/{{version}}", use_case=USE_CASE, version="1.0.0")
    assert len(shown["not_documented"]) == 1
    assert house.step_functions.started == {}


def test_one_call_rolls_back_without_a_machine(house: House) -> None:
    for run in ("run-1", "run-2"):
        house.rollout(house.register(run))
    answer = post(house, "operator", "rollback", {"reason": "too many reviews"}, key="one")
    assert (answer.status, answer.document["version"]) == (202, "1.0.0")
    assert answer.document["quarantined"] == ["1.1.0"]
    again = post(house, "operator", "rollback", {"reason": "too many reviews"}, key="one")
    assert again.document == answer.document
    assert house.step_functions.started == {}
    assert house.actions().count("rolled-back") == 1


def test_a_rollback_that_names_a_stale_epoch_is_refused(house: House) -> None:
    for run in ("run-1", "run-2"):
        house.rollout(house.register(run))
    with pytest.raises(EpochConflictError):
        post(house, "operator", "rollback", {"reason": "r", "epoch": 1})
    assert house.world.champion() == "1.1.0"


def test_the_kill_switch_and_shadows_move_the_pointer(house: House) -> None:
    house.rollout(house.register("run-1"))
    house.register("run-2")
    post(house, "operator", "kill-switch", {"on": True, "reason": "odd scores"})
    assert house.stores.registry.pointer(USE_CASE)["kill_switch"] is True
    started = post(house, "data-scientist", "shadows", {"version": "1.1.0"}).document
    assert [s["version"] for s in started["shadows"]] == ["1.1.0"]
    ended = post(house, "data-scientist", "shadows", {"version": "1.1.0", "on": False}).document
    assert ended["shadows"] == []


def test_the_chain_is_shown_page_by_page_and_verified_against_its_seals(house: House) -> None:
    house.rollout(house.register("run-1"))
    seal_bucket()
    sealed = seal_audit.run(seal_audit.Request(), house.stores)
    report = get(house, "/v1/audit/{use_case}/verify", use_case=USE_CASE)
    assert (report["valid"], report["sealed_to"]) == (True, sealed.heads[USE_CASE]["seq"])
    assert report["head"] == sealed.heads[USE_CASE]["hash"]
    shown = get(house, "/v1/audit/{use_case}", use_case=USE_CASE, query={"after": "1"})
    assert [e["seq"] for e in shown["entries"]] == list(range(2, report["entries"] + 1))
    last = {"pk": {"S": USE_CASE}, "seq": {"N": str(report["entries"])}}
    house.world.dynamodb.delete_item(TableName="audit", Key=last)
    report = get(house, "/v1/audit/{use_case}/verify", use_case=USE_CASE)
    assert (report["valid"], report["problem"], report["at_seq"]) == (
        False,
        "truncated",
        report["sealed_to"],
    )


def test_a_broken_chain_is_not_sealed_over(house: House) -> None:
    house.rollout(house.register("run-1"))
    seals = seal_bucket()
    seal_audit.run(seal_audit.Request(), house.stores)
    house.world.dynamodb.delete_item(
        TableName="audit", Key={"pk": {"S": USE_CASE}, "seq": {"N": "2"}}
    )
    house.pass_time(days=1)
    with pytest.raises(Exception, match="dropped at 2"):
        seal_audit.run(seal_audit.Request(), house.stores)
    assert len(seals.heads(USE_CASE)) == 1


def test_a_seal_that_is_not_locked_is_none_outside_the_local_cloud(house: House) -> None:
    house.stores.audit.append(USE_CASE, "scored", "dana")
    where: Any = {"LocationConstraint": REGION}
    boto3.client("s3", region_name=REGION).create_bucket(
        Bucket="seal", CreateBucketConfiguration=where
    )
    assert seal_audit.run(seal_audit.Request(), house.stores).locked is False
    house.stores.settings = settings(environment="prod")
    with pytest.raises(CountersignError, match="not locked"):
        seal_audit.run(seal_audit.Request(), house.stores)


def test_an_unknown_chain_is_not_found(house: House) -> None:
    with pytest.raises(NotFoundError):
        get(house, "/v1/audit/{use_case}", use_case="nothing")


def test_a_prediction_is_shown_whole_to_staff(house: House) -> None:
    house.log(1)
    shown = get(house, "/v1/predictions/{id}", id="p-1")
    assert (shown["version"], shown["features"]) == ("1.0.0", {"gross": 1.0})
    with pytest.raises(RoleError):
        get(house, "/v1/predictions/{id}", "scoring-client", id="p-1")


def test_every_feature_on_record_is_listed_once_beside_what_the_code_declares(
    house: House,
) -> None:
    before = get(house, "/v1/features", "data-scientist")
    assert before["features"] == []
    build_features.run(build_features.Request(action="plan"), house.stores)
    found = get(house, "/v1/features", "data-scientist")
    names = [(f["view"], f["feature_name"]) for f in found["features"]]
    assert len(names) == len(set(names)) >= 20
    assert {f["status"] for f in found["features"]} == {"active"}
    assert found["declared"] == {v["view"]: v["definition"] for v in found["views"]}
    assert found["catalogue_digest"] == before["catalogue_digest"]


def test_an_unknown_view_is_not_found(house: House) -> None:
    with pytest.raises(NotFoundError):
        get(house, "/v1/features/{view}/{entity_id}", view="nothing", entity_id="w-1")


def test_shares_by_chance_are_refused_and_shares_by_cohort_are_shown(house: House) -> None:
    body = {"use_case": USE_CASE, "champion_pct": 50, "challenger_pct": 50}
    with pytest.raises(ForbiddenError, match="never randomised"):
        house.call("ml-engineer", "POST", "/v1/serving/routing", body)
    with pytest.raises(RequestError):
        house.call("ml-engineer", "POST", "/v1/serving/routing", {**body, "champion_pct": 60})
    house.rollout(house.register("run-1"))
    (routing,) = [
        r for r in get(house, "/v1/serving/routing")["routing"] if r["use_case"] == USE_CASE
    ]
    assert (routing["champion_pct"], routing["challenger_pct"]) == (100.0, 0.0)


EXPERIMENT = {
    "use_case": USE_CASE, "test_type": "shadow", "challenger": "1.1.0", "base_rate": 0.02,
    "expected_rate": 0.03, "daily_volume": 1000, "days": 14,
}  # fmt: skip


def test_a_shadow_experiment_runs_and_is_concluded_on_record(house: House) -> None:
    house.rollout(house.register("run-1"))
    house.register("run-2")
    made = house.call("data-scientist", "POST", "/v1/experiments", EXPERIMENT).document
    said = {"score": 0.4, "decision": "pass", "at": "now"}
    house.log(1)
    house.stores.predictions.add_shadow_score("p-1", "1.1.0", said)
    done = house.call(
        "data-scientist", "POST", "/v1/experiments/{id}/conclude", {"decision": "keep"},
        id=made["test_id"],
    ).document  # fmt: skip
    assert (done["results"]["n"], done["results"]["powered"]) == (1, False)
    assert house.stores.registry.pointer(USE_CASE)["shadows"] == []
    assert len(get(house, "/v1/experiments")["experiments"]) == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"test_type": "ab"}, ForbiddenError),
        ({"days": 1}, RequestError),
        ({"expected_rate": 0.02}, RequestError),
        ({"expected_rate": 1.5}, RequestError),
        ({"daily_volume": 0}, RequestError),
        ({"challenger": "9.0.0"}, NotFoundError),
    ],
)
def test_an_experiment_that_may_not_or_cannot_tell_is_refused(
    house: House, changes: dict[str, Any], error: type[Exception]
) -> None:
    house.rollout(house.register("run-1"))
    with pytest.raises(error):
        house.call("data-scientist", "POST", "/v1/experiments", {**EXPERIMENT, **changes})
    assert house.stores.registry.pointer(USE_CASE)["shadows"] == []


@pytest.mark.parametrize(
    "body", [None, [], {}, {"on": "yes", "reason": "r"}, {"on": True, "reason": ""},
             {"on": True, "reason": "r", "who": "me"}, {"on": 1, "reason": "r"}],
)  # fmt: skip
def test_a_malformed_body_is_refused_and_nothing_moves(house: House, body: Any) -> None:
    with pytest.raises(RequestError):
        post(house, "operator", "kill-switch", body)
    assert house.stores.registry.pointer(USE_CASE)["epoch"] == 0


def test_a_role_is_checked_before_anything_else(house: House) -> None:
    for role in ("auditor", "scoring-client", "data-scientist"):
        with pytest.raises(RoleError):
            post(house, role, "rollback", None)
