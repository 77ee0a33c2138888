"""A tree ensemble's node lists, checked before any runtime walks them.

onnxruntime believes what it reads: a cycle is walked for ever, a child or a feature out of range is read
from somebody else's memory. Here every tree must be what the exporter writes: nodes numbered from 0 in
order, each but the root the child of exactly one node before it, leaves with finite weights of outputs
that there are. All trees at once, by numpy: about 10 ms for 400 trees of 63 nodes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from countersign.errors import ArtifactError
from countersign.serving.protobuf import fields, singles, varint, whole_numbers

_NODES = (
    "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_truenodeids",
    "nodes_falsenodeids",
)  # fmt: skip
_TARGETS = ("target_treeids", "target_nodeids", "target_ids")
_MISSING, _VALUES, _WEIGHTS, _BASE = (
    "nodes_missing_value_tracks_true", "nodes_values", "target_weights", "base_values",
)  # fmt: skip
_WORDS = {"aggregate_function": b"SUM", "post_transform": b"NONE"}
_KNOWN = frozenset(
    {*_NODES, *_TARGETS, _MISSING, _VALUES, _WEIGHTS, _BASE, *_WORDS, "nodes_modes", "n_targets"}
)
_FLOATS, _INTS = 0x3D, 0x40
_NAME, _INT, _STRING = 1, 3, 4
# Field 20, which stands last: FLOATS, INTS and STRINGS of AttributeType.
_OF_FLOATS, _OF_INTS, _OF_STRINGS = b"\xa0\x01\x06", b"\xa0\x01\x07", b"\xa0\x01\x08"
_MODES = re.compile(rb"\x4a(?:\x09BRANCH_LT|\x0aBRANCH_LEQ|\x04LEAF)")
_LEAF = b"\x4a\x04LEAF"
Whole = NDArray[np.int64]
_MOST_TARGETS = 1_000
_DEEPEST = 512  # runtimes build trees by recursion


def check_trees(attributes: Mapping[str, memoryview], *, n_features: int) -> int:
    """How many outputs a sound TreeEnsembleRegressor over `n_features` has.

    `attributes` are the raw AttributeProto of the node, by name.

    Raises
    ------
    ArtifactError   naming what is wrong; whatever the bytes are, nothing else is raised
    """
    unknown = sorted(set(attributes) - _KNOWN)
    if unknown:
        raise ArtifactError("model.onnx has a tree ensemble with unknown settings; export it again")
    for name, word in _WORDS.items():
        if name in attributes and _single(attributes[name], _STRING, name) != word:
            raise _broken(f"its {name} is not {word.decode()}")
    if "n_targets" not in attributes:
        raise _broken("it does not say how many outputs it has")
    n_targets = varint(memoryview(_single(attributes["n_targets"], _INT, "n_targets")), 0)[0]
    if not 1 <= n_targets <= _MOST_TARGETS:
        raise _broken("its number of outputs is not one that a model has")
    nodes = {name: _ints(attributes, name) for name in _NODES}
    leaf = _leaves(attributes)
    _check_lengths(attributes, nodes, leaf)
    _check_nodes(nodes, leaf, n_features)
    _check_weights(attributes, nodes, leaf, n_targets)
    return n_targets


def _check_lengths(
    attributes: Mapping[str, memoryview], nodes: Mapping[str, Whole], leaf: NDArray[np.bool_]
) -> None:
    values = _floats(attributes, _VALUES)
    lengths = {len(leaf), len(values), *map(len, nodes.values())}
    if _MISSING in attributes:
        missing = _ints(attributes, _MISSING)
        lengths.add(len(missing))
        if ((missing != 0) & (missing != 1)).any():
            raise _broken("where a null goes is neither 0 nor 1")
    if len(lengths) != 1:
        raise _broken("its node lists differ in length")
    if not np.isfinite(values).all():
        raise _broken("a threshold is not finite")


def _check_nodes(nodes: Mapping[str, Whole], leaf: NDArray[np.bool_], n_features: int) -> None:
    trees, ids = nodes["nodes_treeids"], nodes["nodes_nodeids"]
    features = nodes["nodes_featureids"]
    if ((features < 0) | (features >= n_features)).any():
        raise _broken("a node compares a feature that there is not")
    starts = np.flatnonzero(np.diff(trees, prepend=trees[:1] - 1))
    if not np.array_equal(trees[starts], np.arange(len(starts))):
        raise _broken("its trees are not numbered in order")
    sizes = np.diff(starts, append=len(trees))
    first = np.repeat(starts, sizes)
    if not np.array_equal(ids, np.arange(len(ids)) - first):
        raise _broken("the nodes of a tree are not numbered in order")
    true, false = nodes["nodes_truenodeids"], nodes["nodes_falsenodeids"]
    if (true[leaf] != 0).any() or (false[leaf] != 0).any():
        raise _broken("a leaf has a child")
    inner = ~leaf
    children = np.concatenate([true[inner], false[inner]])
    parents = np.tile(ids[inner], 2)
    limit = np.tile(np.repeat(sizes, sizes)[inner], 2)
    if ((children < 0) | (children >= limit)).any():
        raise _broken("a child is a node that there is not")
    if (children <= parents).any():
        raise _broken("a child stands before its parent: a walk would not end")
    born = np.bincount(children + np.tile(first[inner], 2), minlength=len(ids))
    expected = np.ones(len(ids), dtype=np.int64)
    expected[starts] = 0
    if not np.array_equal(born, expected):
        raise _broken("a node has not exactly one parent")
    below = np.stack([true + first, false + first])
    level = starts[inner[starts]]
    for _ in range(_DEEPEST):
        if not len(level):
            return
        level = below[:, level].ravel()
        level = level[inner[level]]
    raise _broken(f"a tree is deeper than {_DEEPEST} levels")


def _check_weights(
    attributes: Mapping[str, memoryview],
    nodes: Mapping[str, Whole],
    leaf: NDArray[np.bool_],
    n_targets: int,
) -> None:
    tree, node, target = (_ints(attributes, name) for name in _TARGETS)
    weights = _floats(attributes, _WEIGHTS)
    if len({len(tree), len(node), len(target), len(weights)}) != 1:
        raise _broken("its lists of weights differ in length")
    if ((target < 0) | (target >= n_targets)).any():
        raise _broken("a leaf adds to an output that there is not")
    starts = np.flatnonzero(nodes["nodes_nodeids"] == 0)
    sizes = np.diff(starts, append=len(leaf))
    if ((tree < 0) | (tree >= len(starts))).any():
        raise _broken("a weight is of a tree that there is not")
    if ((node < 0) | (node >= sizes[tree])).any():
        raise _broken("a weight is of a node that there is not")
    place = starts[tree] + node
    if not leaf[place].all() or np.bincount(place, minlength=len(leaf))[leaf].min() < 1:
        raise _broken("its leaves and its weights do not match")
    base = _floats(attributes, _BASE) if _BASE in attributes else weights[:0]
    if len(base) not in {0, n_targets}:
        raise _broken("its base values are not one for each output")
    if not (np.isfinite(weights).all() and np.isfinite(base).all()):
        raise _broken("a weight is not finite")


def _ints(attributes: Mapping[str, memoryview], name: str) -> Whole:
    found = whole_numbers(_run(attributes, name, _OF_INTS), _INTS)
    if found is None:
        raise _broken(f"{name} is not a list of whole numbers")
    return found


def _floats(attributes: Mapping[str, memoryview], name: str) -> NDArray[np.float32]:
    found = singles(_run(attributes, name, _OF_FLOATS), _FLOATS)
    if found is None:
        raise _broken(f"{name} is not a list of numbers")
    return found


def _leaves(attributes: Mapping[str, memoryview]) -> NDArray[np.bool_]:
    """Which nodes are leaves. Only the two comparisons that the exporter writes are known."""
    run = _run(attributes, "nodes_modes", _OF_STRINGS)
    found = _MODES.findall(run)
    if not found or sum(map(len, found)) != len(run):
        raise _broken("nodes_modes holds another word than a served tree has")
    return np.asarray(np.array(found) == _LEAF)


def _run(attributes: Mapping[str, memoryview], name: str, kind: bytes) -> bytes:
    """The bytes of a list: what lies between the attribute's name and its type."""
    if name not in attributes:
        raise _broken(f"it has no {name}")
    content = bytes(attributes[name])
    head = b"\x0a" + bytes([len(name)]) + name.encode()
    if not content.startswith(head) or not content.endswith(kind):
        raise _broken(f"{name} is not written as an exporter writes it")
    return content[len(head) : -len(kind)]


def _single(attribute: memoryview, number: int, name: str) -> bytes:
    held = list(fields(attribute))
    found = [bytes(content) for n, content in held if n == number]
    if len(found) != 1 or sum(n == _NAME for n, _ in held) != 1:
        raise _broken(f"{name} is not one value")
    return found[0]


def _broken(what: str) -> ArtifactError:
    return ArtifactError(f"model.onnx has a tree ensemble that may not be walked: {what}")
