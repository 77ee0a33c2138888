"""Protobuf as it lies in a file: fields one by one, and long lists of numbers at once.

What a model file holds is read here before onnxruntime sees it, without the onnx package. Source: the
encoding of protocol buffers, and the field numbers of onnx.proto3 (IR version 9) where it is used.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from countersign.errors import ArtifactError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


def fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """(field number, content) of a message; a number's content is the bytes that encode it.

    Raises ArtifactError for what is not a whole message.
    """
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        kind = key & 7
        if kind == VARINT:
            _, end = varint(message, at)
        elif kind == BYTES:
            length, at = varint(message, at)
            end = at + length
        elif kind in {FIXED64, FIXED32}:
            end = at + (8 if kind == FIXED64 else 4)
        else:
            raise ArtifactError("model.onnx is not an ONNX model; export it again")
        if end > len(message):
            raise ArtifactError("model.onnx is cut short; export it again")
        yield key >> 3, message[at:end]
        at = end


def varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number at `at` and where the next one starts. Raises ArtifactError."""
    value = shift = 0
    while at < len(message) and shift < 7 * _LONGEST_VARINT:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ArtifactError("model.onnx is cut short; export it again")


def whole_numbers(run: bytes, tag: int) -> NDArray[np.int64] | None:
    """The numbers of a run of `tag`, number, `tag`, number, …; None when it is not such a run.

    A byte below 0x80 ends a tag or a number, so every second end is a number's.
    """
    held = np.frombuffer(run, dtype=np.uint8)
    ends = np.flatnonzero(held < 0x80)
    if len(ends) % 2 or not len(ends) or ends[-1] != len(held) - 1:
        return None
    tags, lasts = ends[0::2], ends[1::2]
    starts = tags + 1
    lengths = lasts - starts + 1
    follow = np.concatenate([[0], lasts[:-1] + 1])
    if (held[tags] != tag).any() or (tags != follow).any() or lengths.max() > _LONGEST_VARINT:
        return None
    values = np.zeros(len(starts), dtype=np.uint64)
    for place in range(int(lengths.max())):
        there = place < lengths
        part = held[starts[there] + place].astype(np.uint64) & np.uint64(0x7F)
        values[there] |= part << np.uint64(7 * place)
    return values.astype(np.int64)


def singles(run: bytes, tag: int) -> NDArray[np.float32] | None:
    """The float32 numbers of a run of `tag`, number, …; None when it is not such a run."""
    if len(run) % 5 or not run:
        return None
    held = np.frombuffer(run, dtype=np.uint8).reshape(-1, 5)
    if (held[:, 0] != tag).any():
        return None
    return np.ascontiguousarray(held[:, 1:]).view("<f4").ravel().astype(np.float32)
