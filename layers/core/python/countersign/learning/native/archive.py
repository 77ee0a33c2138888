"""`native.npz`: any native model as named arrays, read and written without pickle."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from typing import Any
from zipfile import BadZipFile

import numpy as np

from countersign.errors import ArtifactError
from countersign.learning.native.combined import Combined
from countersign.learning.native.linear import Linear
from countersign.learning.native.trees import Trees
from countersign.learning.native.words import Model

FILE = "native.npz"
_KINDS: dict[str, type[Trees] | type[Linear]] = {"trees": Trees, "linear": Linear}


def save(model: Model) -> bytes:
    """The bytes of `native.npz`; equal models give equal bytes."""
    arrays: dict[str, Any] = {}
    if isinstance(model, Combined):
        members = [_pack(part, f"member{n}.", arrays) for n, part in enumerate(model.members)]
        top = None if model.top is None else _pack(model.top, "top.", arrays)
        arrays["weights"] = model.weights
        header: dict[str, Any] = {"kind": "combined", "how": model.how, "members": members}
        header["top"] = top
    else:
        header = _pack(model, "", arrays)
    text = json.dumps(header, sort_keys=True).encode()
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, header=np.frombuffer(text, dtype=np.uint8), **arrays)
    return buffer.getvalue()


def load(content: bytes) -> Trees | Linear | Combined:
    """Read `native.npz`; verify its digest first. Raises ArtifactError when it is not one."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(arrays["header"].tobytes())
        if header["kind"] != "combined":
            return _unpack(header, "", arrays)
        parts = enumerate(header["members"])
        return Combined(
            members=tuple(_unpack(part, f"member{n}.", arrays) for n, part in parts),
            how=header["how"],
            weights=arrays["weights"],
            top=_linear(header["top"], arrays) if header["top"] else None,
        )
    except (ValueError, KeyError, TypeError, OSError, EOFError, BadZipFile) as error:
        raise ArtifactError(f"{FILE} is not a model saved by this project; train again") from error


def _linear(header: dict[str, Any], arrays: dict[str, Any]) -> Linear:
    top = _unpack(header, "top.", arrays)
    if not isinstance(top, Linear):
        raise TypeError("the model over the members must be linear")
    return top


def _pack(model: Any, prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """Put the arrays of `model` under `prefix`; returns what is not an array."""
    kind = next((name for name, one in _KINDS.items() if isinstance(model, one)), None)
    if kind is None:
        raise TypeError(f"not a native model: {type(model).__name__}")
    header: dict[str, Any] = {"kind": kind}
    for field in fields(model):
        value = getattr(model, field.name)
        if isinstance(value, np.ndarray):
            arrays[f"{prefix}{field.name}"] = value
        else:
            header[field.name] = value
    return header


def _unpack(header: dict[str, Any], prefix: str, arrays: dict[str, Any]) -> Trees | Linear:
    made = _KINDS[header["kind"]]
    values = {
        field.name: header[field.name] if field.name in header else arrays[prefix + field.name]
        for field in fields(made)
    }
    return made(**values)
