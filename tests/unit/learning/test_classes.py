"""A model of classes from rows to verdict: trained, exported, judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from countersign.declare import FairnessGroup, Gate, Hybrid, ModelSpec, Rule, Split, Strategy
from countersign.errors import ContractError, TooFewRowsError
from countersign.learning import class_metrics, export
from countersign.learning.dataset import Rows, read_rows
from countersign.learning.evaluation import judge
from countersign.learning.training import Trained, train
from countersign.serving.session import ModelSession
from sklearn import metrics as oracle

from tests.unit.learning.cases import SMALL, parquet, table

CLASSES = ("later", "now", "ask")
RETRY = replace(
    SMALL,
    label=replace(SMALL.label, classes=CLASSES, outcome="strategy"),
    model=ModelSpec(trainer="xgboost_multiclass", hyperparameters={"n_estimators": 40}),
    hybrid=Hybrid(model_weight=1.0, rules_weight=0.0),
    split=Split(min_rows=200, min_positives=20),
    gates=(Gate("accuracy", at_least=0.5), Gate("log_loss", at_most=1.2)),
    fairness=(FairnessGroup(column="country", minimum_rows=50),),
    rules=(Rule(code="FAR", text="Far", owner="ops", when=("z", ">", 9.0), points=1.0),),
    strategies=(
        Strategy(name="later", text="Later"),
        Strategy(name="now", text="Now", at_least=0.3),
        Strategy(name="ask", text="Ask", at_least=0.3, rules=("FAR",)),
    ),
)


def rows(count: int, *, seed: int, first: int) -> Rows:
    random = np.random.default_rng(seed)
    made = table(count, seed=seed, first=first)
    target = random.choice(3, size=count, p=[0.5, 0.3, 0.2])
    made["z"] = random.normal(0, 1, count) + 2.0 * target
    made["changes"] = random.poisson(1 + (target == 1) * 3).astype(np.float64)
    made["label"] = [CLASSES[n] for n in target]
    return read_rows(parquet(made), key="payslip_id", classes=CLASSES)


def splits() -> dict[str, Rows]:
    return {
        "train": rows(900, seed=1, first=0),
        "valid": rows(400, seed=2, first=900),
        "test": rows(400, seed=3, first=1_300),
    }


def session_of(trained: Trained) -> ModelSession:
    model = export.to_onnx(trained.files["native.npz"])
    return ModelSession("d" * 64, model, trained.serving)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made = splits()
    trained = train(RETRY, made)
    manifest = {
        "use_case": "small", "run_id": "r", "model_type": "xgboost_multiclass", "seed": 7,
        "hyperparameters": {}, "dataset_id": "d", "dataset_digest": "e", "as_of": "t",
        "synthetic": False, "split": trained.split,
    }  # fmt: skip
    verdict = judge(
        RETRY, session_of(trained), manifest, valid=made["valid"], test=made["test"], created_at="t"
    )
    assert verdict.passed, verdict.failed
    return verdict.document


def test_a_label_outside_the_classes_is_refused_with_its_row() -> None:
    made = table(50)
    made["label"] = ["later"] * 49 + ["never"]
    with pytest.raises(ContractError, match="classes") as refused:
        read_rows(parquet(made), key="payslip_id", classes=CLASSES)
    assert refused.value.errors[0].row == 49


def test_every_class_must_be_known_well_enough() -> None:
    made = splits()
    made["test"] = made["test"].take(made["test"].target != 2)
    with pytest.raises(TooFewRowsError, match="ask has none in test"):
        train(RETRY, made)


def test_serving_knows_the_classes_and_strategies_and_no_threshold_of_yes_or_no() -> None:
    trained = train(RETRY, splits())
    assert trained.serving["classes"] == list(CLASSES)
    assert [s["name"] for s in trained.serving["strategies"]] == list(CLASSES)
    assert trained.serving["decision"] == {}
    session = session_of(trained)
    row = session.vector({"mean_pay": 3_000.0, "z": 4.0, "changes": 0.0})
    shares = session.probabilities(row)
    assert sum(shares.values()) == pytest.approx(1, abs=1e-6)
    assert session.score(row) == max(shares.values())


def test_the_document_tells_of_every_class(document: dict[str, Any]) -> None:
    assert [row["class"] for row in document["class_report"]] == list(CLASSES)
    assert np.sum(document["confusion_matrix"]) == 400
    assert set(document["by_class"]) == set(CLASSES)
    assert document["metrics"]["accuracy"]["low"] < document["metrics"]["accuracy"]["value"]
    assert document["importance"][0]["feature"] == "z"


def test_rules_alone_recommend_the_harmless_strategy(document: dict[str, Any]) -> None:
    compared = document["rules_comparison"]
    assert compared["rules"]["accuracy"] < compared["model"]["accuracy"]
    assert compared["p"] < 0.001


def test_fairness_of_classes_is_about_being_right(document: dict[str, Any]) -> None:
    groups = document["fairness"]["groups"]["country"]["rows"]
    right = sum(row["selection_rate"]["value"] * row["n"] for row in groups) / 400
    assert right == pytest.approx(document["metrics"]["strategy_accuracy"]["value"])


def test_figures_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(3)
    target = random.integers(0, 3, 500)
    scores = random.dirichlet([1, 1, 1], 500)
    found = class_metrics.measure_classes(target, scores, CLASSES)
    chosen = scores.argmax(axis=1)
    expected = {
        "accuracy": oracle.accuracy_score(target, chosen),
        "macro_f1": oracle.f1_score(target, chosen, average="macro"),
        "log_loss": oracle.log_loss(target, scores),
        "auc_macro": oracle.roc_auc_score(target, scores, multi_class="ovr"),
        "recall_now": oracle.recall_score(target, chosen, labels=[1], average="macro"),
    }
    assert {name: found[name].value for name in expected} == pytest.approx(expected)


def test_a_class_without_rows_has_no_area() -> None:
    target = np.array([0, 1, 0, 1])
    found = class_metrics.measure_classes(target, np.full((4, 3), 1 / 3), CLASSES)
    assert found["auc_macro"].value is None
    assert found["recall_ask"].value is None
