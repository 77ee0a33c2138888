"""A worker of the training machine may die at any write. Nothing half-made is ever seen, and whoever comes
after it finishes the same dataset, the same model, the same version.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from countersign import use_cases
from countersign.declare import ModelSpec
from countersign.errors import ConflictError
from countersign.serving.session import FILES

from tests.unit.training_machine.yard import machine

from .training_lab import AFTER, BEFORE, USE_CASE, Lab, WorkerDiedError, deliver, dies

STEPS = ("freeze", "train", "export", "evaluate", "register")
FEW = {"n_estimators": 12, "max_depth": 3}
# Measured anew by each worker; and a signature is another each time it is made.
MEASURED = ("parity.json", "manifest.sig", "evaluation.json", "metrics.json", "card.md")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    declared = use_cases.get(USE_CASE)
    few = replace(declared, model=ModelSpec(trainer="xgboost_binary", hyperparameters=FEW))
    with pytest.MonkeyPatch.context() as patch, machine() as made:
        patch.setitem(use_cases.trained_only(), USE_CASE, few)
        deliver(made, tmp_path_factory.mktemp("telco"))
        yield Lab(made)


@pytest.mark.parametrize("moment", [BEFORE, AFTER], ids=["unsent", "unheard"])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_killed_at_any_write_is_finished_by_the_next(
    lab: Lab, name: str, moment: str
) -> None:
    for done in STEPS[: STEPS.index(name)]:
        lab.step(done)
    start = (lab.objects(), lab.items())
    with dies(at=10_000) as counted:
        result = lab.step(name)
    undisturbed = comparable(lab)
    assert counted.calls >= 4
    for number in range(1, counted.calls + 1):
        lab.put_back(*start)
        with dies(at=number, moment=moment), pytest.raises(WorkerDiedError):
            lab.step(name)
        whole_or_nothing(lab)
        again = lab.step(name)
        assert facts(again) == facts(result), number
        assert comparable(lab) == undisturbed, number
    lab.put_back(*start)


@pytest.mark.parametrize("moment", [BEFORE, AFTER], ids=["unsent", "unheard"])
def test_a_registration_that_is_given_up_is_a_version_or_is_none(lab: Lab, moment: str) -> None:
    """The machine goes to Reject after the last attempt, wherever that died."""
    for name in STEPS[:-1]:
        lab.step(name)
    start = (lab.objects(), lab.items())
    with dies(at=10_000) as counted:
        lab.step("register")
    ends = set()
    for number in range(1, counted.calls + 1):
        lab.put_back(*start)
        with dies(at=number, moment=moment), pytest.raises(WorkerDiedError):
            lab.step("register")
        told = lab.step("reject")
        trigger = lab.stores.registry.trigger(USE_CASE, lab.trigger)
        visible = lab.stores.registry.versions(USE_CASE)
        if told["stage"] == "Staging":
            assert (trigger["status"], trigger["retrained_version"]) == ("DONE", "1.0.0")
            assert [v.version for v in visible] == ["1.0.0"]
        else:
            assert (trigger["status"], visible) == ("FAILED", [])
            with pytest.raises(ConflictError):
                lab.step("register")
            assert lab.stores.registry.versions(USE_CASE) == []
        assert lab.step("reject") == told
        whole_or_nothing(lab)
        ends.add(trigger["status"])
    assert ends == {"DONE", "FAILED"}
    lab.put_back(*start)


def whole_or_nothing(lab: Lab) -> None:
    """What others see: a dataset with a manifest has its files, a version in sight verifies."""
    for key in lab.stores.lake.keys("datasets/"):
        if key.endswith("manifest.json"):
            folder = key.removesuffix("manifest.json")
            for file in lab.stores.lake.read_json(key)["files"]:
                assert lab.stores.lake.exists(folder + file)
    for version in lab.stores.registry.versions(USE_CASE):
        place = f"{USE_CASE}/{version.version}"
        lab.stores.artifacts.load(place, (*FILES, "baseline.json"), digest=version.digest)
        assert lab.stores.lake.exists(f"baselines/{USE_CASE}/{version.version}.json")
    assert lab.stores.audit.verify(USE_CASE).valid


def comparable(lab: Lab) -> dict[str, Any]:
    """All that is kept, without what is measured anew each time."""
    objects = {
        name: None if name.endswith(MEASURED) else body for name, body in lab.objects().items()
    }
    return {"objects": objects, "items": json.dumps(lab.items(), sort_keys=True, default=str)}


def facts(result: Any) -> Any:
    """A result without its timings."""
    if isinstance(result, dict):
        return result
    found = {name: getattr(result, name) for name in result.__slots__}
    if "metrics" in found:
        found["metrics"] = {k: v for k, v in found["metrics"].items() if k != "latency_p95_ms"}
    return found
