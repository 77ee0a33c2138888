"""Every trainer learns, keeps its model as arrays that score like the library, and exports exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
from countersign.declare import ModelSpec
from countersign.errors import ArtifactError, DataError
from countersign.learning import export, native, trainers
from countersign.learning.golden import TOLERANCE, choose
from countersign.learning.trainers import boosting
from countersign.learning.trainers.calibration import fit_sigmoid, fit_temperature
from countersign.learning.trainers.lesson import Examples, Fitted, Lesson
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss, roc_auc_score

CLASSES = ("now", "tomorrow", "payday")
MEMBERS = (
    ModelSpec(trainer="xgboost_binary", hyperparameters={"n_estimators": 20}),
    ModelSpec(trainer="random_forest", hyperparameters={"n_estimators": 20}),
    ModelSpec(trainer="logistic_regression"),
)
FEW = {
    "xgboost_binary": {"n_estimators": 40},
    "xgboost_multiclass": {"n_estimators": 25},
    "random_forest": {"n_estimators": 30},
    "logistic_regression": {},
    "isolation_forest": {"n_estimators": 30},
    "vote": {},
    "weighted": {},
    "stacking": {"folds": 2},
}
ENSEMBLES = ("vote", "weighted", "stacking")


def examples(n_rows: int, *, classes: int = 2, seed: int = 0, nulls: float = 0.0) -> Examples:
    """Rows whose class shows in the first three inputs; the fourth is a wide amount."""
    random = np.random.default_rng(seed)
    target = random.choice(classes, size=n_rows, p=_shares(classes))
    rows = np.column_stack(
        [
            random.normal(0, 1, n_rows) + 1.2 * target,
            random.normal(0, 1, n_rows) - target,
            random.integers(0, 5, n_rows) + (target == classes - 1),
            random.lognormal(10, 2, n_rows),
        ]
    ).astype(np.float32)
    rows[random.uniform(size=rows.shape) < nulls] = np.nan
    return Examples(rows=rows, target=target.astype(np.int64))


def _shares(classes: int) -> list[float]:
    return [0.8, 0.2] if classes == 2 else [0.5, 0.3, 0.2]


def lesson(trainer: str, *, seed: int = 1, nulls: float = 0.0, **changes: Any) -> Lesson:
    several = trainer == "xgboost_multiclass" or bool(changes.get("classes"))
    count = 3 if several else 2
    made: dict[str, Any] = {
        "train": examples(900, classes=count, seed=seed, nulls=nulls),
        "valid": examples(400, classes=count, seed=seed + 1, nulls=nulls),
        "classes": CLASSES if several else (),
        "hyperparameters": FEW[trainer],
        "members": MEMBERS if trainer in ENSEMBLES else (),
    }
    return Lesson(**{**made, **changes})


def fitted(trainer: str, **changes: Any) -> Fitted:
    found: Fitted = trainers.get(trainer).fit(lesson(trainer, **changes))
    return found


def served(model: Fitted, rows: Any) -> Any:
    content = export.to_onnx(model.native_files()["native.npz"])
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    scores = session.run(None, {"features": rows})[0]
    return scores if model.model.n_outputs > 1 else scores[:, 0]


def golden(model: Fitted, rows: Any) -> Any:
    return choose(rows, model.model.split_points(), model.score, seed=3)


@pytest.mark.parametrize("trainer", trainers.TRAINERS)
def test_the_export_equals_the_model_on_golden_vectors(trainer: str) -> None:
    nulls = 0.05 if trainers.get(trainer).TAKES_NULLS else 0.0
    model = fitted(trainer, nulls=nulls)
    vectors = golden(model, examples(900, seed=1, nulls=nulls).rows)
    assert len(vectors.rows) >= 1_000
    assert np.isnan(vectors.rows).any() == bool(nulls)
    assert np.abs(served(model, vectors.rows) - vectors.scores).max() <= TOLERANCE


@pytest.mark.parametrize(
    "trainer", ["random_forest", "logistic_regression", "weighted", "stacking"]
)
def test_the_export_equals_the_model_for_classes_too(trainer: str) -> None:
    classed = [
        ModelSpec(trainer="xgboost_multiclass", hyperparameters={"n_estimators": 15}),
        ModelSpec(trainer="logistic_regression"),
    ]
    members = tuple(classed) if trainer in ENSEMBLES else ()
    model = fitted(trainer, classes=CLASSES, members=members)
    vectors = golden(model, examples(900, classes=3).rows)
    assert vectors.scores.shape == (len(vectors.rows), 3)
    assert np.abs(served(model, vectors.rows) - vectors.scores).max() <= TOLERANCE
    assert np.abs(vectors.scores.sum(axis=1) - 1).max() < 1e-9


@given(
    seed=st.integers(0, 2**31 - 1),
    depth=st.integers(1, 7),
    rounds=st.integers(1, 30),
    nulls=st.sampled_from([0.0, 0.3]),
    classes=st.sampled_from([2, 3]),
)
@settings(max_examples=15, deadline=None)
def test_boosted_arrays_equal_xgboost_whatever_the_trees(
    seed: int, depth: int, rounds: int, nulls: float, classes: int
) -> None:
    import xgboost

    train = examples(300, classes=classes, seed=seed, nulls=nulls)
    several = {"objective": "multi:softprob", "num_class": 3}
    booster = xgboost.train(
        {
            **(several if classes > 2 else {"objective": "binary:logistic"}),
            "max_depth": depth,
            "seed": seed,
            "eta": 0.5,
        },
        xgboost.DMatrix(train.rows, train.target),
        num_boost_round=rounds,
    )
    trees = boosting.from_booster(booster, train.rows, 1 if classes == 2 else classes)
    rows = examples(400, classes=classes, seed=seed + 1, nulls=0.1).rows
    expected = booster.predict(xgboost.DMatrix(rows)).reshape(trees.score(rows).shape)
    assert np.abs(trees.score(rows) - expected).max() <= 5e-6


@pytest.mark.parametrize("trainer", [t for t in trainers.TRAINERS if t != "isolation_forest"])
def test_what_is_learned_ranks_unseen_rows(trainer: str) -> None:
    model = fitted(trainer)
    unseen = examples(1_000, classes=3 if model.model.n_outputs > 1 else 2, seed=9)
    scores = model.score(unseen.rows)
    several = {"multi_class": "ovr"} if model.model.n_outputs > 1 else {}
    assert roc_auc_score(unseen.target, scores, **several) > 0.8
    assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("trainer", trainers.TRAINERS)
def test_the_same_lesson_gives_the_same_bytes(trainer: str) -> None:
    first, again = (fitted(trainer).native_files() for _ in range(2))
    assert first == again
    assert set(first) >= {"native.npz"}


@pytest.mark.parametrize("trainer", trainers.TRAINERS)
def test_a_saved_model_reads_back_and_scores_the_same(trainer: str) -> None:
    model = fitted(trainer)
    rows = examples(200, seed=4).rows
    back = native.load(model.native_files()["native.npz"])
    assert np.array_equal(back.score(rows), model.model.score(rows))
    assert (back.n_features, back.n_outputs) == (4, model.model.n_outputs)


@pytest.mark.parametrize("trainer", trainers.TRAINERS)
def test_an_unknown_hyperparameter_is_refused_by_name(trainer: str) -> None:
    with pytest.raises(DataError, match="crystal"):
        fitted(trainer, hyperparameters={"crystal": 1})


@pytest.mark.parametrize("trainer", ["xgboost_binary", "random_forest", "logistic_regression"])
@pytest.mark.parametrize("name", ["imbalance", "calibration"])
def test_a_way_to_weigh_or_calibrate_that_nobody_knows_is_refused(trainer: str, name: str) -> None:
    with pytest.raises(DataError, match=f"{name} is one of"):
        fitted(trainer, hyperparameters={**FEW[trainer], name: "wieght"})


@pytest.mark.parametrize("trainer", ["isolation_forest", "logistic_regression", "weighted"])
def test_nulls_are_refused_by_models_without_a_place_for_them(trainer: str) -> None:
    with pytest.raises(DataError, match="fill"):
        fitted(trainer, nulls=0.1)


def test_boosting_stops_when_the_validation_rows_stop_improving() -> None:
    model = fitted(
        "xgboost_binary", hyperparameters={"n_estimators": 500, "early_stopping_rounds": 5}
    )
    assert 1 <= model.found["rounds"] < 200
    assert model.hyperparameters["n_estimators"] == 500


def test_weights_lift_the_rare_class_and_calibration_makes_its_probability_true() -> None:
    heavy = {"n_estimators": 60, "early_stopping_rounds": 0}
    raw = fitted("xgboost_binary", hyperparameters={**heavy, "calibration": "none"})
    true = fitted("xgboost_binary", hyperparameters=heavy)
    unseen = examples(4_000, seed=9)
    rate = unseen.target.mean()
    assert raw.score(unseen.rows).mean() > rate + 0.03
    assert abs(true.score(unseen.rows).mean() - rate) < 0.03
    assert log_loss(unseen.target, true.score(unseen.rows)) < log_loss(
        unseen.target, raw.score(unseen.rows)
    )
    assert true.found["calibration"] == "sigmoid"


def test_the_sigmoid_is_the_likeliest_one() -> None:
    """Against a general optimiser on Platt's own loss."""
    from scipy.optimize import minimize

    random = np.random.default_rng(4)
    sums = random.normal(0, 3, 500)
    target = (random.uniform(size=500) < 1 / (1 + np.exp(-(0.6 * sums - 1)))).astype(np.int64)
    wanted = np.where(
        target == 1, (target.sum() + 1) / (target.sum() + 2), 1 / (501 - target.sum())
    )
    wanted[target == 0] = 1 / (500 - target.sum() + 2)

    def loss(line: Any) -> float:
        margin = line[0] * sums + line[1]
        return float(np.sum(np.logaddexp(0, margin) - wanted * margin))

    best = minimize(loss, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10})
    assert fit_sigmoid(sums, target) == pytest.approx(tuple(best.x), rel=1e-3)


