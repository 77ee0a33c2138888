"""A search sees the training rows alone, in the order of time, and leaves every try on record."""

from __future__ import annotations

import builtins
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from countersign.declare import CostMatrix, ModelSpec
from countersign.errors import TooFewRowsError
from countersign.learning import class_metrics
from countersign.learning.dataset import Rows
from countersign.workbench import flat
from countersign.workbench.config import Search
from countersign.workbench.search.folds import folds_of
from countersign.workbench.search.scoring import BINARY, CLASSES, judge, known_scorings
from countersign.workbench.search.space import Space
from countersign.workbench.search.tries import seek
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from .desk import QUICK, Terminal, text

GRID = "search: {method: grid, folds: 2, scoring: auc, space: {max_depth: [1, 3], learning_rate: [0.02, 0.3]}}\n"


def rows_at(moments: list[int], target: list[int]) -> Rows:
    order = np.argsort(moments, kind="stable")
    return Rows(
        ids=np.array([f"r{n}" for n in range(len(moments))], dtype=object),
        as_of=np.array(moments, dtype=np.int64)[order],
        target=np.array(target, dtype=np.int64),
        columns={},
        texts={},
    )


def read(path: Path) -> Any:
    return json.loads(path.read_text())


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1)), min_size=30, max_size=200),
    st.integers(1, 5),
    st.booleans(),
)
def test_no_row_is_in_two_parts_of_a_fold_and_time_never_turns_back(
    made: list[tuple[int, int]], count: int, by_time: bool
) -> None:
    rows = rows_at([moment for moment, _ in made], [label for _, label in made])
    try:
        folds = folds_of(rows, count, seed=1, by_time=by_time)
    except TooFewRowsError:
        return
    judged: list[int] = []
    for fold in folds:
        every = np.concatenate([fold.learn, fold.stop, fold.judge])
        assert len(np.unique(every)) == len(every)
        judged += fold.judge.tolist()
        if by_time and len(np.unique(rows.as_of)) > count + 1:
            assert rows.as_of[fold.learn].max() < rows.as_of[fold.stop].min()
            assert rows.as_of[fold.stop].max() < rows.as_of[fold.judge].min()
    assert len(set(judged)) == len(judged)


def test_folds_by_time_expand() -> None:
    rows = rows_at(list(range(100)), [n % 2 for n in range(100)])
    folds = folds_of(rows, 3, seed=1, by_time=True)
    assert [len(f.learn) + len(f.stop) for f in folds] == [25, 50, 75]
    assert [len(f.judge) for f in folds] == [25, 25, 25]


def test_rows_of_one_class_cannot_be_folded() -> None:
    with pytest.raises(
        TooFewRowsError, match="None of 3 folds of 90 training rows with 0 positives"
    ):
        folds_of(rows_at(list(range(90)), [0] * 90), 3, seed=1, by_time=True)


def use_case(classes: tuple[str, ...] = ()) -> Any:
    facts = {
        "name": "any", "label": "y", "classes": list(classes), "by_time": True, "entity": False,
        "groups": [], "features": [{"name": "x", "column": "x", "categories": []}],
    }  # fmt: skip
    return replace(
        flat.use_case_of(facts),
        costs=CostMatrix(false_negative_minor=500, false_positive_minor=100),
    )


