"""The structure of an exported tree ensemble, read back from the finished bytes before they are signed.

A tree with a child out of range or a loop can crash or hang the runtime, so it never gets a signature;
the scorer, which carries no onnx package, trusts the signature.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.errors import ExportError

OPERATORS = (("ai.onnx.ml", "TreeEnsembleRegressor"), ("", "Pow"))
_SAME_LENGTH = (
    "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes", "nodes_truenodeids",
    "nodes_falsenodeids",
)  # fmt: skip


def check(content: bytes, *, n_features: int) -> None:
    """Raise ExportError unless the bytes hold one sound tree ensemble and the power after it."""
    import onnx

    model = onnx.load_model_from_string(content)
    found = tuple((node.domain, node.op_type) for node in model.graph.node)
    if found != OPERATORS:
        raise ExportError(f"Expected the operators {OPERATORS}, found {found}")
    onnx.checker.check_model(model)
    lists = {a.name: onnx.helper.get_attribute_value(a) for a in model.graph.node[0].attribute}
    if any(len(lists[name]) != len(lists["nodes_treeids"]) for name in _SAME_LENGTH):
        raise ExportError("The node lists of the tree ensemble differ in length")
    trees = np.asarray(lists["nodes_treeids"])
    leaf = np.asarray(lists["nodes_modes"]) == b"LEAF"
    features = np.asarray(lists["nodes_featureids"])
    if ((features < 0) | (features >= n_features)).any():
        raise ExportError(f"A node compares a feature outside 0 to {n_features - 1}")
    if not np.isfinite(lists["nodes_values"]).all():
        raise ExportError("A node's threshold is not finite")
    for tree in range(int(trees.max()) + 1):
        _check_tree(tree, np.flatnonzero(trees == tree), leaf, lists)
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
    """Every leaf has one finite weight and nothing else has one."""
    expected = np.stack([trees[leaf], np.asarray(lists["nodes_nodeids"])[leaf]])
    weighted = np.stack([np.asarray(lists[f"target_{n}ids"]) for n in ("tree", "node")])
    if not np.array_equal(expected, weighted):
        raise ExportError("The leaves and the weights of the tree ensemble do not match")
    if not np.isfinite(lists["target_weights"]).all():
        raise ExportError("A leaf's weight is not finite")
