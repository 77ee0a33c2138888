"""The audit's figures against fairlearn and statsmodels; what it says of small groups, classes and many tests."""

from __future__ import annotations

from typing import Any

import fairlearn.metrics as fl
import numpy as np
import pytest
from countersign.declare import FairnessGroup
from countersign.learning.dataset import Rows, read_rows
from countersign.learning.fairness import audit
from statsmodels.stats.multitest import multipletests

from tests.unit.learning.cases import parquet, table

GROUPS = (
    FairnessGroup(column="country", minimum_rows=100),
    FairnessGroup(column="contract", minimum_rows=100),
)


def world(n: int = 3_000, seed: int = 4) -> tuple[Rows, np.ndarray, np.ndarray]:
    """Rows of three countries and a small fourth, decisions and scores."""
    random = np.random.default_rng(seed + 100)
    columns = table(n, seed=seed, rate=0.1)
    columns["country"] = random.choice(
        ["DE", "MT", "NL", "PT"], n, p=[0.4, 0.01, 0.3, 0.29]
    ).tolist()
    columns["contract"] = random.choice(["fixed", "open"], n).tolist()
    rows = read_rows(parquet(columns), key="payslip_id")
    scores = np.clip(random.beta(2, 8, n) + 0.25 * rows.label, 0, 1)
    return rows, scores >= 0.35, scores


ROWS, CHOSEN, SCORES = world()
FOUND: dict[str, Any] = audit(GROUPS, ROWS, CHOSEN, cluster="worker_id", scores=SCORES)
BY = {"selection_rate": fl.selection_rate, "tpr": fl.true_positive_rate,
      "fpr": fl.false_positive_rate, "fnr": fl.false_negative_rate}  # fmt: skip


@pytest.mark.parametrize("column", ["country", "contract"])
def test_rates_gaps_and_ratio_are_fairlearns(column: str) -> None:
    found = FOUND["groups"][column]
    theirs = fl.MetricFrame(
        metrics=BY, y_true=ROWS.label, y_pred=CHOSEN, sensitive_features=ROWS.texts[column]
    ).by_group
    judged = [row["value"] for row in found["rows"] if row["judged"]]
    for row in found["rows"]:
        for name in BY:
            assert row[name]["value"] == pytest.approx(theirs.loc[row["value"], name], abs=1e-12)
    kept = theirs.loc[judged]
    ratio = kept["selection_rate"].min() / kept["selection_rate"].max()
    assert found["selection_rate_ratio"] == pytest.approx(ratio, abs=1e-12)
    for name in ("fpr", "fnr"):
        assert found[name]["gap"] == pytest.approx(kept[name].max() - kept[name].min(), abs=1e-12)
        assert found[name]["highest"] == kept[name].idxmax()
        assert found[name]["lowest"] == kept[name].idxmin()


def test_ratio_and_equalized_odds_of_the_large_groups_are_fairlearns() -> None:
    large = ROWS.texts["country"] != "MT"
    truth, chosen, groups = ROWS.label[large], CHOSEN[large], ROWS.texts["country"][large]
    found = FOUND["groups"]["country"]
    ratio = fl.demographic_parity_ratio(truth, chosen, sensitive_features=groups)
    odds = fl.equalized_odds_difference(truth, chosen, sensitive_features=groups)
    opportunity = fl.equal_opportunity_difference(truth, chosen, sensitive_features=groups)
    assert found["selection"]["ratio"] == pytest.approx(ratio, abs=1e-12)
    assert max(found["fpr_gap"], found["fnr_gap"]) == pytest.approx(odds, abs=1e-12)
    assert found["fnr_gap"] == pytest.approx(opportunity, abs=1e-12)


def test_mean_score_and_outcome_rate_stand_beside_each_other() -> None:
    means = fl.MetricFrame(
        metrics={"mean": lambda _, s: float(np.mean(s))}, y_true=ROWS.label, y_pred=SCORES,
        sensitive_features=ROWS.texts["country"],
    ).by_group  # fmt: skip
    for row in FOUND["groups"]["country"]["rows"]:
        assert row["mean_score"] == pytest.approx(means.loc[row["value"], "mean"])
        assert row["outcome_rate"]["value"] == pytest.approx(row["positives"] / row["n"])