@pytest.mark.parametrize("scoring", BINARY)
def test_figures_of_a_search_are_scikit_learns(scoring: str) -> None:
    drawn = np.random.default_rng(4)
    target = (drawn.random(400) < 0.3).astype(int)
    scores = np.clip(0.3 * target + drawn.random(400) * 0.7, 0, 1)
    part = (rows_at(list(range(400)), target.tolist()), scores)
    found = judge(use_case(), scoring, stop=part, judged=part)
    costs = [
        (
            500 * ((target == 1) & (scores < at)).sum()
            + 100 * ((target == 0) & (scores >= at)).sum(),
            at,
        )
        for at in scores
    ]
    chosen = scores >= min(costs)[1]
    expected = {
        "auc": lambda: oracle.roc_auc_score(target, scores),
        "average_precision": lambda: oracle.average_precision_score(target, scores),
        "brier": lambda: oracle.brier_score_loss(target, scores),
        "precision": lambda: oracle.precision_score(target, chosen),
        "recall": lambda: oracle.recall_score(target, chosen),
        "f1": lambda: oracle.f1_score(target, chosen),
        "false_positive_rate": lambda: (chosen & (target == 0)).sum() / (target == 0).sum(),
        "selection_rate": chosen.mean,
        "cost": lambda: min(costs)[0] / 400,
    }
    assert found == pytest.approx(expected[scoring](), rel=1e-9)


@pytest.mark.parametrize("scoring", [*CLASSES, "recall_b"])
def test_figures_of_classes_are_scikit_learns(scoring: str) -> None:
    classes = ("a", "b", "c")
    assert scoring in known_scorings(classes)
    drawn = np.random.default_rng(5)
    target = drawn.integers(0, 3, 300)
    shares = drawn.dirichlet((1, 1, 1), 300) * 0.6 + np.eye(3)[target] * 0.4
    part = (rows_at(list(range(300)), target.tolist()), shares)
    found = judge(use_case(classes), scoring, stop=part, judged=part)
    chosen = shares.argmax(axis=1)
    expected: dict[str, Any] = {
        "accuracy": lambda: oracle.accuracy_score(target, chosen),
        "auc_macro": lambda: oracle.roc_auc_score(target, shares, multi_class="ovr"),
        "macro_f1": lambda: oracle.f1_score(target, chosen, average="macro"),
        "log_loss": lambda: oracle.log_loss(target, shares),
        "brier": lambda: class_metrics.brier(target, shares),
        "recall_b": lambda: oracle.recall_score(target, chosen, average=None)[1],
    }
    assert found == pytest.approx(expected[scoring](), rel=1e-9)


