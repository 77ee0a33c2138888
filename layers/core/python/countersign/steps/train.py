"""Train the declared model on a frozen dataset, or collect what a training job made of it.

Nothing is signed here; `export_model` does that.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.errors import ArtifactError, ConflictError, SyntheticDataError
from countersign.learning import bundle
from countersign.learning.dataset import SPLITS, Dataset
from countersign.learning.record import RECORD
from countersign.learning.training import describe, train
from countersign.monitoring import baseline


@dataclass(frozen=True, slots=True)
class Request:
    """Which run trains which use case on which dataset.

    `action`: train, or collect, with the address of the job's `artifacts` (s3://…/model.tar.gz).
    """

    use_case: str
    run_id: str
    dataset_id: str
    action: str = "train"
    artifacts: str = ""


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
    if request.action == "collect":
        return collect(request, stores, dataset)
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


def collect(request: Request, stores: Stores, dataset: Dataset) -> Result:
    """Put the files of a training job's archive where training here would have put them.

    Raises
    ------
    ArtifactError         the archive is not one of a run, or of another run or dataset than this
    DigestMismatchError   a file in it is not the one on its record
    """
    folder = f"{request.use_case}/runs/{request.run_id}"
    below = f"s3://{stores.artifacts.bucket}/{folder}/sagemaker/"
    if not request.artifacts.startswith(below):
        raise ArtifactError(f"A job of {request.run_id} leaves its archive in its own folder only")
    key = request.artifacts.removeprefix(f"s3://{stores.artifacts.bucket}/")
    files = bundle.unpack(stores.artifacts.get(key))
    record = bundle.checked(
        files,
        use_case=request.use_case,
        run_id=request.run_id,
        dataset_id=request.dataset_id,
        dataset_digest=dataset.digest,
    )
    for name in record["files"]:
        stores.artifacts.put(f"{folder}/{name}", files[name])
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
