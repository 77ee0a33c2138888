"""A version trained again from its record alone: equal to the bit, or what differs, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.declare import CostMatrix, ModelSpec, UseCase
from countersign.errors import ArtifactError
from countersign.learning.reproduction import Recorded, reproduce
from countersign.learning.spec import spec_of, use_case_of

from tests.unit.learning.cases import SMALL, dataset_objects, table
from tests.unit.learning.world import FOLDER, judged

BOOSTED = ModelSpec(
    trainer="xgboost_binary", hyperparameters={"n_estimators": 20, "max_depth": 3}, seed=11
)
VOTE = ModelSpec(
    trainer="vote",
    members=(
        ModelSpec(trainer="random_forest", hyperparameters={"n_estimators": 10}, seed=3),
        ModelSpec(trainer="xgboost_binary", hyperparameters={"n_estimators": 10}, seed=4),
    ),
)
FILLED = replace(
    SMALL,
    request_features=tuple(
        replace(f, nulls="fill", fill=-1.5) if f.name == "z" else f for f in SMALL.request_features
    ),
)


def on_record(stores: Stores, **changes: Any) -> Recorded:
    """What lies in the run's folder, with `changes` of the record, the manifest or the evaluation."""
    read = stores.artifacts.read_json
    found = Recorded(
        manifest=read(f"{FOLDER}/manifest.json"),
        record=read(f"{FOLDER}/training.json"),
        evaluation=read(f"{FOLDER}/evaluation.json"),
        files={
            name: stores.artifacts.get(f"{FOLDER}/{name}")
            for name in ("model.onnx", "serving.json", "golden.npz")
        },
    )
    return replace(found, **changes)


def made(stores: Stores, monkeypatch: pytest.MonkeyPatch, use_case: UseCase = SMALL) -> Recorded:
    """A judged run of the use case, on record."""
    monkeypatch.setitem(use_cases.all_use_cases(), "small", use_case)
    judged(stores)
    return on_record(stores)


def names(report: Mapping[str, Any]) -> set[str]:
    return {difference["what"] for difference in report["differences"]}


@pytest.mark.parametrize("model", [SMALL.model, BOOSTED, VOTE], ids=lambda m: m.trainer)
def test_a_version_is_the_same_to_the_bit_when_it_is_trained_again(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, model: ModelSpec
) -> None:
    recorded = made(stores, monkeypatch, replace(FILLED, model=model))
    report = reproduce(recorded, stores.lake.get)
    assert (report["equal"], report["differs"], report["differences"]) == (True, [], [])
    assert report["golden"]["bit_equal"]
    assert report["golden"]["vectors"] >= 1_000
    assert all(report["files"].values())
    assert {m["metric"] for m in report["metrics"]} >= {"auc", "recall", "score_psi"}
    assert report["tolerance"] == {"scores": 0.0, "metrics": 0.0}


