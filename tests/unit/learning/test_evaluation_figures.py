"""What stands behind a report's numbers: costs, other costs, certainty of gates, the classification report."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import boto3
import numpy as np
import pytest
from countersign.aws.stores import Stores
from countersign.declare import CostMatrix, Gate
from countersign.learning import threshold
from countersign.learning.class_evaluation import class_averages, class_report
from countersign.learning.contest import row_costs
from countersign.learning.intervals import told, with_interval
from countersign.learning.metrics import cost_of, judge_gate
from countersign.statistics.classification import confusion
from countersign.statistics.proportions import Interval
from countersign.steps import report
from sklearn import metrics as oracle

from tests.unit.learning.world import FOLDER, judged

COSTS = CostMatrix(
    false_negative_minor=40_000, false_positive_minor=1_500, true_positive_minor=1_500
)
RANDOM = np.random.default_rng(8)
LABEL = RANDOM.uniform(size=2_000) < 0.05
SCORES = np.clip(RANDOM.beta(2, 8, 2_000) + 0.4 * LABEL * RANDOM.uniform(size=2_000), 0, 1)


def test_the_cost_is_the_sum_of_every_rows_own() -> None:
    chosen = SCORES >= 0.4
    found = cost_of(confusion(LABEL, chosen), COSTS)
    own = row_costs(LABEL, chosen, COSTS)
    assert found["cost"].value == own.sum()
    assert found["cost_per_1000"].value == pytest.approx(own.mean() * 1_000)
    error = own.std() / math.sqrt(2_000) * 1_000
    low = found["cost_per_1000"].low
    assert low == pytest.approx(own.mean() * 1_000 - 1.96 * error, rel=0.05)


def test_other_costs_move_the_threshold_the_way_they_should() -> None:
    found = {row["if"]: row["threshold"] for row in threshold.sensitivity(LABEL, SCORES, COSTS)}
    assert found["as declared"] == threshold.choose(LABEL, SCORES, COSTS).value
    assert found["a miss costs double"] <= found["as declared"] <= found["a miss costs half"]
    dearer, cheaper = found["a false alarm costs double"], found["a false alarm costs half"]
    assert cheaper <= found["as declared"] <= dearer
    doubled = replace(COSTS, false_negative_minor=80_000)
    assert found["a miss costs double"] == threshold.choose(LABEL, SCORES, doubled).value


@pytest.mark.parametrize(
    ("gate", "figure", "passed", "sure"),
    [
        (Gate("auc", at_least=0.8), Interval(0.9, 0.85, 0.95), True, "beyond chance"),
        (Gate("auc", at_least=0.8), Interval(0.9, 0.75, 0.95), True, "within chance"),
        (Gate("auc", at_least=0.8), Interval(0.7, 0.6, 0.79), False, "beyond chance"),
        (Gate("auc", at_least=0.8), Interval(0.7, 0.6, 0.85), False, "within chance"),
        (Gate("log_loss", at_most=1.0), Interval(1.2, 1.1, 1.3), False, "beyond chance"),
        (Gate("latency_p95_ms", at_most=1.0), Interval(0.5, None, None), True, "no interval"),
        (Gate("auc", at_least=0.8), Interval(None, None, None), False, "unknown"),
    ],
)
def test_a_gate_says_whether_chance_could_turn_it(
    gate: Gate, figure: Interval, passed: bool, sure: str
) -> None:
    values = {} if figure.value is None else {gate.metric: figure.value}
    found = with_interval(judge_gate(gate, values), gate, {gate.metric: figure})
    assert (found["passed"], found["certainty"]) == (passed, sure)
    assert (found["low"], found["high"]) == (figure.low, figure.high)


def test_a_figure_says_how_its_interval_was_made_or_why_there_is_none() -> None:
    assert told("recall", Interval(0.5, 0.4, 0.6))["method"] == "Wilson's score interval"
    assert told("auc", Interval(0.9, 0.8, 0.95))["method"].startswith("DeLong")
    assert told("latency_p95_ms", Interval(1.0, None, None))["method"].startswith(
        "none: timed once"
    )
    assert told("recall", Interval(None, None, None))["method"].startswith("none: undefined")


def test_the_classification_report_is_scikit_learns() -> None:
    target = RANDOM.integers(0, 3, 400)
    chosen = np.where(RANDOM.uniform(size=400) < 0.6, target, RANDOM.integers(0, 3, 400))
    counts = oracle.confusion_matrix(target, chosen)
    theirs: dict[str, Any] = oracle.classification_report(target, chosen, output_dict=True)
    for row in class_report(counts, ("0", "1", "2")):
        for ours, name in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            assert row[ours] == pytest.approx(theirs[row["class"]][name])
            low, high = row["intervals"][ours]
            assert low < row[ours] < high
    averages = class_averages(counts)
    assert averages["accuracy"] == pytest.approx(theirs["accuracy"])
    for kind in ("macro", "weighted"):
        assert averages[kind]["f1"] == pytest.approx(theirs[f"{kind} avg"]["f1-score"])


def test_a_class_that_is_never_chosen_has_no_precision() -> None:
    rows = class_report(np.array([[5, 0], [3, 0]]), ("a", "b"))
    assert rows[1]["precision"] is None
    assert rows[1]["recall"] == 0.0
    assert "precision" not in rows[1]["intervals"]


def test_the_report_step_draws_the_judged_run_and_its_search(stores: Stores) -> None:
    judged(stores)
    # The dataset of these tests has too little of a manifest to be drawn: as if it were not there.
    boto3.client("s3").delete_object(Bucket="lake", Key="datasets/d1/manifest.json")
    asked = report.Request(kind="evaluation", use_case="small", run_id="run-1")
    first = report.run(asked, stores)
    page = stores.artifacts.get(f"{FOLDER}/report.html")
    assert (first.report_key, first.bytes) == (f"{FOLDER}/report.html", len(page))
    assert report.run(asked, stores) == first
    assert stores.artifacts.get(f"{FOLDER}/report.html") == page
    document = stores.artifacts.read_json(f"{FOLDER}/evaluation.json")
    compared = stores.artifacts.read_json(f"{FOLDER}/ml_vs_rules_comparison.json")
    assert compared == document["rules_comparison"]
    assert {"threshold", "cost_per_1000", "intervals"} <= set(compared["hybrid"])
    assert [row["class"] for row in document["class_report"]] == ["no", "yes"]
    assert (
        document["threshold"]["sensitivity"][0]["recall"] == document["metrics"]["recall"]["value"]
    )
    tries = [{"n": 0, "hyperparameters": {}, "mean": 0.8, "std": 0.1, "seconds": 1.0}]
    stores.artifacts.write_json(f"{FOLDER}/search.json", {"scoring": "auc", "tries": tries})
    report.run(asked, stores)
    assert b"Search of hyperparameters" in stores.artifacts.get(f"{FOLDER}/report.html")
