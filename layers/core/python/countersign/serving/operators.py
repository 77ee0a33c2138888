"""The structure of an ONNX file, read from its bytes without the onnx package.

The scorer looks before onnxruntime parses: a file with another operator, a function, data kept outside
the file, or a tree that onnxruntime would walk out of or for ever, is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from countersign.errors import ArtifactError
from countersign.serving.protobuf import fields, varint
from countersign.serving.trees import check_trees

# What a served model is made of; nothing here loops, branches or reads a file.
TREES = ("ai.onnx.ml", "TreeEnsembleRegressor")
ALLOWED = frozenset(
    {TREES}
    | {
        ("", operator)
        for operator in (
            "Cast", "Clip", "Concat", "Div", "Gemm", "GreaterOrEqual", "Mul", "Pow", "Sigmoid",
            "Softmax", "Sub", "Sum",
        )
    }
)  # fmt: skip
_MODEL_GRAPH, _MODEL_TRAINING, _MODEL_FUNCTIONS = 7, 20, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT = 1, 5, 11
_GRAPH_SPARSE, _GRAPH_QUANTIZATION = 15, 14
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 1, 2, 4, 5, 7
_TENSOR_DIMS, _TENSOR_NAME, _TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION = 1, 8, 13, 14
_ATTRIBUTE_NAME, _ATTRIBUTE_INT = 1, 3
_INFO_NAME = 1


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the graph. `attributes` are raw, by name."""

    domain: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, memoryview]


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph's nodes in order, its inputs' names, and how wide each constant is."""

    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    constants: Mapping[str, int]


def operators(model: bytes) -> list[tuple[str, str]]:
    """(domain, operator) of each node, in the order of the file. Raises ArtifactError as `graph_of`."""
    return [(node.domain, node.operator) for node in graph_of(model).nodes]


def graph_of(model: bytes) -> Graph:
    """The one graph of a model.

    Raises
    ------
    ArtifactError   not an ONNX model, or one with functions, training parts or external data
    """
    graphs = []
    for field, content in fields(memoryview(model)):
        if field in {_MODEL_TRAINING, _MODEL_FUNCTIONS}:
            raise ArtifactError("model.onnx carries functions or training parts; export it again")
        if field == _MODEL_GRAPH:
            graphs.append(_graph(content))
    if len(graphs) != 1 or not graphs[0].nodes:
        raise ArtifactError("model.onnx is not an ONNX model with one graph; export it again")
    return graphs[0]


def check_structure(graph: Graph, *, n_features: int) -> None:
    """Refuse operators that are not allowed, and trees that are not sound over their own inputs.

    Raises
    ------
    ArtifactError   naming what is wrong
    """
    foreign = {(node.domain, node.operator) for node in graph.nodes} - ALLOWED
    if foreign:
        named = ", ".join("/".join(operator) for operator in sorted(foreign))
        raise ArtifactError(f"model.onnx uses operators that are not allowed: {named}")
    if len(graph.inputs) != 1:
        raise ArtifactError("model.onnx must take one input; export it again")
    widths = {graph.inputs[0]: n_features}
    for node in graph.nodes:
        if (node.domain, node.operator) == TREES:
            source = widths.get(node.inputs[0], 0) if node.inputs else 0
            width = check_trees(node.attributes, n_features=source)
        else:
            width = _width(node, widths, graph.constants)
        for name in node.outputs:
            if name in widths or name in graph.constants:
                raise ArtifactError("model.onnx names a value twice; export it again")
            widths[name] = width


def _width(node: Node, widths: Mapping[str, int], constants: Mapping[str, int]) -> int:
    """How many columns a node gives at least: a tree behind it may read no more."""
    known = [widths[name] for name in node.inputs if name in widths]
    if node.operator == "Gemm":
        return min((constants.get(name, 0) for name in node.inputs[1:2]), default=0)
    if node.operator == "Concat":
        along = _integer(node.attributes.get("axis"))
        return sum(known) if along == 1 and len(known) == len(node.inputs) else 0
    return min(known, default=0)


def _integer(attribute: memoryview | None) -> int | None:
    if attribute is None:
        return None
    found = list(fields(attribute))
    values = [varint(content, 0)[0] for n, content in found if n == _ATTRIBUTE_INT]
    named = sum(n == _ATTRIBUTE_NAME for n, _ in found)
    return values[0] if named == len(values) == 1 else None


def _graph(graph: memoryview) -> Graph:
    nodes: list[Node] = []
    inputs: list[str] = []
    constants: dict[str, int] = {}
    for field, content in fields(graph):
        if field == _GRAPH_NODE:
            nodes.append(_node(content))
        elif field == _GRAPH_INPUT:
            inputs += [_text(c) for n, c in fields(content) if n == _INFO_NAME]
        elif field == _GRAPH_INITIALIZER:
            name, width = _constant(content)
            constants[name] = width
        elif field in {_GRAPH_SPARSE, _GRAPH_QUANTIZATION}:
            raise ArtifactError("model.onnx carries sparse or quantised data; export it again")
    return Graph(tuple(nodes), tuple(inputs), constants)


def _node(content: memoryview) -> Node:
    texts: dict[int, str] = {_NODE_DOMAIN: "", _NODE_OPERATOR: ""}
    inputs: list[str] = []
    outputs: list[str] = []
    attributes: dict[str, memoryview] = {}
    for number, held in fields(content):
        if number in texts:
            texts[number] = _text(held)
        elif number == _NODE_INPUT:
            inputs.append(_text(held))
        elif number == _NODE_OUTPUT:
            outputs.append(_text(held))
        elif number == _NODE_ATTRIBUTE:
            first, name = next(fields(held), (0, held))
            if first != _ATTRIBUTE_NAME or not name or _text(name) in attributes:
                raise ArtifactError("model.onnx has an attribute without its own name")
            attributes[_text(name)] = held
    return Node(
        texts[_NODE_DOMAIN], texts[_NODE_OPERATOR], tuple(inputs), tuple(outputs), attributes
    )


def _constant(tensor: memoryview) -> tuple[str, int]:
    """Name and the lesser of a matrix's sides; 0 for what is no matrix."""
    name, sides = "", list[int]()
    for number, content in fields(tensor):
        if number in {_TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION}:
            raise ArtifactError("model.onnx keeps data outside its file; export it again")
        if number == _TENSOR_NAME:
            name = _text(content)
        elif number == _TENSOR_DIMS:
            at = 0
            while at < len(content):  # one number, or several packed
                side, at = varint(content, at)
                sides.append(side)
    return name, min(sides) if len(sides) == 2 else 0


def _text(content: memoryview) -> str:
    return bytes(content).decode("utf-8", errors="replace")
