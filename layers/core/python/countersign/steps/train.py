"""Train the declared model on a frozen dataset. Nothing is signed here; `export_model` does that."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.errors import ConflictError, SyntheticDataError
from countersign.learning.dataset import SPLITS, Dataset
from countersign.learning.record import RECORD
from countersign.learning.training import describe, train
from countersign.monitoring import baseline


@dataclass(frozen=True, slots=True)
class Request:
    """Which run trains which use case on which dataset."""

    use_case: str
    run_id: str
    dataset_id: str


@dataclass(frozen=True, slots=True)
class Result:
    """What was trained; the model itself lies in the run's folder."""

    run_id: str
    trainer: str
    seconds: float
    threshold: float


def run(request: Request, stores: Stores) -> Result:
    """Fit, choose the threshold, keep native model, golden vectors, baseline and record."""
    use_case = use_cases.get(request.use_case)
    folder = f"{request.use_case}/runs/{request.run_id}"
    if stores.artifacts.exists(f"{folder}/{RECORD}"):
        return _again(request, stores.artifacts.read_json(f"{folder}/{RECORD}"))
    started = stores.clock.now()
    dataset = Dataset.of(stores.lake.get, request.dataset_id, use_case)
    refuse_synthetic(dataset, stores.settings.environment)
    trained = train(use_case, {name: dataset.split(name) for name in SPLITS})
    frozen = baseline.freeze(trained.reference, trained.reference_scores)
    files = {**trained.files, "baseline.json": json.dumps(frozen, sort_keys=True).encode()}
    for name, content in files.items():
        stores.artifacts.put(f"{folder}/{name}", content)
    ended = stores.clock.now()
    record = {
        **describe(use_case, dataset, trained),
        "run_id": request.run_id,
        "created_at": iso(ended),
        "seconds": (ended - started).total_seconds(),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    # Last, so that a record stands only over a whole set of files.
    stores.artifacts.write_json(f"{folder}/{RECORD}", record)
    return _result(record)


def refuse_synthetic(dataset: Dataset, environment_name: str) -> None:
    """Synthetic data teaches locally only; a manifest without the mark counts as synthetic."""
    if environment_name != "local" and dataset.manifest.get("synthetic", True):
        raise SyntheticDataError(
            f"Dataset {dataset.dataset_id} is marked synthetic and cannot train a model in "
            f"{environment_name}; freeze one from real deliveries"
        )


def _again(request: Request, record: dict[str, Any]) -> Result:
    """A run that was trained before has its result already."""
    if record["dataset_id"] != request.dataset_id:
        raise ConflictError(f"Run {request.run_id} was trained on another dataset; start a new run")
    return _result(record)


def _result(record: dict[str, Any]) -> Result:
    return Result(
        record["run_id"], record["trainer"], record["seconds"], record["serving"]["threshold"]
    )