@pytest.fixture(scope="module")
def sought(
    terminal: Terminal, trained: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """A run whose hyperparameters a grid found, and what was told on the way."""
    place = tmp_path_factory.mktemp("sought")
    config = text(place / "c.yaml", QUICK + GRID)
    words = ("--config", config, "--out", place / "run")
    ended = terminal.type("train", "--dataset", trained / "dataset", *words)
    assert ended.code == 0, ended.err
    return place / "run", ended.err


def test_a_grid_tries_every_combination_and_its_best_is_trained(sought: tuple[Path, str]) -> None:
    run, told = sought
    found = read(run / "search.json")
    tried = [made["hyperparameters"] for made in found["tries"]]
    assert tried == [{"max_depth": d, "learning_rate": r} for d in (1, 3) for r in (0.02, 0.3)]
    assert all(len(made["folds"]) == 2 for made in found["tries"])
    best = max(found["tries"], key=lambda made: made["mean"])
    record = read(run / "training.json")
    used = {name: record["hyperparameters"][name] for name in best["hyperparameters"]}
    assert used == best["hyperparameters"] == record["search"]["best"]["hyperparameters"]
    assert (record["search"]["method"], record["search"]["tries"]) == ("grid", 4)
    assert f"auc {best['mean']:.4g} in try {best['n']}" in told
    assert "Search of hyperparameters" in (run / "report.html").read_text()
    assert (run / "plots/search.svg").read_text().startswith("<svg")


def test_a_search_sees_nothing_after_the_training_rows(sought: tuple[Path, str]) -> None:
    run, _ = sought
    split = read(run / "run.json")["split"]
    for fold in read(run / "search.json")["folds"]:
        assert fold["learn"]["to"] < fold["stop"]["from"]
        assert fold["stop"]["to"] < fold["judge"]["from"]
        assert fold["judge"]["to"] <= split["train"]["to"] < split["valid"]["from"]


def learnable() -> Rows:
    drawn = np.random.default_rng(8)
    values = drawn.normal(size=400)
    target = (values + drawn.normal(size=400) > 1).astype(int)
    return replace(rows_at(list(range(400)), target.tolist()), columns={"x": values})


@pytest.mark.parametrize("method", ["random", "bayesian"])
def test_a_seeded_search_tries_the_same_again(method: Any) -> None:
    space = (
        Space(name="C", low=1e-3, high=10.0, log=True),
        Space(name="max_iter", low=50, high=60, whole=True),
        Space(name="imbalance", values=("weight", "none")),
    )
    plan = Search(method=method, space=space, folds=2, iterations=6, scoring="brier", seed=5)
    case = replace(use_case(), model=ModelSpec(trainer="logistic_regression"))
    told: list[tuple[int, int, float | None]] = []
    found = [
        seek(case, learnable(), plan, lambda *step: told.append(step)).document for _ in range(2)
    ]
    tries = [[(t["hyperparameters"], t["mean"]) for t in each["tries"]] for each in found]
    assert tries[0] == tries[1]
    means = [mean for _, mean in tries[0]]
    assert [step[:2] for step in told[:6]] == [(n, 6) for n in range(1, 7)]
    assert [step[2] for step in told[:6]] == [min(means[: n + 1]) for n in range(6)]
    assert found[0]["best"]["mean"] == min(means)
    for made, _ in tries[0]:
        assert 1e-3 <= made["C"] <= 10
        assert made["max_iter"] in range(50, 61)
        assert made["imbalance"] in ("weight", "none")
    other = seek(case, learnable(), replace(plan, seed=6)).document
    assert [t["hyperparameters"] for t in other["tries"]] != [made for made, _ in tries[0]]


def test_a_small_space_is_not_tried_twice() -> None:
    space = (Space(name="imbalance", values=("weight", "none")),)
    plan = Search(method="random", space=space, folds=2, iterations=20, scoring="auc", seed=5)
    case = replace(use_case(), model=ModelSpec(trainer="logistic_regression"))
    assert len(seek(case, learnable(), plan).document["tries"]) == 2


def test_a_choice_that_cannot_be_fitted_is_a_failed_try(
    terminal: Terminal, trained: Path, tmp_path: Path
) -> None:
    config = text(
        tmp_path / "c.yaml",
        "model: random_forest\nhyperparameters: {n_estimators: 5}\n"
        "search: {folds: 2, scoring: auc, space: {max_features: [-2.5, 0.5]}}\n",
    )
    ended = terminal.type(
        "train", "--dataset", trained / "dataset", "--config", config, "--out", tmp_path / "run"
    )
    assert ended.code == 0, ended.err
    first, second = read(tmp_path / "run/search.json")["tries"]
    assert first["mean"] is None
    assert "max_features" in first["failed"]
    assert second["failed"] == ""
    assert read(tmp_path / "run/training.json")["search"]["failed"] == 1


def test_a_search_in_which_nothing_fits_is_refused(
    terminal: Terminal, trained: Path, tmp_path: Path
) -> None:
    config = text(
        tmp_path / "c.yaml",
        "model: random_forest\nsearch: {folds: 2, space: {max_features: [-2.5]}}\n",
    )
    ended = terminal.type(
        "train", "--dataset", trained / "dataset", "--config", config, "--out", tmp_path / "run"
    )
    assert (ended.code, "No choice of the search could be fitted" in ended.refusal) == (1, True)


def test_optuna_that_is_absent_is_refused_with_what_to_install(
    terminal: Terminal, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "optuna":
            raise ImportError(name)
        return real(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    config = text(
        tmp_path / "c.yaml",
        QUICK + "search: {method: bayesian, space: {max_depth: [1, 2]}}\n",
    )
    ended = terminal.type(
        "train", "--dataset", trained / "dataset", "--config", config, "--out", tmp_path / "run"
    )
    assert (ended.code, "pip install 'countersign[search]'" in ended.refusal) == (2, True)
    assert not (tmp_path / "run").exists()