def test_rows_that_are_told_apart_without_error_stay_finite() -> None:
    slope, intercept = fit_sigmoid(np.array([-3.0, -2.0, 2.0, 3.0]), np.array([0, 0, 1, 1]))
    assert np.isfinite([slope, intercept]).all()
    assert slope > 0


def test_a_model_that_ranks_backwards_is_left_as_it_is() -> None:
    assert fit_sigmoid(np.array([3.0, 2.0, -2.0, -3.0]), np.array([0, 0, 1, 1])) == (1.0, 0.0)


def test_a_temperature_cools_what_is_too_sure() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 1, (2_000, 3))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    target = np.array([random.choice(3, p=p) for p in shares])
    assert fit_temperature(logits * 4, target) == pytest.approx(0.25, rel=0.15)


def test_a_vote_is_the_share_of_members_that_say_yes() -> None:
    model = fitted("vote")
    scores = model.score(examples(300, seed=5).rows)
    assert set(np.round(scores * 3).tolist()) <= {0.0, 1.0, 2.0, 3.0}
    assert np.allclose(scores * 3, np.round(scores * 3))


def test_a_better_member_weighs_more() -> None:
    random = ModelSpec(
        trainer="xgboost_binary", hyperparameters={"n_estimators": 1, "max_depth": 1}
    )
    model = fitted("weighted", members=(random, MEMBERS[2]))
    worse, better = model.found["weights"]
    assert better > worse
    assert worse + better == pytest.approx(1)