def test_every_figure_lies_in_its_interval() -> None:
    for found in FOUND["groups"].values():
        ends = found["selection"]
        assert ends["low"] < ends["ratio"] < ends["high"]
        for name in ("fpr", "fnr"):
            assert found[name]["low"] < found[name]["gap"] < found[name]["high"]


def test_every_p_is_adjusted_for_all_of_them() -> None:
    gaps = [found[name] for found in FOUND["groups"].values() for name in ("fpr", "fnr")]
    theirs = multipletests([gap["p"] for gap in gaps], method="fdr_bh")[1]
    assert [gap["p_adjusted"] for gap in gaps] == pytest.approx(theirs.tolist())
    assert FOUND["comparisons"] == 4


def test_a_group_under_the_minimum_is_named_and_takes_no_part() -> None:
    found = FOUND["groups"]["country"]
    assert [small["value"] for small in found["too_small"]] == ["MT"]
    named = {found["selection"][end] for end in ("lowest", "highest")}
    assert "MT" not in named


def test_intervals_are_wider_where_one_worker_has_many_rows() -> None:
    """Twenty workers, each always or never selected: their thousand rows are not a thousand witnesses."""
    columns = table(1_000, rate=0.1)
    columns["country"] = ["DE"] * 500 + ["PT"] * 500
    columns["worker_id"] = [f"w{n // 50}" for n in range(1_000)]
    rows = read_rows(parquet(columns), key="payslip_id")
    chosen = np.array([(n // 50) % 3 == 0 for n in range(1_000)])
    group = (FairnessGroup(column="country", minimum_rows=100),)
    wide, narrow = (
        audit(group, rows, chosen, cluster=name)["groups"]["country"]["selection"]
        for name in ("worker_id", "payslip_id")
    )
    assert wide["high"] - wide["low"] > 3 * (narrow["high"] - narrow["low"])


def test_of_classes_only_wrong_decisions_can_differ() -> None:
    right = ROWS.label == CHOSEN
    found = audit(
        GROUPS, ROWS, right, cluster="worker_id", truth=np.ones(len(ROWS), dtype=np.bool_)
    )
    assert found["about"] == "decided right"
    country = found["groups"]["country"]
    assert country["fpr"] is None
    accuracy = fl.MetricFrame(
        metrics=lambda y, d: float(np.mean(np.asarray(y) == np.asarray(d))),
        y_true=ROWS.label, y_pred=CHOSEN, sensitive_features=ROWS.texts["country"],
    ).by_group  # fmt: skip
    for row in country["rows"]:
        assert row["selection_rate"]["value"] == pytest.approx(accuracy[row["value"]])
    assert found["comparisons"] == 2


def test_a_gap_among_many_comparisons_must_be_the_clearer() -> None:
    """What one comparison would call proven is undecided among forty."""
    n = 1_200
    columns = table(n, rate=0.1)
    columns["country"] = ["DE"] * (n // 2) + ["PT"] * (n // 2)
    many = [f"group_{k}" for k in range(39)]
    for k, name in enumerate(many):
        columns[name] = np.random.default_rng(k).choice(["a", "b"], n).tolist()
    rows = read_rows(parquet(columns), key="payslip_id")
    random = np.random.default_rng(12)
    chosen = random.uniform(size=n) < np.where(rows.texts["country"] == "DE", 0.30, 0.45)
    alone = audit(
        (FairnessGroup(column="country", minimum_rows=100),), rows, chosen, cluster="payslip_id"
    )
    among = audit(
        tuple(FairnessGroup(column=c, minimum_rows=100) for c in ("country", *many)),
        rows, chosen, cluster="payslip_id",
    )  # fmt: skip
    one, other = (found["groups"]["country"]["fpr"] for found in (alone, among))
    assert one["p"] == other["p"]
    assert other["p_adjusted"] > one["p_adjusted"]
