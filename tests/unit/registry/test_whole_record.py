"""A record that lacks a field, or has one of another type, holds up every transition and is told by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pytest
from countersign import use_cases
from countersign.aws.attributes import marshal_item
from countersign.errors import ConflictError, EpochConflictError, GateError
from countersign.governance.completeness import BIRTH, LATER, LIFE, REASONED, problems
from countersign.governance.registry_record import registry_record
from countersign.governance.versions import Version, VersionRecord, canonical, sort_key
from countersign.steps.register.birth import judged
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.registry.world import START, USE_CASE, World, pinned, record

# What D1 asks for, by the path in the document that people see.
D1 = {
    "": {"model_id", "model_type", "use_case", "version", "training_date", "training_data",
         "feature_list", "hyperparameters", "owner"},
    "evaluation": {"test_set", "recall", "false_positive", "cost_optimal_threshold",
                   "fairness_audit", "eval_report_url"},
    "deployment": {"stage", "deployed_date", "deployed_by", "serving_endpoint", "rollback_version"},
    "monitoring": {"last_monitored", "current_recall", "current_fp_rate", "drift_detected",
                   "next_retrain"},
}  # fmt: skip
NO_CLASSES: dict[str, Any] = {
    "recall": None, "false_positive": None, "cost_optimal_threshold": None,
    "unknown": dict.fromkeys(("recall", "false_positive", "cost_optimal_threshold"), "a model of classes"),
}  # fmt: skip


def item(**changes: Any) -> dict[str, Any]:
    """A version as the registry stores it, whole unless changed."""
    made = asdict(record("run-1", version="1.0.0", why="The first version", **changes))
    return stored(json.loads(canonical(made)))


def stored(document: dict[str, Any], **life: Any) -> dict[str, Any]:
    text = canonical(document)
    copied = ("use_case", "version", "digest", "run_id", "gates_passed")
    return {
        **{name: document.get(name) for name in copied},
        "record": text,
        "record_digest": hashlib.sha256(text.encode()).hexdigest(),
        "stage": "Staging",
        "quarantined": False,
        "registered_at": "2026-11-21T06:00:00.000000Z",
        **life,
    }


def names(found: dict[str, Any]) -> set[str]:
    return {problem.field for problem in problems(found)}


def test_every_field_of_a_record_has_a_type() -> None:
    assert set(BIRTH) | set(REASONED) == set(VersionRecord.__dataclass_fields__)


def test_a_whole_record_has_no_problems() -> None:
    assert problems(item()) == []
    assert problems(item(**NO_CLASSES)) == []


def test_what_people_see_has_every_field_of_the_requirement() -> None:
    version = Version(record=record("run-1"), stage="Staging", registered_at="")
    shown = registry_record(version, models_bucket="models")
    for path, wanted in D1.items():
        assert wanted <= set(shown[path] if path else shown)
    nulls = {n for path in D1 for n, v in (shown[path] if path else shown).items() if v is None}
    assert nulls <= set(shown["unknown"]), "what is null has its reason"


@given(st.sampled_from(sorted(BIRTH) + sorted(REASONED)))
def test_a_dropped_field_is_told_by_name(name: str) -> None:
    document = json.loads(item()["record"])
    del document[name]
    assert name in names(stored(document))


WRONG = st.one_of(
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.just(""),
    st.none(),
    st.lists(st.integers(), min_size=1, max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), min_size=1, max_size=2),
)


@given(st.sampled_from(sorted(BIRTH) + sorted(REASONED)), WRONG)
def test_a_retyped_field_is_told_by_name(name: str, value: Any) -> None:
    document = json.loads(item()["record"])
    if kind_of(value) == kind_of(document[name]):
        return
    allowed = {"as_of", "after", "why", "trigger_id"} if value == "" else set()
    if name in allowed or (name in MAPPINGS and isinstance(value, dict)):
        return
    assert name in names(stored({**document, name: value}))


MAPPINGS = {"hyperparameters", "environment", "validation_window", "scoring"}


def kind_of(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


@given(st.sampled_from(sorted(LIFE) + sorted(LATER)), st.just([1]))
def test_a_retyped_part_of_its_life_is_told_by_name(name: str, value: Any) -> None:
    assert name in names({**item(), name: value})


def test_null_without_a_reason_is_told() -> None:
    assert names(item(cost_optimal_threshold=None)) == {"cost_optimal_threshold"}


def test_an_edited_record_is_told_although_every_type_is_right() -> None:
    document = json.loads(item()["record"])
    edited = canonical({**document, "owner": "somebody else"})
    assert names({**item(), "record": edited}) == {"record_digest"}


def test_a_record_that_is_no_json_is_told() -> None:
    assert names({**item(), "record": "{"}) == {"record"}


Transition = Callable[[World, Version, str], object]


def start_shadow(world: World, version: Version, _: str) -> object:
    return world.registry.start_shadow(USE_CASE, pinned(version), actor="dana", change_id="s")


def serve(world: World, version: Version, approval: str) -> object:
    return world.registry.serve_cohorts(
        USE_CASE, pinned(version), rollout_id="r", cohorts=["ES"], step=1,
        approval_id=approval, champion="", actor="machine",
    )  # fmt: skip


def promote(world: World, version: Version, approval: str) -> object:
    return world.registry.promote(
        USE_CASE, pinned(version), rollout_id="r", approval_id=approval, champion="", actor="m"
    )


def archive(world: World, version: Version, _: str) -> object:
    return world.registry.archive_version(USE_CASE, version.version, actor="m", reason="old")


def tamper(world: World, version: str, change: dict[str, Any]) -> None:
    """Somebody with the table's keys edits a record and its digest too."""
    key = f"model#{USE_CASE}", f"version#{sort_key(version)}"
    found = world.registry.get(*key)
    assert found is not None
    document = {**json.loads(found["record"]), **change}
    document = {n: v for n, v in document.items() if v != "dropped"}
    made = {**found, **stored(document, stage=found["stage"])}
    world.dynamodb.put_item(TableName="registry", Item=marshal_item(made))


