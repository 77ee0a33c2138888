"""The ONNX export equals the native model, whatever the forest and the rows; anything else is refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from countersign.errors import ExportError
from countersign.learning import export
from countersign.learning.export.ensemble import round_down
from countersign.learning.export.graph import build
from countersign.learning.export.structure import check
from countersign.learning.golden import TOLERANCE, choose, largest_difference
from countersign.learning.native import Inputs, load, save
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.unit.learning.forests import fitted, payroll_like

SMALL = settings(max_examples=25, deadline=None)
ANY_FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


def run(model: bytes, rows: Inputs) -> Any:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {"features": rows})[0][:, 0]


@given(
    data=st.data(),
    n_features=st.integers(1, 8),
    trees=st.integers(1, 40),
    samples=st.integers(2, 300),
    seed=st.integers(0, 2**31 - 1),
)
@SMALL
def test_onnx_equals_native_on_random_forests_and_random_inputs(
    data: st.DataObject, n_features: int, trees: int, samples: int, seed: int
) -> None:
    train = payroll_like(300, seed=seed, n_features=n_features)
    model = fitted(train, seed=seed, n_estimators=trees, max_samples=samples)
    drawn = data.draw(hnp.arrays(np.float32, (20, n_features), elements=ANY_FLOAT32))
    golden = choose(train, model.model.split_points(), model.score, seed=seed)
    rows = np.concatenate([drawn, golden.rows])
    served = run(export.to_onnx(model.native_files()["native.npz"]), rows)
    assert np.abs(served - model.score(rows)).max() <= TOLERANCE


@given(threshold=st.floats(-3e38, 3e38), x=ANY_FLOAT32)
@settings(deadline=None)
def test_a_rounded_threshold_asks_the_same_question_of_every_float32(
    threshold: float, x: float
) -> None:
    rounded = round_down(np.array([threshold]))[0]
    for value in (np.float32(x), rounded, np.nextafter(rounded, np.float32(np.inf))):
        assert bool(value <= rounded) == bool(np.float64(value) <= np.float64(threshold))


def test_rounding_to_nearest_would_send_a_row_to_the_wrong_side() -> None:
    threshold = 0.1  # float32(0.1) is above it
    assert np.float64(np.float32(threshold)) > threshold
    assert np.float64(round_down(np.array([threshold]))[0]) <= threshold


def test_the_same_forest_gives_the_same_bytes() -> None:
    forest = fitted().model
    assert build(forest) == build(load(save(forest)))


def test_the_graph_is_one_tree_ensemble_and_one_power() -> None:
    model = onnx.load_model_from_string(build(fitted().model))
    assert [node.op_type for node in model.graph.node] == ["TreeEnsembleRegressor", "Pow"]


def test_golden_vectors_are_many_and_hold_edges_and_exact_thresholds() -> None:
    rows, model = payroll_like(900), fitted()
    golden = choose(rows, model.model.split_points(), model.score, seed=1)
    features, thresholds = model.model.split_points()
    assert len(golden.rows) >= 1_000
    assert golden.rows.dtype == np.float32
    assert (np.abs(golden.rows) >= 1e38).any()
    assert (golden.rows == 0).all(axis=1).any()
    at_thresholds = set(zip(features.tolist(), thresholds.astype(np.float32).tolist(), strict=True))
    found = {(f, v) for row in golden.rows.tolist() for f, v in enumerate(row)}
    assert len(at_thresholds & found) >= 100


def test_golden_vectors_suffice_for_few_rows_and_features() -> None:
    rows = payroll_like(40, n_features=1)
    model = fitted(rows)
    assert len(choose(rows, model.model.split_points(), model.score, seed=1).rows) >= 1_000


@pytest.mark.parametrize(
    ("served", "reason"),
    [
        (np.full(1_000, 0.5 + 2e-5), "differs"),
        (np.full(1_000, np.nan), "differs"),
        (np.full(10, 0.5), "at least 1000"),
    ],
)
def test_an_export_that_differs_or_proves_too_little_is_rebuild(served: Any, reason: str) -> None:
    with pytest.raises(ExportError, match=reason):
        largest_difference(np.full(len(served), 0.5), served)


def test_a_threshold_beyond_float32_is_rebuild() -> None:
    forest = fitted().model
    threshold = forest.threshold.copy()
    threshold[0] = -1e300
    with pytest.raises(ExportError, match="smaller scale"):
        build(dataclasses.replace(forest, threshold=threshold))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("left", 0, "exactly one parent"),
        ("left", 9_999, "exactly one parent"),
        ("left", 2, "exactly one parent"),
        ("feature", 77, "outside 0 to"),
        ("value", np.nan, "float32"),
    ],
)
def test_a_broken_tree_never_reaches_a_signature(name: str, value: float, reason: str) -> None:
    forest = fitted().model
    broken = getattr(forest, name).copy()
    at = np.flatnonzero(forest.feature == -1)[0] if name == "value" else 0
    broken[at] = value
    with pytest.raises(ExportError, match=reason):
        check(
            build(dataclasses.replace(forest, **{name: broken})),
            n_features=forest.n_features,
            n_outputs=1,
        )
