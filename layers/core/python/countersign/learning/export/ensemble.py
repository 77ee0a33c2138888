"""Trees as the node and leaf lists of ONNX's tree ensemble."""

from __future__ import annotations

from typing import Any

import numpy as np

from countersign.errors import ExportError
from countersign.learning.native import LEAF, Floats, Inputs, Trees


def attributes(trees: Trees) -> dict[str, Any]:
    """The attributes of a TreeEnsembleRegressor.

    Raises
    ------
    ExportError     a threshold or leaf that float32 cannot hold
    """
    sizes = np.diff(trees.offsets)
    tree = np.repeat(np.arange(trees.n_trees), sizes)
    node = np.arange(len(tree)) - np.repeat(trees.offsets[:-1], sizes)
    leaf = trees.feature == LEAF
    thresholds = np.where(leaf, 0.0, trees.threshold)
    held = round_up(thresholds) if trees.strict else round_down(thresholds)
    where, target = _leaf_entries(trees, leaf)
    weights = trees.value[where, target].astype(np.float32)
    if not (np.isfinite(held).all() and np.isfinite(weights).all()):
        raise ExportError(
            "A threshold or leaf does not fit float32; bring the features to a smaller scale"
        )
    branch = "BRANCH_LT" if trees.strict else "BRANCH_LEQ"
    return {
        "nodes_treeids": tree.tolist(),
        "nodes_nodeids": node.tolist(),
        "nodes_featureids": np.where(leaf, 0, trees.feature).tolist(),
        "nodes_values": held.tolist(),
        "nodes_modes": np.where(leaf, "LEAF", branch).tolist(),
        "nodes_truenodeids": np.where(leaf, 0, trees.left).tolist(),
        "nodes_falsenodeids": np.where(leaf, 0, trees.right).tolist(),
        "nodes_missing_value_tracks_true": np.where(leaf, 0, trees.missing_left).tolist(),
        "base_values": trees.base.astype(np.float32).tolist(),
        "target_treeids": tree[where].tolist(),
        "target_nodeids": node[where].tolist(),
        "target_ids": target.tolist(),
        "target_weights": weights.tolist(),
    }


def _leaf_entries(trees: Trees, leaf: Any) -> tuple[Any, Any]:
    """(node, output) of every leaf value that is not 0; a leaf without one is told once."""
    said = (trees.value != 0) & leaf[:, None]
    silent = leaf & ~said.any(axis=1)
    said[silent, 0] = True
    where, target = np.nonzero(said)
    return where, target


def round_down(thresholds: Floats) -> Inputs:
    """The largest float32 ≤ each float64 threshold.

    For a float32 x, `x <= t` in float64 (scikit-learn) and `x <= round_down(t)` in float32 (onnxruntime)
    are then the same question; rounding to nearest would send some x to the wrong side.
    """
    with np.errstate(over="ignore"):  # an overflow is infinite, and refused by the caller
        near = thresholds.astype(np.float32)
    above = near.astype(np.float64) > thresholds
    return np.where(above, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)


def round_up(thresholds: Floats) -> Inputs:
    """The smallest float32 ≥ each float64 threshold: the same for `x < t`."""
    return -round_down(-thresholds)
