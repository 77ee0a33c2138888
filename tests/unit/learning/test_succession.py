"""What a retraining has brought: the new model beside the champion, on the same test rows, in the trigger log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.declare import ModelSpec
from countersign.learning.dataset import Dataset
from countersign.learning.scoring import score_with
from countersign.serving.session import FILES, ModelSession
from countersign.statistics.classification import auc
from countersign.steps import evaluate, export_model, register, train

from tests.unit.learning.cases import SMALL, dataset_objects, table
from tests.unit.learning.world import crown, freeze, registered


def retrained(stores: Stores, dataset_id: str = "d2") -> dict[str, Any]:
    """A started trigger's run, from training to registration; the trigger as it then stands."""
    trigger = stores.registry.propose_retraining("small", "incident", {}, "olga", key=dataset_id)
    standing = stores.registry.trigger("small", trigger)
    stores.registry.put("model#small", f"trigger#{trigger}", {**standing, "status": "STARTED"})
    run = {"use_case": "small", "run_id": f"run-{trigger}", "dataset_id": dataset_id}
    train.run(train.Request(**run), stores)
    export_model.run(export_model.Request(**run), stores)
    assert evaluate.run(evaluate.Request(**run), stores).passed
    register.run(
        register.Request(
            action="register", use_case="small", run_id=run["run_id"], dataset_id=dataset_id
        ),
        stores,
    )
    return dict(stores.registry.trigger("small", trigger))


def newer(stores: Stores, **columns: Any) -> None:
    """A second dataset, of which the champion saw nothing."""
    parts = {
        name: {**table(n, seed=seed, first=first), **columns}
        for name, n, seed, first in (("train", 900, 21, 0), ("valid", 400, 22, 900))
    }
    parts["test"] = table(400, seed=23, first=1_300)
    for key, content in dataset_objects("d2", parts).items():
        stores.lake.put(key, content)


def test_the_first_model_has_nobody_to_follow(stores: Stores) -> None:
    freeze(stores, "d2")
    trigger = retrained(stores)
    assert (trigger["status"], trigger["performance_delta"]) == ("DONE", None)
    assert trigger["compared"]["reason"] == "there is no champion yet"
    assert trigger["model_id"] == "small"


def test_both_are_scored_on_the_test_rows_of_the_new_dataset(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    champion = registered(stores, "run-1")
    crown(stores, champion)
    newer(stores)
    boosted = replace(
        SMALL, model=ModelSpec(trainer="xgboost_binary", hyperparameters={"n_estimators": 30})
    )
    monkeypatch.setitem(use_cases.all_use_cases(), "small", boosted)
    trigger = retrained(stores)
    test = Dataset.of(stores.lake.get, "d2", SMALL).split("test")
    values = [
        auc(test.label, score_with(ModelSession.load(stores.artifacts.load(f, FILES)), test).final)
        for f in (f"small/runs/run-{trigger['trigger_id']}", "small/runs/run-1")
    ]
    assert trigger["performance_delta"] == pytest.approx(values[0] - values[1], abs=1e-12)
    compared = trigger["compared"]
    assert (compared["champion_version"], compared["rows"]) == (champion.version, 400)
    assert compared["low"] <= compared["delta"] <= compared["high"]
    assert trigger["retrained_version"] != champion.version
    assert trigger["model_id"] == f"small/{champion.version}"


def test_a_champion_that_cannot_be_loaded_is_said_and_holds_nothing_up(stores: Stores) -> None:
    champion = registered(stores, "run-1")
    crown(stores, champion)
    stores.artifacts.put("small/runs/run-1/model.onnx", b"another")
    newer(stores)
    trigger = retrained(stores)
    assert (trigger["status"], trigger["performance_delta"]) == ("DONE", None)
    assert "cannot be loaded" in trigger["compared"]["reason"]
