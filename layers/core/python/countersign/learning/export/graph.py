"""A native model as an ONNX graph: `features` float32 (n, n_features) → `score` float32 (n, n_outputs).

Each tree ensemble is ONE node, whatever library grew it: the stock converters' graph of an isolation
forest walks each tree apart (620 µs a row), this one takes a few microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from countersign.errors import ExportError
from countersign.learning.export.ensemble import attributes
from countersign.learning.native import Combined, Floats, Linear, Trees
from countersign.learning.native.combined import VOTE_AT
from countersign.learning.native.linear import FURTHEST
from countersign.learning.native.words import Link

INPUT = "features"
OUTPUT = "score"
IR_VERSION = 9
OPSET = 17
ML_OPSET = 3  # TreeEnsembleRegressor; every onnxruntime we may meet reads it


def build(model: Trees | Linear | Combined) -> bytes:
    """The bytes of the model; equal models give equal bytes.

    Raises
    ------
    ExportError     a number that float32 cannot hold
    """
    from onnx import TensorProto, helper

    graph = Graph()
    if isinstance(model, Combined):
        graph.rename(_combined(graph, model), OUTPUT)
    else:
        graph.rename(_single(graph, model, INPUT, "m"), OUTPUT)
    shapes = {INPUT: model.n_features, OUTPUT: model.n_outputs}
    sides = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])
        for name, width in shapes.items()
    }
    made = helper.make_model(
        helper.make_graph(graph.nodes, "model", [sides[INPUT]], [sides[OUTPUT]], graph.constants),
        producer_name="countersign",
        ir_version=IR_VERSION,
        opset_imports=[
            helper.make_opsetid("", OPSET),
            helper.make_opsetid("ai.onnx.ml", ML_OPSET),
        ],
    )
    content: bytes = made.SerializeToString(deterministic=True)
    return content


@dataclass(slots=True)
class Graph:
    """Nodes and constants, in the order they were added."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def add(self, operator: str, inputs: list[str], name: str, **settings: Any) -> str:
        """Add a node; returns its output's name, which is its own."""
        from onnx import helper

        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **settings))
        return name

    def constant(self, name: str, values: Any) -> str:
        """Add a float32 constant. Raises ExportError when float32 cannot hold it."""
        from onnx import numpy_helper

        with np.errstate(over="ignore"):
            held = np.asarray(values, dtype=np.float64).astype(np.float32)
        if not np.isfinite(held).all():
            raise ExportError(f"{name} does not fit float32; bring the features to a smaller scale")
        self.constants.append(numpy_helper.from_array(held, name))
        return name

    def rename(self, output: str, name: str) -> None:
        """Let the last node's output be called `name`."""
        if self.nodes[-1].output[0] != output:
            raise ExportError("The last node of the graph is not its output")
        self.nodes[-1].output[0] = name


def _single(graph: Graph, model: Trees | Linear, source: str, name: str) -> str:
    if isinstance(model, Linear):
        return _linked(graph, _linear(graph, model, source, name), model.link, name)
    sums = graph.add(
        "TreeEnsembleRegressor",
        [source],
        f"{name}.trees",
        domain="ai.onnx.ml",
        n_targets=model.n_outputs,
        aggregate_function="SUM",
        post_transform="NONE",
        **attributes(model),
    )
    return _linked(graph, sums, model.link, name)


def _linear(graph: Graph, model: Linear, source: str, name: str) -> str:
    """Standardised, kept within what the native model keeps, then one matrix product."""
    centred = graph.add("Sub", [source, graph.constant(f"{name}.mean", model.mean)], f"{name}.sub")
    scale = graph.constant(f"{name}.scale", model.scale)
    standard = graph.add("Div", [centred, scale], f"{name}.div")
    low, high = (
        graph.constant(f"{name}.{n}", v) for n, v in (("low", -FURTHEST), ("high", FURTHEST))
    )
    kept = graph.add("Clip", [standard, low, high], f"{name}.clip")
    terms = [
        graph.constant(f"{name}.coefficients", model.coefficients.T),
        graph.constant(f"{name}.intercept", model.intercept),
    ]
    return graph.add("Gemm", [kept, *terms], f"{name}.gemm")


def _linked(graph: Graph, sums: str, link: Link, name: str) -> str:
    match link:
        case "exp2":
            two = graph.constant(f"{name}.two", 2.0)
            return graph.add("Pow", [two, sums], f"{name}.pow")
        case "logistic":
            return graph.add("Sigmoid", [sums], f"{name}.sigmoid")
        case "softmax":
            return graph.add("Softmax", [sums], f"{name}.softmax", axis=1)
    return _within_one(graph, sums, name)


def _within_one(graph: Graph, scores: str, name: str) -> str:
    """Float32 sums of shares may pass 1 by a digit."""
    low, high = (graph.constant(f"{name}.{n}", v) for n, v in (("zero", 0.0), ("one", 1.0)))
    return graph.add("Clip", [scores, low, high], f"{name}.share")


def _combined(graph: Graph, model: Combined) -> str:
    each = [_single(graph, part, INPUT, f"m{n}") for n, part in enumerate(model.members)]
    if model.top is not None:
        graph.add("Concat", each, "members", axis=1)
        return _single(graph, model.top, "members", "top")
    if model.how == "vote":
        each = [_vote(graph, scores, f"m{n}") for n, scores in enumerate(each)]
    return _average(graph, each, model.weights)


def _vote(graph: Graph, scores: str, name: str) -> str:
    from onnx import TensorProto

    bound = graph.constant(f"{name}.bound", VOTE_AT)
    yes = graph.add("GreaterOrEqual", [scores, bound], f"{name}.yes")
    return graph.add("Cast", [yes], f"{name}.vote", to=TensorProto.FLOAT)


def _average(graph: Graph, each: list[str], weights: Floats) -> str:
    shares = [
        graph.add("Mul", [scores, graph.constant(f"w{n}", weight)], f"weighted{n}")
        for n, (scores, weight) in enumerate(zip(each, weights.tolist(), strict=True))
    ]
    return _within_one(graph, graph.add("Sum", shares, "sum"), "average")
