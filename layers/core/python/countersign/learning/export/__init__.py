"""From a native model to ONNX: built, its structure checked, and held against the native scores.

Needs numpy and onnx only; scikit-learn is not in this function's layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from countersign.errors import ExportError


def native_file(trainer: str) -> str:
    """The file that `trainer` leaves for the exporter."""
    if trainer not in _NATIVE_FILES:
        raise ExportError(
            f"No export for the trainer {trainer!r}; there is one for {', '.join(_NATIVE_FILES)}"
        )
    return _NATIVE_FILES[trainer]


def to_onnx(trainer: str, native: bytes) -> bytes:
    """The ONNX bytes of a native model; equal input gives equal bytes."""
    native_file(trainer)
    return _EXPORTERS[trainer](native)


def _isolation_forest(native: bytes) -> bytes:
    from countersign.learning.export.fused_forest import fused
    from countersign.learning.export.structure import check
    from countersign.learning.forest import Forest

    forest = Forest.load(native)
    model = fused(forest)
    check(model, n_features=forest.n_features)
    return model


_NATIVE_FILES: Mapping[str, str] = {"isolation_forest": "forest.npz"}
_EXPORTERS: Mapping[str, Callable[[bytes], bytes]] = {"isolation_forest": _isolation_forest}
