"""From a native model to ONNX: built, its structure checked, to be held against the native scores.

Needs numpy and onnx only; scikit-learn and xgboost are not in this function's layers.
"""

from __future__ import annotations

from countersign.learning.export.graph import build
from countersign.learning.export.structure import check
from countersign.learning.native import load


def to_onnx(native: bytes) -> bytes:
    """The ONNX bytes of a `native.npz`; equal input gives equal bytes.

    Raises
    ------
    ArtifactError   not a native model
    ExportError     ONNX would score it otherwise, or its structure is not sound
    """
    model = load(native)
    content = build(model)
    check(content, n_features=model.n_features, n_outputs=model.n_outputs)
    return content
