"""Native models as plain arrays: what a trainer leaves, what the exporter reads, what explains a score.

A model scores rows of shape (n_rows, n_features) as probabilities: shape (n_rows,) with one output,
(n_rows, n_classes) with more. Serving uses the ONNX export; these are its oracle.
"""

from __future__ import annotations

from countersign.learning.native.archive import FILE, load, save
from countersign.learning.native.combined import Combined
from countersign.learning.native.linear import Linear
from countersign.learning.native.trees import LEAF, Trees
from countersign.learning.native.words import Floats, Inputs, Ints, Model

__all__ = [
    "FILE",
    "LEAF",
    "Combined",
    "Floats",
    "Inputs",
    "Ints",
    "Linear",
    "Model",
    "Trees",
    "load",
    "save",
]
