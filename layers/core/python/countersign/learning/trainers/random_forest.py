"""Random forest by scikit-learn, kept as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from countersign.learning.native import LEAF, Floats, Inputs, Trees
from countersign.learning.native.words import linked
from countersign.learning.trainers.calibration import fit_line
from countersign.learning.trainers.imbalance import row_weights
from countersign.learning.trainers.lesson import Fitted, Hyperparameters, Lesson, check_same
from countersign.serving.preprocess import LARGEST

DEFAULTS: Hyperparameters = {
    "n_estimators": 200,
    "max_depth": 12,
    "min_samples_leaf": 5,
    "max_features": "sqrt",
    "imbalance": "weight",
    "calibration": "sigmoid",
}
TAKES_NULLS = True
SUPERVISED = True


def fit(lesson: Lesson) -> Fitted:
    """Fit a forest; a score is the mean share of the class in the leaves, calibrated for yes or no.

    Raises
    ------
    DataError       a hyperparameter that this trainer does not have

    Source
    ------
    L. Breiman, Random Forests, Machine Learning 45 (2001).
    """
    from sklearn.ensemble import RandomForestClassifier

    chosen = lesson.choose("random_forest", DEFAULTS)
    own = {name: v for name, v in chosen.items() if name not in {"imbalance", "calibration"}}
    weight = row_weights(lesson.train.target, lesson, chosen["imbalance"])
    forest = RandomForestClassifier(random_state=lesson.seed, n_jobs=-1, **own)
    forest.fit(lesson.train.rows, lesson.train.target, sample_weight=weight)
    forest.set_params(n_jobs=1)  # threads add up shares in the order they end
    trees = from_native(forest, lesson.n_outputs)

    def shares(rows: Inputs) -> Floats:
        found = np.zeros((len(rows), max(2, lesson.n_outputs)))
        found[:, forest.classes_] = forest.predict_proba(rows)
        return found if lesson.classes else found[:, 1:2]

    # Shares of several classes sum to one already; a line would break that.
    method = "none" if lesson.classes else str(chosen["calibration"])
    line = fit_line(shares(lesson.valid.rows), lesson.valid.target, method=method)
    some = lesson.valid.rows[:512]
    check_same(trees, lambda rows: linked(shares(rows), "identity"), some, 1e-9)
    model = line.folded(trees)
    # The library takes no float32 beyond 1e38, which golden vectors hold; its arrays do.
    return Fitted(model=model, score=model.score, hyperparameters=chosen, found=line.told())


def from_native(forest: Any, n_outputs: int) -> Trees:
    """The arrays of a fitted scikit-learn RandomForestClassifier; with one output, of class 1 alone."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    sizes = [tree.node_count for tree in trees]
    left = np.concatenate([tree.children_left for tree in trees]).astype(np.int32)
    leaf = left == LEAF
    shares = np.concatenate([tree.value[:, 0, :] for tree in trees])
    shares = shares / shares.sum(axis=1, keepdims=True) / len(trees)
    value = np.zeros((len(left), max(2, n_outputs)))
    value[:, forest.classes_] = np.where(leaf[:, None], shares, 0.0)
    return Trees(
        feature=np.where(leaf, LEAF, np.concatenate([t.feature for t in trees])).astype(np.int32),
        # An infinite threshold asks only whether the value is null; every float32 lies at or below this.
        threshold=np.where(
            leaf, 0.0, np.minimum(np.concatenate([t.threshold for t in trees]), LARGEST)
        ),
        left=left,
        right=np.concatenate([tree.children_right for tree in trees]).astype(np.int32),
        missing_left=np.concatenate([t.missing_go_to_left for t in trees]).astype(np.bool_),
        value=value if n_outputs > 1 else value[:, 1:2],
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        base=np.zeros(n_outputs),
        link="identity",
        strict=False,
        n_inputs=int(forest.n_features_in_),
    )
