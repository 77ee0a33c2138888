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
GOOD, NAN, TOO_HIGH, HANGING = 0.0, 10.0, 20.0, 30.0


def onnx_model(
    n_features: int,
    *,
    low: float = 0.25,
    high: float = 0.75,
    hostile: bool = False,
    position: int = 0,
) -> bytes:
    """`low` below 5 of the feature at `position`, `high` below 9; NaN at 10 and 1.7 at 20.

    `hostile`: a cycle from 25 on, which onnxruntime loads and then walks for ever.
    """
    from onnx import TensorProto, helper

    # A chain of splits on one feature: node 2i asks, node 2i+1 is the leaf of "yes".
    splits = [(5.0, low), (9.0, high), (15.0, math.nan), (25.0, 1.7), (35.0, 0.0)]
    nodes: list[tuple[str, float, int, int, float]] = []
    for number, (bound, leaf) in enumerate(splits):
        asks = 2 * number
        nodes.append(("BRANCH_LT", bound, asks + 1, asks + 2, 0.0))
        nodes.append(("LEAF", 0.0, 0, 0, leaf))
    nodes.append(("LEAF", 0.0, 0, 0, high))
    if hostile:
        asks = 2 * (len(splits) - 1)
        nodes[asks] = ("BRANCH_LT", 35.0, asks - 2, asks + 2, 0.0)
    leaves = [(n, node[4]) for n, node in enumerate(nodes) if node[0] == "LEAF"]
    tree = helper.make_node(
        "TreeEnsembleRegressor",
        ["X"],
        ["score"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=[0] * len(nodes),
        nodes_nodeids=list(range(len(nodes))),
        nodes_featureids=[position] * len(nodes),
        nodes_modes=[node[0] for node in nodes],
        nodes_values=[node[1] for node in nodes],
        nodes_truenodeids=[node[2] for node in nodes],
        nodes_falsenodeids=[node[3] for node in nodes],
        target_treeids=[0] * len(leaves),
        target_nodeids=[n for n, _ in leaves],
        target_ids=[0] * len(leaves),
        target_weights=[weight for _, weight in leaves],
    )
    graph = helper.make_graph(
        [tree],
        "tree",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, n_features])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, 1])],
    )
    opsets = [helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("", 18)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    content: bytes = made.SerializeToString()
    return content


def served_files(
    features: Sequence[str],
    *,
    rules: Sequence[Mapping[str, Any]] = (),
    threshold: float = 0.5,
    low: float = 0.25,
    high: float = 0.75,
    rules_weight: float = 0.2,
    hostile: bool = False,
    decisive: str = "",
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
        "decision": {"rules_only_threshold": 0.4},
    }
    rows = np.zeros((2, len(features)), dtype=np.float32)
    rows[1, position] = 7.0
    golden = io.BytesIO()
    np.savez(golden, X=rows, score=np.array([low, high]))
    return {
        "model.onnx": onnx_model(
            len(features), low=low, high=high, hostile=hostile, position=position
        ),
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
