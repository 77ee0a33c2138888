"""The trainer and its arrays."""

from __future__ import annotations

import numpy as np
import pytest
from countersign.errors import ArtifactError, DataError
from countersign.learning import native, trainers
from countersign.learning.trainers import isolation_forest
from sklearn.ensemble import IsolationForest

from tests.unit.learning.forests import fitted, payroll_like


def test_scores_are_those_of_scikit_learn() -> None:
    rows = payroll_like(700)
    oracle = IsolationForest(n_estimators=30, max_samples=128, random_state=11).fit(rows)
    ours = fitted(rows, seed=11, n_estimators=30, max_samples=128)
    assert np.array_equal(ours.score(rows), -oracle.score_samples(rows))
    assert np.abs(ours.model.score(rows) + oracle.score_samples(rows)).max() < 1e-12


@pytest.mark.parametrize("hyperparameters", [{"max_features": 0.5}, {"bootstrap": True}])
def test_arrays_hold_for_trees_that_see_some_features_or_repeated_rows(
    hyperparameters: dict[str, float | bool],
) -> None:
    rows = payroll_like(400)
    model = fitted(rows, **hyperparameters)
    assert np.abs(model.model.score(rows) - model.score(rows)).max() < 1e-12


def test_scores_lie_strictly_between_zero_and_one() -> None:
    scores = fitted().score(payroll_like(500, seed=9))
    assert scores.min() > 0
    assert scores.max() < 1


def test_the_same_seed_gives_the_same_file_and_another_seed_another() -> None:
    first, again, other = (fitted(seed=s).native_files()["native.npz"] for s in (5, 5, 6))
    assert first == again
    assert first != other


def test_a_saved_forest_reads_back_and_scores_the_same() -> None:
    rows, model = payroll_like(300), fitted()
    forest = native.load(model.native_files()["native.npz"])
    assert np.array_equal(forest.score(rows), model.model.score(rows))
    assert forest.score(rows[:0]).shape == (0,)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"\x80\x04]q\x00."])
def test_a_foreign_file_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(ArtifactError, match=r"native\.npz"):
        native.load(content)


def test_an_unknown_hyperparameter_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="learning_rate"):
        fitted(learning_rate=0.1)


def test_rows_that_are_not_finite_are_refused() -> None:
    rows = payroll_like(100)
    rows[3, 2] = np.nan
    with pytest.raises(DataError, match="finite"):
        fitted(rows)


def test_more_samples_than_rows_means_all_rows() -> None:
    assert fitted(payroll_like(50), max_samples=256).hyperparameters["max_samples"] == 50


def test_an_unknown_trainer_is_refused_with_those_there_are() -> None:
    with pytest.raises(DataError, match="isolation_forest"):
        trainers.get("crystal_ball")
    assert trainers.get("isolation_forest") is isolation_forest