@pytest.mark.parametrize("transition", [start_shadow, serve, archive])
def test_no_transition_takes_a_record_that_is_not_whole(
    world: World, transition: Transition
) -> None:
    version = world.register("run-1")
    approval = world.approve(version).approval_id
    before = world.registry.pointer(USE_CASE)
    for name in ("recall", "windows", "owner", "feature_list", "seed"):
        whole = json.loads(version.record.document())[name]
        tamper(world, version.version, {name: "dropped"})
        with pytest.raises(GateError, match=name):
            transition(world, version, approval)
        tamper(world, version.version, {name: whole})
    assert world.registry.pointer(USE_CASE) == before
    if transition is not archive:
        transition(world, version, approval)
        assert world.registry.pointer(USE_CASE)["epoch"] == before["epoch"] + 1


def test_a_record_that_breaks_during_its_rollout_is_not_promoted(world: World) -> None:
    version = world.register("run-1")
    approval = world.approve(version).approval_id
    serve(world, version, approval)
    tamper(world, version.version, {"interface": "dropped"})
    with pytest.raises(GateError, match="interface"):
        promote(world, version, approval)
    assert world.champion() == ""


def test_an_incomplete_record_is_not_staged(world: World) -> None:
    made = world.registry.put_version(record("run-1", serving_endpoint=None))
    with pytest.raises(GateError, match="serving_endpoint"):
        world.registry.stage_version(USE_CASE, made.version)
    assert world.registry.versions(USE_CASE) == []


def test_a_record_edited_between_check_and_write_is_not_staged(world: World) -> None:
    made = world.registry.put_version(record("run-1"))
    real = world.dynamodb.transact_write_items

    def interfere(**arguments: Any) -> Any:
        world.dynamodb.transact_write_items = real
        tamper(world, made.version, {"owner": "eve"})
        return real(**arguments)

    world.dynamodb.transact_write_items = interfere
    with pytest.raises((ConflictError, EpochConflictError)):
        world.registry.stage_version(USE_CASE, made.version)


def test_papers_do_not_hold_up_a_rollback_and_the_ledger_says_what_was_missing(
    world: World,
) -> None:
    first = world.to_production("run-1")
    world.to_production("run-2")
    tamper(world, first.version, {"windows": "dropped"})
    world.registry.roll_back(USE_CASE, actor="olga", reason="bad", change_id="undo")
    assert world.champion() == "1.0.0"
    assert world.registry.ledger(USE_CASE)[-1]["facts"]["record_not_whole"] == ["windows"]


def test_the_clock_of_the_records_is_aware() -> None:
    assert isinstance(START, datetime)
    assert START.tzinfo is not None


def test_a_model_of_classes_says_why_it_has_no_threshold_and_keeps_its_own_metrics() -> None:
    accuracy = {"value": 0.6, "low": 0.5, "high": 0.7}
    evaluation = {
        "passed": True, "gates": [], "fairness": {"verdict": "PASS"}, "metrics": {"accuracy": accuracy},
    }  # fmt: skip
    part = judged(use_cases.get("retry"), {"threshold": 0.0, "run_id": "r"}, evaluation)
    nulls = {"recall", "false_positive", "cost_optimal_threshold"}
    assert {part[name] for name in nulls} == {None}
    assert set(part["unknown"]) == nulls
    assert part["metrics"] == {"accuracy": 0.6}
    assert names(item(**{**part, "eval_report_key": "r", "gates": ()})) == set()


def test_what_is_only_trained_has_no_endpoint_and_says_so() -> None:
    evaluation = {"passed": True, "gates": [], "fairness": {"verdict": "PASS"}, "metrics": {}}
    part = judged(use_cases.get("telco_churn"), {"threshold": 0.4, "run_id": "r"}, evaluation)
    assert (part["serving_endpoint"], part["cost_optimal_threshold"]) == (None, 0.4)
    assert "trained only" in part["unknown"]["serving_endpoint"]
