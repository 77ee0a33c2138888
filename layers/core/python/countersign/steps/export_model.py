"""Export the native model to ONNX, hold it against the golden vectors, sign the manifest."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.aws.stores import Stores
from countersign.errors import DigestMismatchError, ExportError
from countersign.learning import environment, export
from countersign.learning.golden import largest_difference
from countersign.learning.native import FILE
from countersign.learning.record import RECORD, manifest
from countersign.serving.session import ModelSession, golden_vectors

_TIMED_CALLS = 500


@dataclass(frozen=True, slots=True)
class Request:
    """Which run to export."""

    use_case: str
    run_id: str
    dataset_id: str


@dataclass(frozen=True, slots=True)
class Result:
    """`digest` is the SHA-256 of the signed manifest: the artifact's name from here on."""

    run_id: str
    digest: str
    golden_rows: int
    max_abs_difference: float


def run(request: Request, stores: Stores) -> Result:
    """Export, compare, seal. Exporting a run again seals the same manifest."""
    folder = f"{request.use_case}/runs/{request.run_id}"
    record = stores.artifacts.read_json(f"{folder}/{RECORD}")
    if record["dataset_id"] != request.dataset_id:
        raise ExportError(f"Run {request.run_id} was not trained on dataset {request.dataset_id}")
    files = {name: _trained(stores, folder, name, record) for name in record["files"]}
    model = export.to_onnx(files[FILE])
    made = environment.describe(environment.EXPORT)
    serving = {**record["serving"], "versions": made}
    session = ModelSession("", model, serving)
    rows, native_scores = golden_vectors(files["golden.npz"])
    difference = largest_difference(native_scores, session.score_many(rows))
    parity = {"golden_rows": len(rows), "max_abs_difference": difference}
    files["model.onnx"] = model
    files["serving.json"] = json.dumps(serving, sort_keys=True, allow_nan=False).encode()
    timing = {"microseconds_per_row": round(microseconds_per_row(session, rows), 2)}
    stores.artifacts.write_json(f"{folder}/parity.json", {**parity, **timing})
    for name in ("model.onnx", "serving.json"):
        stores.artifacts.put(f"{folder}/{name}", files[name])
    digest = stores.artifacts.seal(folder, manifest(record, files, parity, made))
    return Result(request.run_id, digest, len(rows), difference)


def microseconds_per_row(session: ModelSession, rows: NDArray[np.float32]) -> float:
    """The median time of a single-row call."""
    vectors = [row.tolist() for row in rows[:_TIMED_CALLS]]
    taken = []
    for vector in vectors:
        started = time.perf_counter_ns()
        session.score(vector)
        taken.append(time.perf_counter_ns() - started)
    return float(np.median(taken)) / 1_000


def _trained(stores: Stores, folder: str, name: str, record: dict[str, Any]) -> bytes:
    """A file of the training run, as its record knows it."""
    content = stores.artifacts.get(f"{folder}/{name}")
    if hashlib.sha256(content).hexdigest() != record["files"][name]:
        raise DigestMismatchError(f"{folder}/{name} is not what training wrote; train again")
    return content
