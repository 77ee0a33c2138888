"""The structure of an exported model, read back from the finished bytes before they are signed.

A tree with a child out of range or a loop can crash or hang the runtime, so it never gets a signature;
the scorer, which carries no onnx package, trusts the signature.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.errors import ExportError
from countersign.serving.operators import ALLOWED

_SAME_LENGTH = (
    "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes", "nodes_truenodeids",
    "nodes_falsenodeids", "nodes_missing_value_tracks_true",
)  # fmt: skip


def check(content: bytes, *, n_features: int, n_outputs: int) -> None:
    """Raise ExportError unless the bytes hold allowed operators and sound tree ensembles only."""
    import onnx

    model = onnx.load_model_from_string(content)
    foreign = {(n.domain, n.op_type) for n in model.graph.node} - ALLOWED
    if foreign:
        raise ExportError(f"Operators that may not be served: {sorted(foreign)}")
    onnx.checker.check_model(model, full_check=True)
    widths = {
        side.name: side.type.tensor_type.shape.dim[1].dim_value
        for side in (*model.graph.input, *model.graph.output)
    }
    if widths != {"features": n_features, "score": n_outputs}:
        raise ExportError(f"Expected {n_features} features and {n_outputs} scores, found {widths}")
    for node in model.graph.node:
        if node.op_type == "TreeEnsembleRegressor":
            lists = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            _check_ensemble(lists, n_features)


def _check_ensemble(lists: dict[str, Any], n_features: int) -> None:
    if any(len(lists[name]) != len(lists["nodes_treeids"]) for name in _SAME_LENGTH):
        raise ExportError("The node lists of the tree ensemble differ in length")
    trees = np.asarray(lists["nodes_treeids"])
    leaf = np.asarray(lists["nodes_modes"]) == b"LEAF"
    features = np.asarray(lists["nodes_featureids"])
    if ((features < 0) | (features >= n_features)).any():
        raise ExportError(f"A node compares a feature outside 0 to {n_features - 1}")
    if not np.isfinite(lists["nodes_values"]).all():
        raise ExportError("A node's threshold is not finite")
    order = np.argsort(trees, kind="stable")
    for at in np.split(order, np.flatnonzero(np.diff(trees[order])) + 1):
        _check_tree(int(trees[at[0]]), at, leaf, lists)
    _check_leaves(trees, leaf, lists)


def _check_tree(
    tree: int, at: NDArray[np.int64], leaf: NDArray[np.bool_], lists: dict[str, Any]
) -> None:
    """Node ids are 0 … n−1; children come after their parent and have one parent: hence no loop."""
    ids = np.asarray(lists["nodes_nodeids"])[at]
    if not np.array_equal(ids, np.arange(len(at))):
        raise ExportError(f"Tree {tree}: its node numbers are not 0 to {len(at) - 1} in order")
    inner = at[~leaf[at]]
    children = np.concatenate(
        [np.asarray(lists[f"nodes_{side}nodeids"])[inner] for side in ("true", "false")]
    )
    parents = np.tile(np.asarray(lists["nodes_nodeids"])[inner], 2)
    if not np.array_equal(np.sort(children), np.arange(1, len(at))):
        raise ExportError(f"Tree {tree}: every node but the root must have exactly one parent")
    if (children <= parents).any():
        raise ExportError(f"Tree {tree}: a child stands before its parent")


def _check_leaves(trees: NDArray[np.int64], leaf: NDArray[np.bool_], lists: dict[str, Any]) -> None:
    """Every leaf has a finite weight for an output that there is, and nothing else has one."""
    expected = set(zip(trees[leaf], np.asarray(lists["nodes_nodeids"])[leaf], strict=True))
    weighted = set(zip(lists["target_treeids"], lists["target_nodeids"], strict=True))
    if expected != weighted:
        raise ExportError("The leaves and the weights of the tree ensemble do not match")
    targets = np.asarray(lists["target_ids"])
    if ((targets < 0) | (targets >= lists["n_targets"])).any():
        raise ExportError("A leaf adds to an output that there is not")
    if not (np.isfinite(lists["target_weights"]).all() and np.isfinite(lists["base_values"]).all()):
        raise ExportError("A leaf's weight is not finite")
