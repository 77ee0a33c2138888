"""Versions: numbered by what changed, born once per run, immutable."""

from __future__ import annotations

from typing import Any

import pytest
from countersign.errors import ConflictError, DataError, NotFoundError, RequestError
from countersign.governance.numbering import next_version
from countersign.governance.versions import VersionRecord, parse_version, sort_key

from tests.unit.registry.world import USE_CASE, World, record


def test_the_first_version_is_1_0_0(world: World) -> None:
    assert world.register("run-1").version == "1.0.0"


@pytest.mark.parametrize(
    ("changes", "earned"),
    [
        ({"input_schema_digest": "in-2"}, "2.0.0"),
        ({"output_schema_digest": "out-2"}, "2.0.0"),
        ({"output_schema_digest": "out-2", "dataset_digest": "other"}, "2.0.0"),
        ({"feature_list": ("gross",)}, "1.1.0"),
        ({"feature_code_digest": "code-2"}, "1.1.0"),
        ({"dataset_digest": "other"}, "1.1.0"),
        ({"model_type": "xgboost_binary"}, "1.1.0"),
        ({"hyperparameters": {"trees": 200}}, "1.1.0"),
        ({"environment": {"python": "3.14"}}, "1.0.1"),
        ({}, "1.0.1"),
    ],
)
def test_the_number_follows_from_what_changed(
    world: World, changes: dict[str, Any], earned: str
) -> None:
    world.register("run-1", dataset_digest="rows")
    assert world.register("run-2", **{"dataset_digest": "rows", **changes}).version == earned


def test_a_number_is_earned_against_the_highest_registered_not_the_champion(world: World) -> None:
    for run in ("run-1", "run-2", "run-3"):
        world.register(run)
    assert [v.version for v in world.registry.versions(USE_CASE)] == ["1.0.0", "1.1.0", "1.2.0"]


def test_a_run_registered_again_keeps_its_version(world: World) -> None:
    first = world.register("run-1")
    world.register("run-2")
    assert world.register("run-1") == first


def test_a_run_cannot_be_registered_with_other_content(world: World) -> None:
    world.register("run-1")
    with pytest.raises(ConflictError):
        world.register("run-1", digest="forged")


def test_a_version_whose_files_are_not_there_yet_is_invisible(world: World) -> None:
    world.registry.put_version(record("run-1"))
    assert world.registry.versions(USE_CASE) == []


def test_a_metric_that_is_not_a_number_is_refused(world: World) -> None:
    with pytest.raises(DataError):
        world.register("run-1", metrics={"auc": float("nan")})


def test_an_unknown_version_is_named(world: World) -> None:
    with pytest.raises(NotFoundError, match=r"9\.9\.9"):
        world.registry.version(USE_CASE, "9.9.9")


@pytest.mark.parametrize("text", ["1.0", "1.0.0.0", "v1.0.0", "1.-1.0", "1.0.x", "", "1.0.٣"])
def test_what_is_not_a_version_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        parse_version(text)


def test_versions_sort_by_number_not_by_text() -> None:
    assert sorted(["1.10.0", "1.9.0", "2.0.0"], key=sort_key) == ["1.9.0", "1.10.0", "2.0.0"]


def test_a_record_survives_storage_unchanged(world: World) -> None:
    made = world.register("run-1").record
    assert VersionRecord.from_document(made.document()) == made
    assert next_version({**vars_with(made), "version": "3.4.5"}, vars_with(made)) == "3.4.6"


def vars_with(made: VersionRecord) -> dict[str, Any]:
    return {name: getattr(made, name) for name in VersionRecord.__dataclass_fields__}


def test_monitoring_facts_join_the_version_and_leave_its_record_alone(world: World) -> None:
    before = world.register("run-1")
    facts = {"drift_detected": True, "current_recall": 0.7}
    world.registry.record_monitoring(USE_CASE, before.version, facts)
    with pytest.raises(ValueError, match="digest"):
        world.registry.record_monitoring(USE_CASE, before.version, {"digest": "forged"})
    after = world.registry.version(USE_CASE, before.version)
    assert (after.drift_detected, after.current_recall) == (True, 0.7)
    assert after.record == before.record
