"""From an approved version to Production and back, one repeatable step at a time."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from countersign.errors import (
    ArtifactError,
    ConflictError,
    EpochConflictError,
    GateError,
    NotFoundError,
    RequestError,
)
from countersign.governance.versions import Version

from tests.unit.operate.house import House
from tests.unit.registry.world import USE_CASE


def pointer(house: House) -> Any:
    return house.stores.registry.pointer(USE_CASE)


def begun(house: House, run: str, *, soak: bool = True) -> tuple[Version, dict[str, str]]:
    """A version that serves its first cohorts."""
    version = house.register(run)
    rollout = {"rollout_id": f"r-{version.version}"}
    house.promote("plan", version.version, approval_id=house.signed(version), **rollout)
    if soak:
        house.promote("start_shadow", version.version, **rollout)
        house.promote("check_shadow", version.version, **rollout)
    house.promote("advance", version.version, **rollout)
    return version, rollout


def test_the_first_champion_needs_no_predecessor(house: House) -> None:
    version = house.register("run-1")
    done = house.rollout(version)
    assert (done["version"], done["previous_version"]) == ("1.0.0", "")
    assert house.promote("verify", "1.0.0")["verified"] is True
    assert pointer(house)["champion"]["digest"] == version.digest


def test_cohorts_come_by_risk_and_every_step_is_on_record(house: House) -> None:
    house.rollout(house.register("run-1"))
    advanced = [
        row["facts"]
        for row in house.stores.registry.ledger(USE_CASE)
        if row["action"] == "rollout-advanced"
    ]
    sizes = [len(facts["cohorts"]) for facts in advanced]
    assert sizes == sorted(set(sizes))
    assert all(set(a["cohorts"]) < set(b["cohorts"]) for a, b in pairwise(advanced))
    assert house.actions().count("guard-judged") == len(sizes)


def test_a_challenger_shadows_and_then_replaces_the_champion(house: House) -> None:
    house.rollout(house.register("run-1"))
    version = house.register("run-2")
    rollout = {"rollout_id": "r-2"}
    house.promote("plan", version.version, approval_id=house.signed(version), **rollout)
    assert house.promote("start_shadow", version.version, **rollout)["shadowing"] is True
    assert [s["version"] for s in pointer(house)["shadows"]] == ["1.1.0"]
    assert house.promote("check_shadow", version.version, **rollout)["verdict"] == "advance"


def test_every_step_done_twice_is_done_once(house: House) -> None:
    version, rollout = begun(house, "run-1")
    first = pointer(house)
    again = house.promote("advance", version.version, **rollout)
    assert (again["step"], pointer(house)) == (1, first)
    verdict = house.promote("check_guard", version.version, **rollout)
    assert house.promote("check_guard", version.version, **rollout) == verdict
    assert house.actions().count("rollout-advanced") == 1
    assert house.actions().count("guard-judged") == 1


def test_completing_twice_is_completing_once(house: House) -> None:
    version = house.register("run-1")
    done = house.rollout(version)
    assert house.promote("complete", version.version, rollout_id="r-1.0.0") == done
    assert house.actions().count("promoted") == 1


def test_a_rollout_cannot_be_completed_before_every_step_was_judged(house: House) -> None:
    version, rollout = begun(house, "run-1")
    with pytest.raises(GateError, match="not judged"):
        house.promote("complete", version.version, **rollout)
    assert pointer(house)["champion"] is None


def traffic(house: House, version: str, count: int = 40, **changes: Any) -> None:
    for number in range(count):
        house.log(
            number, version=version, cohort=pointer(house)["rollout"]["cohorts"][0], **changes
        )
    house.world.later()


def test_without_a_single_request_there_is_nothing_to_judge_and_that_is_recorded(
    house: House,
) -> None:
    version, rollout = begun(house, "run-1")
    judged = house.promote("check_guard", version.version, **rollout)
    assert (judged["verdict"], judged["reason"], judged["n"]) == ("advance", "no-traffic", 0)


def test_guards_that_hold_let_the_next_step_be_taken(house: House) -> None:
    version, rollout = begun(house, "run-1")
    traffic(house, version.version)
    judged = house.promote("check_guard", version.version, **rollout)
    assert (judged["verdict"], judged["n"]) == ("advance", 40)
    assert judged["metrics"] == {"error_rate": 0.0, "latency_p95_ms": 2.0, "review_rate": 0.0}


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"version": "rules-only"}, "error_rate"),
        ({"latency_ms": {"read": 150.0, "model": 90.0}}, "latency_p95_ms"),
        ({"decision": "review"}, "review_rate"),
    ],
)
def test_a_guard_that_does_not_hold_asks_for_a_rollback(
    house: House, changes: dict[str, Any], failed: str
) -> None:
    version, rollout = begun(house, "run-1")
    traffic(house, **{"version": version.version, **changes})
    judged = house.promote("check_guard", version.version, **rollout)
    assert judged["verdict"] == "rollback"
    assert failed in judged["reason"]


def test_few_requests_hold_the_step_twice_and_are_then_judged(house: House) -> None:
    version, rollout = begun(house, "run-1")
    traffic(house, version.version, count=5)
    verdicts = [
        house.promote("check_guard", version.version, **rollout)["verdict"] for _ in range(3)
    ]
    assert verdicts == ["hold", "hold", "advance"]


def test_one_score_that_is_no_number_rolls_back_at_once(house: House) -> None:
    version, rollout = begun(house, "run-1")
    invalid = (f"model-output-invalid:{version.version}",)
    traffic(house, "rules-only", count=1, degraded=invalid)
    judged = house.promote("check_guard", version.version, **rollout)
    assert judged["verdict"] == "rollback"


def test_requests_of_other_cohorts_and_of_before_do_not_count(house: House) -> None:
    house.log(100, cohort="ES", version="rules-only")
    version, rollout = begun(house, "run-1")
    house.log(101, cohort="nowhere", version="rules-only")
    house.world.later()
    assert house.promote("check_guard", version.version, **rollout)["n"] == 0


def test_a_failed_rollout_keeps_the_champion_and_quarantines_the_candidate(house: House) -> None:
    house.rollout(house.register("run-1"))
    version, rollout = begun(house, "run-2")
    undone = house.promote("rollback", version.version, reason="guard", **rollout)
    assert (undone["version"], undone["quarantined"]) == ("1.0.0", ["1.1.0"])
    assert pointer(house)["rollout"] is None
    assert house.promote("verify", "1.0.0")["verified"] is True
    again = house.promote("rollback", version.version, reason="guard", **rollout)
    assert again["epoch"] == undone["epoch"]


def test_a_first_rollout_that_fails_leaves_nothing_serving(house: House) -> None:
    version, rollout = begun(house, "run-1")
    assert house.promote("rollback", version.version, reason="guard", **rollout)["version"] == ""
    assert pointer(house)["champion"] is None


def test_a_rollout_that_never_served_is_withdrawn_not_quarantined(house: House) -> None:
    house.rollout(house.register("run-1"))
    version = house.register("run-2")
    rollout = {"rollout_id": "r-2"}
    house.promote("plan", version.version, approval_id=house.signed(version), **rollout)
    house.promote("start_shadow", version.version, **rollout)
    house.promote("rollback", version.version, reason="shadow", **rollout)
    after = pointer(house)
    assert (after["shadows"], after["quarantined"], after["champion"]["version"]) == (
        [],
        [],
        "1.0.0",
    )


def test_a_second_rollout_is_refused_while_one_is_under_way(house: House) -> None:
    begun(house, "run-1")
    other = house.register("run-2")
    approval_id = house.signed(other)
    with pytest.raises(EpochConflictError, match="under way"):
        house.promote("plan", other.version, approval_id=approval_id, rollout_id="r-other")


def test_two_promotions_planned_at_once_race_and_one_wins(house: House) -> None:
    one, other = house.register("run-1"), house.register("run-2")
    for version in (one, other):
        house.promote(
            "plan", version.version, approval_id=house.signed(version),
            rollout_id=f"r-{version.version}",
        )  # fmt: skip
    house.promote("advance", one.version, rollout_id="r-1.0.0")
    with pytest.raises(EpochConflictError):
        house.promote("advance", other.version, rollout_id="r-1.1.0")
    house.promote("rollback", other.version, rollout_id="r-1.1.0", reason="lost the race")
    assert pointer(house)["rollout"]["version"] == "1.0.0"


def test_a_delayed_promoter_finds_its_rollout_gone(house: House) -> None:
    """Someone rolled back between two of its steps."""
    house.rollout(house.register("run-1"))
    version, rollout = begun(house, "run-2")
    house.call(
        "operator", "POST", "/v1/models/{use_case}/rollback", {"reason": "r"}, use_case=USE_CASE
    )
    with pytest.raises(EpochConflictError):
        house.promote("check_guard", version.version, **rollout)
    with pytest.raises(GateError):
        house.promote("complete", version.version, **rollout)
    assert pointer(house)["champion"]["version"] == "1.0.0"


def test_no_rollout_without_signatures(house: House) -> None:
    version = house.register("run-1")
    opened = house.open_promotion(version)
    house.promote("plan", version.version, approval_id=opened, rollout_id="r")
    with pytest.raises(ConflictError, match="PENDING"):
        house.promote("advance", version.version, rollout_id="r")
    assert pointer(house)["epoch"] == 0


def test_no_rollback_to_an_artifact_that_cannot_be_loaded(house: House) -> None:
    house.rollout(house.register("run-1"))
    house.rollout(house.register("run-2"))
    house.stores.artifacts.put(f"{USE_CASE}/1.0.0/model.onnx", b"corrupt")
    with pytest.raises(ArtifactError):
        house.promote("rollback", "", rollout_id="x", reason="bad")
    house.stores.artifacts.delete(f"{USE_CASE}/1.0.0/manifest.json")
    with pytest.raises(NotFoundError):
        house.promote("rollback", "", rollout_id="y", reason="bad")
    assert pointer(house)["champion"]["version"] == "1.1.0"


def test_a_worker_that_serves_something_else_is_found_out(house: House) -> None:
    version = house.register("run-1")
    house.rollout(version)
    good = {"version": "1.0.0", "digest": version.digest, "epoch": pointer(house)["epoch"]}
    for wrong in (
        {"version": "0.9.0"},
        {"digest": "forged"},
        {"epoch": 1},
        {"serving": [{"version": "1.0.0", "problem": "DigestMismatchError"}]},
    ):
        house.serving.stuck_at = {**good, "serving": [], **wrong}
        assert house.promote("verify", "1.0.0")["verified"] is False
    house.serving.stuck_at = {**good, "serving": []}
    assert house.promote("verify", "1.0.0")["verified"] is True
    assert house.promote("verify", "2.0.0")["verified"] is False


def test_the_champion_cannot_be_promoted_again(house: House) -> None:
    house.rollout(house.register("run-1"))
    with pytest.raises(ConflictError, match="champion"):
        house.promote("plan", "1.0.0", approval_id="any", rollout_id="r-again")


def test_waits_are_the_declared_ones_in_the_environment_s_time(house: House) -> None:
    version = house.register("run-1")
    planned = house.promote("plan", version.version, approval_id="any", rollout_id="r")
    assert (planned["soak_seconds"], planned["wait_seconds"]) == (0, 0)


def test_an_unknown_action_is_named(house: House) -> None:
    with pytest.raises(RequestError):
        house.promote("deploy", "1.0.0")
