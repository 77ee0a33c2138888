"""Small ONNX models, made by hand, that score, and that misbehave where their golden vectors don't look."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# Values of the first feature that choose what the model answers.
GOOD, NAN, TOO_HIGH = 0.0, 10.0, 20.0


def onnx_model(
    n_features: int, *, low: float = 0.25, high: float = 0.75, position: int = 0
) -> bytes:
    """`low` below 5 of the feature at `position`, `high` below 9; NaN at 10 and 1.7 at 20."""
    return answering(
        n_features, [[low], [high], [math.nan], [1.7], [0.0], [high]], position=position
    )


def class_model(
    n_features: int,
    *,
    low: Sequence[float],
    high: Sequence[float],
    position: int = 0,
) -> bytes:
    """The same of classes: at 20 the shares sum to 1.7."""
    none = [math.nan] * len(low)
    too_much = [share * 1.7 for share in high]
    return answering(n_features, [low, high, none, too_much, low, high], position=position)


def answering(
    n_features: int, leaves: Sequence[Sequence[float]], *, position: int = 0, edit: Any = None
) -> bytes:
    """A chain of splits on one feature, at 5, 9, 15, 25 and 35, with these leaves.

    A NaN is made as 0 / 0, for no sound tree has a leaf that is not finite. `edit(lists)` may spoil the
    lists of the first tree.
    """
    from onnx import TensorProto, helper

    known = [[0.0 if math.isnan(share) else share for share in leaf] for leaf in leaves]
    whole = [[0.0 if math.isnan(leaf[0]) else 1.0] for leaf in leaves]
    first = tree_lists(known, position)
    if edit is not None:
        edit(first)
    parts = [
        helper.make_node("TreeEnsembleRegressor", ["X"], [name], domain="ai.onnx.ml", **lists)
        for name, lists in (("shares", first), ("whole", tree_lists(whole, position)))
    ]
    parts.append(helper.make_node("Div", ["shares", "whole"], ["score"]))
    sides = {"X": n_features, "score": len(leaves[0])}
    taken, given = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])
        for name, width in sides.items()
    )
    graph = helper.make_graph(parts, "tree", [taken], [given])
    opsets = [helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("", 17)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    content: bytes = made.SerializeToString()
    return content


def tree_lists(leaves: Sequence[Sequence[float]], position: int) -> dict[str, Any]:
    """The attributes of one tree: node 2i asks, node 2i+1 is the leaf of "yes"."""
    bounds = (5.0, 9.0, 15.0, 25.0, 35.0)
    count, n_targets = 2 * len(bounds) + 1, len(leaves[0])
    asks = [node % 2 == 0 and node < count - 1 for node in range(count)]
    places = [*range(1, count, 2), count - 1]
    entries = [(n, t) for n in places for t in range(n_targets)]
    return {
        "n_targets": n_targets,
        "nodes_treeids": [0] * count,
        "nodes_nodeids": list(range(count)),
        "nodes_featureids": [position] * count,
        "nodes_modes": ["BRANCH_LT" if inner else "LEAF" for inner in asks],
        "nodes_values": [bounds[n // 2] if inner else 0.0 for n, inner in enumerate(asks)],
        "nodes_truenodeids": [n + 1 if inner else 0 for n, inner in enumerate(asks)],
        "nodes_falsenodeids": [n + 2 if inner else 0 for n, inner in enumerate(asks)],
        "target_treeids": [0] * len(entries),
        "target_nodeids": [n for n, _ in entries],
        "target_ids": [t for _, t in entries],
        "target_weights": [leaves[places.index(n)][t] for n, t in entries],
    }


def served_files(
    features: Sequence[str],
    *,
    rules: Sequence[Mapping[str, Any]] = (),
    threshold: float = 0.5,
    low: float = 0.25,
    high: float = 0.75,
    rules_weight: float = 0.2,
    decisive: str = "",
    strategies: Sequence[Mapping[str, Any]] = (),
) -> dict[str, bytes]:
    """The three files that a session loads. The golden vectors see only the good branches.

    `decisive`: the feature that the model looks at; the first one if not said.
    """
    position = list(features).index(decisive) if decisive else 0
    serving = {
        "features": list(features),
        "request_time": [],
        "fills": dict.fromkeys(features, 0.0),
        "threshold": threshold,
        "score_range": [0.0, 1.0],
        "hybrid": {"model_weight": 1.0 - rules_weight, "rules_weight": rules_weight},
        "rules": list(rules),
        "rules_version": f"rules-{len(rules)}",
        "strategies": list(strategies),
        "decision": {"rules_only_threshold": 0.4},
    }
    model = onnx_model(len(features), low=low, high=high, position=position)
    return _files(serving, model, position, [low, high])


def served_class_files(
    features: Sequence[str],
    *,
    classes: Sequence[str],
    strategies: Sequence[Mapping[str, Any]],
    low: Sequence[float],
    high: Sequence[float],
    rules: Sequence[Mapping[str, Any]] = (),
    decisive: str = "",
) -> dict[str, bytes]:
    """The same of a model of classes: `low` and `high` are probabilities in the order of `classes`."""
    position = list(features).index(decisive) if decisive else 0
    serving = {
        "features": list(features),
        "classes": list(classes),
        "request_time": [],
        "fills": dict.fromkeys(features, 0.0),
        "threshold": 0.0,
        "score_range": [0.0, 1.0],
        "hybrid": {"model_weight": 1.0, "rules_weight": 0.0},
        "rules": list(rules),
        "rules_version": f"rules-{len(rules)}",
        "strategies": list(strategies),
        "decision": {},
    }
    model = class_model(len(features), low=low, high=high, position=position)
    return _files(serving, model, position, [low, high])


def _files(
    serving: Mapping[str, Any], model: bytes, position: int, scores: Sequence[Any]
) -> dict[str, bytes]:
    rows = np.zeros((2, len(serving["features"])), dtype=np.float32)
    rows[1, position] = 7.0
    golden = io.BytesIO()
    np.savez(golden, X=rows, score=np.array(scores, dtype=np.float64))
    return {
        "model.onnx": model,
        "serving.json": json.dumps(serving).encode(),
        "golden.npz": golden.getvalue(),
    }


def manifest_of(files: Mapping[str, bytes]) -> dict[str, Any]:
    """A manifest that records each file's digest."""
    return {
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in files.items()
        }
    }
