"""The operators of an ONNX file, read from its bytes without the onnx package.

The scorer looks before onnxruntime parses: a file with another operator, a function, or data kept
outside the file is refused. Source: the field numbers of onnx.proto3 (IR version 9).
"""

from __future__ import annotations

from collections.abc import Iterator

from countersign.errors import ArtifactError

# What a served model is made of; nothing here loops, branches or reads a file.
ALLOWED = frozenset(
    {("ai.onnx.ml", "TreeEnsembleRegressor")}
    | {
        ("", operator)
        for operator in (
            "Cast", "Clip", "Concat", "Div", "Gemm", "GreaterOrEqual", "Mul", "Pow", "Sigmoid",
            "Softmax", "Sub", "Sum",
        )
    }
)  # fmt: skip
_MODEL_GRAPH, _MODEL_TRAINING, _MODEL_FUNCTIONS = 7, 20, 25
_GRAPH_NODE, _GRAPH_INITIALIZER = 1, 5
_NODE_OPERATOR, _NODE_DOMAIN = 4, 7
_TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION = 13, 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def operators(model: bytes) -> list[tuple[str, str]]:
    """(domain, operator) of each node, in the order of the file.

    Raises
    ------
    ArtifactError   not an ONNX model, or one with functions, training parts or external data
    """
    found: list[tuple[str, str]] = []
    graphs = 0
    for field, content in _fields(memoryview(model)):
        if field in {_MODEL_TRAINING, _MODEL_FUNCTIONS}:
            raise ArtifactError("model.onnx carries functions or training parts; export it again")
        if field == _MODEL_GRAPH:
            graphs += 1
            found += _graph(content)
    if graphs != 1 or not found:
        raise ArtifactError("model.onnx is not an ONNX model with one graph; export it again")
    return found


def _graph(graph: memoryview) -> Iterator[tuple[str, str]]:
    for field, content in _fields(graph):
        if field == _GRAPH_NODE:
            texts = {
                n: bytes(c) for n, c in _fields(content) if n in {_NODE_OPERATOR, _NODE_DOMAIN}
            }
            domain = texts.get(_NODE_DOMAIN, b"").decode("ascii", errors="replace")
            yield domain, texts.get(_NODE_OPERATOR, b"").decode("ascii", errors="replace")
        elif field == _GRAPH_INITIALIZER and any(
            n in {_TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION} for n, _ in _fields(content)
        ):
            raise ArtifactError("model.onnx keeps data outside its file; export it again")


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """(field number, content) of a protobuf message; content is empty for numbers."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind, length = key & 7, 0
        if kind == _VARINT:
            _, at = _varint(message, at)
        elif kind == _BYTES:
            length, at = _varint(message, at)
        elif kind in {_FIXED64, _FIXED32}:
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ArtifactError("model.onnx is not an ONNX model; export it again")
        if at + length > len(message):
            raise ArtifactError("model.onnx is cut short; export it again")
        yield key >> 3, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number at `at` and where the next one starts."""
    value = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ArtifactError("model.onnx is cut short; export it again")