def test_the_declaration_of_today_does_not_matter(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = made(stores, monkeypatch)
    changed = replace(
        SMALL,
        inputs=("z",),
        rules=(),
        costs=CostMatrix(false_negative_minor=1, false_positive_minor=1),
        model=BOOSTED,
    )
    monkeypatch.setitem(use_cases.all_use_cases(), "small", changed)
    assert reproduce(recorded, stores.lake.get)["equal"]


@pytest.mark.parametrize("file", ["train.parquet", "test.parquet", "manifest.json"])
def test_changed_bytes_of_the_dataset_are_named(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    recorded = made(stores, monkeypatch)
    key = f"datasets/d1/{file}"
    content = stores.lake.get(key)
    grown = content + (b" " if file == "manifest.json" else b"x")
    stores.lake.put(key, grown)
    report = reproduce(recorded, stores.lake.get)
    assert not report["equal"]
    expected = "dataset: manifest" if file == "manifest.json" else "dataset"
    assert report["differs"] == [expected]
    assert report["golden"] is None


def test_a_dataset_that_was_frozen_again_otherwise_is_not_taken_for_the_first(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = made(stores, monkeypatch)
    parts = {
        name: table(n, seed=seed, first=first)
        for name, n, seed, first in (
            ("train", 900, 9, 0),
            ("valid", 400, 2, 900),
            ("test", 400, 3, 1_300),
        )
    }
    for key, content in dataset_objects("d1", parts).items():
        stores.lake.put(key, content)
    assert reproduce(recorded, stores.lake.get)["differs"] == ["dataset: manifest"]


def test_a_lost_dataset_is_named(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = made(stores, monkeypatch)
    stores.lake.delete("datasets/d1/valid.parquet")
    assert reproduce(recorded, stores.lake.get)["differs"] == ["dataset"]


def test_another_seed_in_the_record_is_named_and_makes_another_model(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = made(stores, monkeypatch)
    record = json.loads(json.dumps(recorded.record))
    record["seed"] = record["declared"]["model"]["seed"] = 8
    report = reproduce(replace(recorded, record=record), stores.lake.get)
    assert not report["equal"]
    assert {"record: seed", "record: digest", "golden scores"} <= set(report["differs"])
    assert not report["golden"]["bit_equal"]
    assert not report["files"]["native.npz"]


def test_a_record_that_is_not_the_signed_one_is_never_the_same(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = made(stores, monkeypatch)
    record = {**recorded.record, "seconds": 12.5}
    report = reproduce(replace(recorded, record=record), stores.lake.get)
    assert report["differs"] == ["record: digest"]
    assert report["golden"]["bit_equal"]


def test_another_version_of_a_package_is_named_and_allows_the_tolerance(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = made(stores, monkeypatch)
    manifest = json.loads(json.dumps(recorded.manifest))
    manifest["environment"]["training"]["scikit-learn"] = "0.1"
    report = reproduce(replace(recorded, manifest=manifest), stores.lake.get)
    assert "training environment: scikit-learn" in names(report)
    assert report["equal"]
    assert not report["environment"]["same"]
    assert report["tolerance"]["scores"] == 1e-5


def test_another_commit_is_told_and_changes_nothing_when_the_model_is_the_same(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = made(stores, monkeypatch)
    manifest = json.loads(json.dumps(recorded.manifest))
    manifest["environment"]["training"]["commit"] = "0" * 40
    report = reproduce(replace(recorded, manifest=manifest), stores.lake.get, feature_code="d" * 64)
    assert {"training environment: commit", "feature code"} <= names(report)
    assert (report["equal"], report["environment"]["same"]) == (True, True)


def test_a_metric_that_was_written_otherwise_is_named(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = made(stores, monkeypatch)
    evaluation = json.loads(json.dumps(recorded.evaluation))
    evaluation["metrics"]["auc"]["value"] += 1e-12
    report = reproduce(replace(recorded, evaluation=evaluation), stores.lake.get)
    assert report["differs"] == ["metric: auc"]


def test_a_record_of_before_says_that_it_cannot_be_trained_again(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = made(stores, monkeypatch)
    record = {name: value for name, value in recorded.record.items() if name != "declared"}
    report = reproduce(replace(recorded, record=record), stores.lake.get)
    assert not report["equal"]
    assert "ArtifactError" in str(report["differences"])


@pytest.mark.parametrize("name", sorted(u.name for u in use_cases.registered()))
def test_every_declared_use_case_survives_its_record(name: str) -> None:
    declared = use_cases.get(name)
    told = spec_of(declared, declared.model.hyperparameters)
    again = use_case_of({"use_case": name, "declared": json.loads(json.dumps(told))})
    assert json.loads(json.dumps(spec_of(again, again.model.hyperparameters))) == told
    assert again.inputs == declared.inputs
    assert (again.rules, again.strategies) == (declared.rules, declared.strategies)
    assert (again.costs, again.gates, again.fairness) == (
        declared.costs,
        declared.gates,
        declared.fairness,
    )


def test_a_broken_record_is_refused_by_name() -> None:
    with pytest.raises(ArtifactError, match="does not say"):
        use_case_of({"use_case": "small", "declared": {"inputs": []}})
