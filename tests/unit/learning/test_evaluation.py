"""The verdict on a sealed candidate, and the document behind it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.declare import FairnessGroup, Gate, Hybrid
from countersign.errors import ArtifactError, ContractError, DigestMismatchError, SignatureError
from countersign.learning.dataset import Dataset, Rows, read_rows
from countersign.learning.fairness import audit
from countersign.learning.metrics import judge_gate, score_psi
from countersign.learning.scoring import score_with
from countersign.serving.hybrid import combine
from countersign.serving.rules import score_rules
from countersign.serving.session import FILES, ModelSession
from countersign.steps import evaluate, export_model, train
from sklearn.metrics import average_precision_score, f1_score, recall_score, roc_auc_score

from tests.unit.learning.cases import SMALL, dataset_objects, parquet, table, without
from tests.unit.learning.world import FOLDER, RUN, judged, trained


def document(stores: Stores) -> dict[str, Any]:
    found: dict[str, Any] = stores.artifacts.read_json(f"{FOLDER}/evaluation.json")
    return found


def test_a_good_candidate_passes_and_leaves_its_documents(stores: Stores) -> None:
    result = judged(stores)
    assert result.passed
    assert result.failed == []
    for name in ("evaluation.json", "metrics.json", "card.md", "ml_vs_rules_comparison.json"):
        assert stores.artifacts.exists(f"{FOLDER}/{name}")
    assert stores.artifacts.read_json(f"{FOLDER}/metrics.json") == result.metrics
    found = document(stores)
    assert found["passed"] is True
    assert found["split"]["kind"] == "time"
    assert {"rules", "model", "hybrid", "discordant", "p"} <= set(found["rules_comparison"])
    assert found["importance"][-1]["feature"] == "changes"


def test_metrics_equal_scikit_learns_on_the_served_scores(stores: Stores) -> None:
    result = judged(stores)
    session = ModelSession.load(stores.artifacts.load(FOLDER, FILES))
    test = Dataset.open(stores.lake.get, "d1", key="payslip_id").split("test")
    final = score_with(session, test).final
    chosen = final >= session.threshold
    oracle = {
        "auc": roc_auc_score(test.label, final),
        "average_precision": average_precision_score(test.label, final),
        "recall": recall_score(test.label, chosen),
        "f1": f1_score(test.label, chosen),
    }
    for name, value in oracle.items():
        assert result.metrics[name] == pytest.approx(value, abs=1e-12)


def test_many_rows_score_exactly_as_one_request_would(stores: Stores) -> None:
    trained(stores)
    session = ModelSession.load(stores.artifacts.load(FOLDER, FILES))
    test = Dataset.open(stores.lake.get, "d1", key="payslip_id").split("test")
    final = score_with(session, test).final
    for at in range(0, len(test), 7):
        features: dict[str, float | None] = {
            name: None if math.isnan(values[at]) else float(values[at])
            for name, values in test.columns.items()
        }
        model = session.score(session.vector(features))
        points, _ = score_rules(session.rules, features)
        assert combine(session.hybrid, model_score=model, rule_score=points) == final[at]


def test_every_number_of_the_document_is_finite_or_null(stores: Stores) -> None:
    judged(stores)
    text = stores.artifacts.get(f"{FOLDER}/evaluation.json").decode()

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(text, parse_constant=refuse)


def test_a_repeated_evaluation_gives_the_recorded_verdict(stores: Stores) -> None:
    first = judged(stores)
    before = stores.artifacts.get(f"{FOLDER}/evaluation.json")
    assert evaluate.run(evaluate.Request(**RUN), stores) == first
    assert stores.artifacts.get(f"{FOLDER}/evaluation.json") == before


@pytest.mark.parametrize("metric", ["auc", "a_metric_nobody_measures"])
def test_a_gate_that_does_not_hold_or_is_missing_fails_the_candidate(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, metric: str
) -> None:
    strict = without(SMALL, gates=(Gate(metric, at_least=0.9999), Gate("recall", at_least=0.1)))
    monkeypatch.setitem(use_cases.all_use_cases(), "small", strict)
    result = judged(stores)
    assert not result.passed
    assert result.failed == [metric]
    assert document(stores)["passed"] is False


@pytest.mark.parametrize("value", [None, math.nan])
def test_a_missing_or_nan_metric_never_passes(value: float | None) -> None:
    metrics = {} if value is None else {"auc": value}
    assert judge_gate(Gate("auc", at_least=0.1), metrics)["passed"] is False
    assert judge_gate(Gate("auc", at_most=0.9), metrics)["passed"] is False


def test_tampered_bytes_are_not_judged(stores: Stores) -> None:
    trained(stores)
    model = bytearray(stores.artifacts.get(f"{FOLDER}/model.onnx"))
    model[-20] ^= 1
    stores.artifacts.put(f"{FOLDER}/model.onnx", bytes(model))
    with pytest.raises(DigestMismatchError, match=r"model\.onnx"):
        evaluate.run(evaluate.Request(**RUN), stores)
    stores.artifacts.put(f"{FOLDER}/manifest.sig", b"0" * 70)
    with pytest.raises(SignatureError):
        evaluate.run(evaluate.Request(**RUN), stores)
    assert not stores.artifacts.exists(f"{FOLDER}/evaluation.json")


def test_a_signed_manifest_of_another_run_is_refused(stores: Stores) -> None:
    trained(stores)
    trained(stores, run_id="run-2")
    for key in stores.artifacts.keys("small/runs/run-2/"):
        stores.artifacts.copy(key, key.replace("run-2", "run-1"))
    with pytest.raises(ArtifactError, match="another run_id"):
        evaluate.run(evaluate.Request(**RUN), stores)


def test_the_card_says_what_was_measured(stores: Stores) -> None:
    judged(stores)
    card = stores.artifacts.get(f"{FOLDER}/card.md").decode()
    for words in ("# Small: model card", "| auc |", "Fairness", "every gate held", "n_estimators"):
        assert words in card


def split_rows(countries: list[str], label: Any) -> Rows:

    columns = table(len(countries))
    columns["country"], columns["label"] = countries, np.asarray(label, dtype=np.int64)
    return read_rows(parquet(columns), key="payslip_id")


GROUPS = (FairnessGroup(column="country", minimum_rows=100),)


def fairness_of(shares: dict[str, tuple[int, int]]) -> dict[str, Any]:
    """Groups of (rows, correct rows selected); nobody is positive but one row of each."""
    countries = [c for c, (n, _) in shares.items() for _ in range(n)]
    chosen = [i < k for n, k in shares.values() for i in range(n)]
    label = [i == n - 1 for n, _ in shares.values() for i in range(n)]
    return audit(GROUPS, split_rows(countries, label), np.array(chosen), cluster="payslip_id")


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        ({"PT": (1_000, 50), "NL": (1_000, 48)}, "PASS"),
        ({"PT": (1_000, 50), "NL": (1_000, 200)}, "FAIL"),
        ({"PT": (1_000, 50), "NL": (1_000, 100)}, "INSUFFICIENT"),
        ({"PT": (150, 3), "NL": (150, 5)}, "INSUFFICIENT"),
        ({"PT": (1_000, 50), "NL": (20, 20)}, "INSUFFICIENT"),
    ],
)
def test_a_gap_fails_only_when_rows_enough_show_it_beyond_chance(
    shares: dict[str, tuple[int, int]], verdict: str
) -> None:
    found = fairness_of(shares)
    assert found["verdict"] == verdict
    assert bool(found["reasons"]) == (verdict != "PASS")


def test_selection_that_follows_the_errors_is_not_called_unfair() -> None:
    countries = ["PT"] * 1_000 + ["NL"] * 1_000
    label = [i < 20 for i in range(1_000)] + [i < 100 for i in range(1_000)]
    found = audit(GROUPS, split_rows(countries, label), np.array(label), cluster="worker_id")
    assert found["groups"]["country"]["selection_rate_ratio"] == pytest.approx(0.2)
    assert found["verdict"] == "INSUFFICIENT"


def test_a_gap_that_is_the_habit_of_a_few_workers_is_not_beyond_chance() -> None:
    """200 selected rows of one group, all of four workers, against 50 of the other."""
    n = 1_000
    columns = table(2 * n)
    columns["country"] = ["PT"] * n + ["NL"] * n
    columns["label"] = np.array([i in (0, n) for i in range(2 * n)], dtype=np.int64)
    columns["worker_id"] = [f"pt{i % 20}" for i in range(n)] + [f"nl{i // 50}" for i in range(n)]
    rows = read_rows(parquet(columns), key="payslip_id")
    chosen = np.array([i % 20 == 0 for i in range(n)] + [i < 200 for i in range(n)])
    assert audit(GROUPS, rows, chosen, cluster="payslip_id")["verdict"] == "FAIL"
    assert audit(GROUPS, rows, chosen, cluster="worker_id")["verdict"] == "INSUFFICIENT"


def test_a_fairness_column_that_is_absent_is_refused_by_name() -> None:
    region = (FairnessGroup(column="region"),)
    with pytest.raises(ContractError, match="region"):
        audit(region, split_rows(["PT"] * 10, [0] * 10), np.zeros(10, bool), cluster="worker_id")


def test_unfair_selection_fails_the_candidate(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that flags every row of one group's habit shows up as that group's false alarms."""
    everywhere = replace(SMALL.rules[1], when=("changes", ">=", 1.0), points=1.0)
    unfair = without(
        SMALL,
        rules=(everywhere,),
        hybrid=Hybrid(model_weight=0.1, rules_weight=0.9),
        fairness=(FairnessGroup(column="habit", minimum_rows=50),),
    )
    monkeypatch.setitem(use_cases.all_use_cases(), "small", unfair)
    splits = {
        name: table(n, seed=s, first=f)
        for name, n, s, f in (("train", 900, 1, 0), ("valid", 400, 2, 900), ("test", 400, 3, 1_300))
    }
    for columns in splits.values():
        columns["habit"] = ["often" if c >= 1 else "seldom" for c in columns["changes"]]
        # Errors follow the habit too, so that the cheapest threshold is to review all of them.
        columns["label"] = (columns["changes"] >= 1).astype(np.int64) * (
            np.random.default_rng(1).uniform(size=len(columns["changes"])) < 0.3
        )
    for key, content in dataset_objects("d1", splits=splits).items():
        stores.lake.put(key, content)
    train.run(train.Request(**RUN), stores)
    export_model.run(export_model.Request(**RUN), stores)
    result = evaluate.run(evaluate.Request(**RUN), stores)
    assert "fairness" in result.failed
    assert not result.passed


def test_score_psi_is_near_zero_for_the_same_scores_and_large_for_others() -> None:
    random = np.random.default_rng(2)
    one, two = random.uniform(size=2_000), random.uniform(size=2_000)
    assert score_psi(one, two) < 0.03
    assert score_psi(one, two**4) > 0.3


def test_the_verdict_stands_on_the_audit_chain_once(stores: Stores) -> None:
    judged(stores)
    evaluate.run(evaluate.Request(**RUN), stores)
    entries = [e for e in stores.audit.entries("small") if e.action == "gates-judged"]
    assert len(entries) == 1
