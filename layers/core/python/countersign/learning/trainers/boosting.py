"""Gradient boosting by xgboost: fitted with early stopping, kept as `.ubj` and as arrays."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from countersign.errors import DataError
from countersign.learning.native import LEAF, Floats, Inputs, Trees
from countersign.learning.native.words import Link, linked
from countersign.learning.trainers.calibration import fit_line
from countersign.learning.trainers.imbalance import row_weights
from countersign.learning.trainers.lesson import (
    Examples,
    Fitted,
    Hyperparameters,
    Lesson,
    check_same,
)

NATIVE = "model.ubj"
DEFAULTS: Hyperparameters = {
    "n_estimators": 400,
    "max_depth": 5,
    "learning_rate": 0.08,
    "min_child_weight": 1.0,
    "subsample": 0.9,
    "colsample_bytree": 0.9,
    "reg_lambda": 1.0,
    "reg_alpha": 0.0,
    "gamma": 0.0,
    "max_bin": 256,
    # On record with the rest: sums of floats depend on how rows are shared among threads.
    "nthread": 2,
    # Rounds without a better validation loss; 0 grows every round.
    "early_stopping_rounds": 30,
    # "weight": rare classes count as much as frequent ones; "none": every row counts once.
    "imbalance": "weight",
    # "sigmoid": Platt's, on the validation rows; it undoes what weights do to probabilities.
    "calibration": "sigmoid",
}
_NOT_XGBOOSTS = ("n_estimators", "early_stopping_rounds", "imbalance", "calibration")
# The arrays sum in float64 what the library sums in float32.
_NEAR = 5e-6


def boost(lesson: Lesson, trainer: str, objective: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """A fitted booster, cut at its best round, and the hyperparameters used. Raises DataError."""
    import xgboost

    chosen = lesson.choose(trainer, DEFAULTS)
    data = [_matrix(xgboost, part, lesson, chosen) for part in (lesson.train, lesson.valid)]
    stop = int(chosen["early_stopping_rounds"])
    rounds = int(chosen["n_estimators"])
    booster = xgboost.train(
        {
            **{name: value for name, value in chosen.items() if name not in _NOT_XGBOOSTS},
            **objective,
            "tree_method": "hist",
            "seed": lesson.seed,
            "verbosity": 0,
        },
        data[0],
        num_boost_round=rounds,
        evals=[(data[1], "valid")] if stop else [],
        early_stopping_rounds=stop or None,
        verbose_eval=False,
        callbacks=_callbacks(xgboost, lesson, rounds),
    )
    if stop:
        booster = booster[: booster.best_iteration + 1]
    return booster, chosen


def _matrix(xgboost: Any, part: Examples, lesson: Lesson, chosen: dict[str, Any]) -> Any:
    """Quantised rows with their weights; NaN is null."""
    weight = row_weights(part.target, lesson, chosen["imbalance"])
    if part is lesson.train:
        bins = int(chosen["max_bin"])
        return xgboost.QuantileDMatrix(part.rows, part.target, weight=weight, max_bin=bins)
    return xgboost.DMatrix(part.rows, part.target, weight=weight)


def _callbacks(xgboost: Any, lesson: Lesson, rounds: int) -> list[Any]:
    """Tell the lesson how far training has come."""
    if lesson.progress is None:
        return []
    told = lesson.progress

    class Progress(xgboost.callback.TrainingCallback):  # type: ignore[misc]
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            told(epoch + 1, rounds)
            return False

    return [Progress()]


def finish(lesson: Lesson, booster: Any, chosen: dict[str, Any]) -> Fitted:
    """The booster, calibrated, as what a trainer gives back.

    Raises
    ------
    DataError       the arrays score otherwise than the library
    """
    outputs = lesson.n_outputs
    trees = from_booster(booster, lesson.train.rows, outputs)
    line = fit_line(
        margins(booster, lesson.valid.rows, outputs),
        lesson.valid.target,
        method=str(chosen["calibration"]),
    )

    def score(rows: Inputs) -> Floats:
        return linked(line.of(margins(booster, rows, outputs)), line.link(trees.link))

    # Before calibration: its slope would enlarge what float32 rounds, and the library is not to blame.
    check_same(
        trees,
        lambda rows: linked(margins(booster, rows, outputs), trees.link),
        lesson.valid.rows[:512],
        _NEAR,
    )
    model = line.folded(trees)
    return Fitted(
        model=model,
        score=score,
        hyperparameters=chosen,
        found={"rounds": booster.num_boosted_rounds(), **line.told()},
        files={NATIVE: bytes(booster.save_raw("ubj"))},
    )


def margins(booster: Any, rows: Inputs, n_outputs: int) -> Floats:
    """The library's own sums, shape (n_rows, n_outputs)."""
    found = booster.inplace_predict(rows, predict_type="margin", validate_features=False)
    return np.asarray(found, dtype=np.float64).reshape(len(rows), n_outputs)


def from_booster(booster: Any, rows: Inputs, n_outputs: int) -> Trees:
    """The arrays of a booster of trees. Raises DataError for another kind of booster (dart, linear)."""
    model = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]
    if model["name"] != "gbtree":
        raise DataError(f"Only plain boosted trees can be served, not {model['name']}")
    grown, outputs = model["model"]["trees"], model["model"]["tree_info"]
    sizes = [int(tree["tree_param"]["num_nodes"]) for tree in grown]
    if any(tree["categories"] for tree in grown):
        raise DataError(
            "Trees with categorical splits cannot be served; encode categories as numbers"
        )

    def joined(name: str, kind: Any) -> Any:
        return np.concatenate([np.asarray(tree[name], dtype=kind) for tree in grown])

    left = joined("left_children", np.int32)
    leaf = left == LEAF
    # Their shortest spelling names a float32, which is not the double of the same spelling.
    conditions = joined("split_conditions", np.float32).astype(np.float64)
    value = np.zeros((len(left), n_outputs))
    value[np.arange(len(left)), np.repeat(outputs, sizes)] = np.where(leaf, conditions, 0.0)
    link: Link = "logistic" if n_outputs == 1 else "softmax"
    trees = Trees(
        feature=np.where(leaf, LEAF, joined("split_indices", np.int32)).astype(np.int32),
        threshold=np.where(leaf, 0.0, conditions),
        left=left,
        right=joined("right_children", np.int32),
        missing_left=joined("default_left", np.int8) == 1,
        value=value,
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        base=np.zeros(n_outputs),
        link=link,
        strict=True,
        n_inputs=booster.num_features(),
    )
    return _with_base(trees, booster, rows)


def _with_base(trees: Trees, booster: Any, rows: Inputs) -> Trees:
    """Where the sums start, read off the margin of rows: its spelling differs between versions."""
    some = rows[:64]
    starts = margins(booster, some, trees.n_outputs) - trees.sums(some)
    return replace(trees, base=np.asarray(np.median(starts, axis=0), dtype=np.float64))