@pytest.mark.parametrize("trainer", ENSEMBLES)
def test_an_ensemble_needs_two_members_that_learn_from_labels(trainer: str) -> None:
    with pytest.raises(DataError, match="two"):
        fitted(trainer, members=MEMBERS[:1])
    with pytest.raises(DataError, match="isolation_forest"):
        fitted(trainer, members=(*MEMBERS, ModelSpec(trainer="isolation_forest")))


def test_a_trainer_for_yes_or_no_refuses_classes_and_the_other_way_round() -> None:
    with pytest.raises(DataError, match="xgboost_multiclass"):
        fitted("xgboost_binary", classes=CLASSES)
    with pytest.raises(DataError, match="xgboost_binary"):
        fitted("xgboost_multiclass", classes=())
    with pytest.raises(DataError, match="weighted or stacking"):
        fitted("vote", classes=CLASSES)


def test_boosting_tells_its_progress() -> None:
    told: list[tuple[int, int]] = []
    fitted("xgboost_binary", progress=lambda done, total: told.append((done, total)))
    assert told[0] == (1, 40)
    assert [done for done, _ in told] == list(range(1, len(told) + 1))


@pytest.mark.parametrize("content", [b"", b"not an archive", b"\x80\x04]q\x00."])
def test_a_foreign_file_is_refused(content: bytes) -> None:
    with pytest.raises(ArtifactError, match=r"native\.npz"):
        native.load(content)
