"""The pointer: one champion, moved by one transaction, undone to the recorded predecessor."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from countersign.clock import iso
from countersign.errors import ConflictError, EpochConflictError, GateError
from countersign.governance.pointer import referenced

from tests.unit.registry.world import USE_CASE, World, pinned


def stages(world: World) -> dict[str, str]:
    return {v.version: v.stage for v in world.registry.versions(USE_CASE)}


def roll_back(world: World, change: str = "undo", **changes: Any) -> None:
    world.later()
    world.registry.roll_back(USE_CASE, actor="olga", reason="drill", change_id=change, **changes)


def test_the_first_champion_has_no_predecessor(world: World) -> None:
    version = world.to_production("run-1")
    pointer = world.registry.pointer(USE_CASE)
    assert (pointer["champion"], pointer["previous"]) == (pinned(version), [])
    assert pointer["epoch"] == 3
    assert world.registry.production() == [(USE_CASE, "1.0.0")]


def test_the_new_champion_comes_and_the_old_one_is_archived_at_once(world: World) -> None:
    first, second = world.to_production("run-1"), world.to_production("run-2")
    assert stages(world) == {"1.0.0": "Archived", "1.1.0": "Production"}
    assert world.registry.pointer(USE_CASE)["previous"] == [pinned(first)]
    assert second.rollback_version == "1.0.0"


def test_rollback_goes_to_the_recorded_predecessor_and_a_second_one_goes_further(
    world: World,
) -> None:
    for run in ("run-1", "run-2", "run-3"):
        world.to_production(run)
    roll_back(world, "first")
    assert world.champion() == "1.1.0"
    roll_back(world, "second")
    assert world.champion() == "1.0.0"
    pointer = world.registry.pointer(USE_CASE)
    assert (pointer["quarantined"], pointer["previous"]) == (["1.1.0", "1.2.0"], [])
    assert stages(world) == {"1.0.0": "Production", "1.1.0": "Archived", "1.2.0": "Archived"}


def test_the_predecessor_is_the_recorded_one_not_the_highest_archived(world: World) -> None:
    for run in ("run-1", "run-2"):
        world.to_production(run)
    roll_back(world)
    world.to_production("run-3")
    roll_back(world, "again")
    assert world.champion() == "1.0.0"


def test_rollback_during_a_rollout_takes_the_candidate_away_and_keeps_the_champion(
    world: World,
) -> None:
    world.to_production("run-1")
    candidate = world.register("run-2")
    approval = world.approve(candidate)
    world.registry.serve_cohorts(
        USE_CASE, pinned(candidate), rollout_id="r", cohorts=["ES"], step=1,
        approval_id=approval.approval_id, champion="1.0.0", actor="machine",
    )  # fmt: skip
    roll_back(world)
    pointer = world.registry.pointer(USE_CASE)
    assert (world.champion(), pointer["rollout"], pointer["quarantined"]) == (
        "1.0.0",
        None,
        ["1.1.0"],
    )


def test_without_a_predecessor_there_is_nothing_to_roll_back_to(world: World) -> None:
    world.to_production("run-1")
    with pytest.raises(ConflictError, match="kill switch"):
        roll_back(world)
    assert world.champion() == "1.0.0"


def test_a_quarantined_version_cannot_come_back(world: World) -> None:
    world.to_production("run-1")
    bad = world.to_production("run-2")
    roll_back(world)
    with pytest.raises(ConflictError):
        world.roll_out(bad, "a-1.1.0", rollout="again")
    with pytest.raises(ConflictError):
        world.registry.start_shadow(USE_CASE, pinned(bad), actor="dana", change_id="s")


def test_two_promotions_race_and_one_wins(world: World) -> None:
    """Both were planned while no champion stood; the loser learns that the epoch moved on."""
    one, other = world.register("run-1"), world.register("run-2")
    approvals = [world.approve(v).approval_id for v in (one, other)]
    plan = {"cohorts": ["ES"], "step": 1, "champion": "", "actor": "machine"}
    world.registry.serve_cohorts(
        USE_CASE, pinned(one), rollout_id="r-one", approval_id=approvals[0], **plan
    )
    with pytest.raises(EpochConflictError):
        world.registry.serve_cohorts(
            USE_CASE, pinned(other), rollout_id="r-other", approval_id=approvals[1], **plan
        )
    assert world.registry.pointer(USE_CASE)["rollout"]["version"] == one.version  # type: ignore[index]


def test_a_write_between_read_and_write_is_an_epoch_conflict(world: World) -> None:
    """The other writer comes right before our transaction: only the stored epoch can tell."""
    world.to_production("run-1")
    real, raced = world.dynamodb.transact_write_items, []

    def interfere(**arguments: Any) -> Any:
        if not raced:
            raced.append(True)
            world.registry.kill_switch(
                USE_CASE, rules_only=True, actor="eve", reason="", change_id="eve"
            )
        return real(**arguments)

    world.dynamodb.transact_write_items = interfere
    with pytest.raises(EpochConflictError):
        world.registry.kill_switch(
            USE_CASE, rules_only=False, actor="olga", reason="", change_id="olga"
        )
    assert world.registry.pointer(USE_CASE)["kill_switch"] is True


def test_a_stale_writer_is_refused_and_nothing_moves(world: World) -> None:
    for run in ("run-1", "run-2"):
        world.to_production(run)
    before = world.registry.pointer(USE_CASE)
    with pytest.raises(EpochConflictError):
        roll_back(world, expected_epoch=before["epoch"] - 1)
    assert world.registry.pointer(USE_CASE) == before


def test_a_delayed_promoter_with_a_stale_plan_is_refused(world: World) -> None:
    late = world.register("run-1")
    approval = world.approve(late).approval_id
    world.to_production("run-2")
    with pytest.raises((EpochConflictError, ConflictError)):
        world.registry.serve_cohorts(
            USE_CASE, pinned(late), rollout_id="late", cohorts=["ES"], step=1,
            approval_id=approval, champion="", actor="machine",
        )  # fmt: skip
    assert world.champion() == "1.1.0"


def test_an_acknowledgement_lost_after_the_write_landed_is_the_same_change(world: World) -> None:
    for run in ("run-1", "run-2"):
        world.to_production(run)
    real = world.dynamodb.transact_write_items

    def write_and_hang_up(**arguments: Any) -> Any:
        real(**arguments)
        raise ReadTimeoutError(endpoint_url="dynamodb")

    world.dynamodb.transact_write_items = write_and_hang_up
    roll_back(world)
    world.dynamodb.transact_write_items = real
    after = world.registry.pointer(USE_CASE)
    roll_back(world)
    assert world.registry.pointer(USE_CASE) == after
    assert (after["champion"] or {})["version"] == "1.0.0"


def test_a_write_that_never_landed_is_an_error_and_no_change(world: World) -> None:
    for run in ("run-1", "run-2"):
        world.to_production(run)
    before, real = world.registry.pointer(USE_CASE), world.dynamodb.transact_write_items

    def hang_up(**_: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="dynamodb")

    world.dynamodb.transact_write_items = hang_up
    with pytest.raises(ReadTimeoutError):
        roll_back(world)
    world.dynamodb.transact_write_items = real
    assert world.registry.pointer(USE_CASE) == before
    roll_back(world)
    assert world.champion() == "1.0.0"


def test_a_rollout_step_taken_twice_is_taken_once(world: World) -> None:
    version = world.register("run-1")
    approval = world.approve(version).approval_id
    step = {
        "rollout_id": "r", "cohorts": ["ES"], "step": 1, "approval_id": approval,
        "champion": "", "actor": "machine",
    }  # fmt: skip
    first = world.registry.serve_cohorts(USE_CASE, pinned(version), **step)  # type: ignore[arg-type]
    assert world.registry.serve_cohorts(USE_CASE, pinned(version), **step) == first  # type: ignore[arg-type]
    assert world.registry.pointer(USE_CASE)["epoch"] == 1


def test_no_version_serves_without_valid_signatures(world: World) -> None:
    version = world.register("run-1")
    opened = world.open_promotion(version)
    world.decide(opened, "ml-engineer")
    with pytest.raises(ConflictError, match="PENDING"):
        world.roll_out(version, opened.approval_id)


def test_a_signature_for_another_version_is_worth_nothing(world: World) -> None:
    signed = world.approve(world.register("run-1"))
    with pytest.raises(ConflictError, match="not about"):
        world.roll_out(world.register("run-2"), signed.approval_id)


def test_no_version_serves_that_failed_its_gates(world: World) -> None:
    for number, changes in enumerate(({"gates_passed": False}, {"fairness_audit": "FAIL"})):
        version = world.register(f"run-{number}", **changes)
        signed = world.approve(version, name=f"a-{number}")
        with pytest.raises(GateError):
            world.roll_out(version, signed.approval_id)


def test_signatures_die_when_the_champion_they_compared_with_is_gone(world: World) -> None:
    waiting = world.register("run-1")
    signed = world.approve(waiting)
    world.to_production("run-2")
    with pytest.raises(ConflictError, match="evidence"):
        world.roll_out(waiting, signed.approval_id)


def test_what_was_in_production_on_a_date_is_in_the_ledger(world: World) -> None:
    world.to_production("run-1")
    between = iso(world.clock.now())
    world.later(timedelta(days=1))
    world.to_production("run-2")
    world.later(timedelta(days=1))
    roll_back(world)
    world.registry.kill_switch(USE_CASE, rules_only=True, actor="o", reason="", change_id="k")
    history = world.registry.champion_history
    assert history(USE_CASE, "2026-11-20T00:00:00.000000Z") is None
    assert (history(USE_CASE, between) or {})["version"] == "1.0.0"
    assert (history(USE_CASE, "2026-11-22T12:00:00.000000Z") or {})["version"] == "1.1.0"
    assert (history(USE_CASE, iso(world.clock.now())) or {})["version"] == "1.0.0"
    row = world.registry.ledger(USE_CASE)[-2]
    assert (row["action"], row["triggered_by"], row["previous_version"]) == (
        "rollback",
        "olga",
        "1.1.0",
    )


def test_two_earlier_versions_and_everything_referenced_stay(world: World) -> None:
    for run in ("run-1", "run-2", "run-3", "run-4", "run-5"):
        world.register(run)
    world.to_production("run-6")
    named = referenced(world.registry.pointer(USE_CASE))
    for kept in ("1.5.0", "1.4.0", "1.3.0"):
        with pytest.raises(ConflictError):
            world.registry.refuse_deletion(USE_CASE, kept, named)
    world.registry.refuse_deletion(USE_CASE, "1.2.0", named)


def test_the_kill_switch_is_a_change_like_any_other(world: World) -> None:
    world.to_production("run-1")
    epoch = world.registry.pointer(USE_CASE)["epoch"]
    world.registry.kill_switch(USE_CASE, rules_only=True, actor="o", reason="", change_id="k")
    pointer = world.registry.pointer(USE_CASE)
    assert (pointer["kill_switch"], pointer["epoch"]) == (True, epoch + 1)
    assert (pointer["champion"] or {})["version"] == "1.0.0"
