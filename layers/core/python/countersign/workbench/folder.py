"""Train from a frozen dataset folder into a run folder: what a training job on any machine runs.

It needs the training layer alone: numpy, scikit-learn, xgboost and duckdb. A dataset folder is
`manifest.json` and the splits, as `freeze_dataset` writes them; nothing of it is believed before its digest
was compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign.clock import Clock, iso
from countersign.declare import UseCase
from countersign.errors import ContractError, DataError, NotFoundError
from countersign.learning.dataset import SPLITS, Dataset, Rows
from countersign.learning.record import RECORD
from countersign.learning.training import Trained, describe, train
from countersign.monitoring import baseline
from countersign.workbench.delivery import MANIFEST

Rounds = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Channel:
    """A frozen dataset in a folder, read and compared: the dataset and its splits."""

    dataset: Dataset
    splits: Mapping[str, Rows]


def is_dataset(folder: Path) -> bool:
    """Whether the folder holds a frozen dataset."""
    return (folder / MANIFEST).is_file()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a dataset folder. Raises ContractError when it is not one."""
    try:
        found = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise ContractError(f"{folder.name} holds no dataset: {MANIFEST} cannot be read") from error
    needed = ("dataset_id", "use_case", "files", "synthetic")
    if not isinstance(found, dict) or any(name not in found for name in needed):
        raise ContractError(
            f"{folder.name} holds no frozen dataset; its manifest is of something else"
        )
    return found


def open_folder(folder: Path, use_case: UseCase) -> Channel:
    """The dataset of `use_case` in a folder.

    Raises
    ------
    ContractError         not a frozen dataset, a file is missing, or it is of another use case
    DigestMismatchError   a file is not the one that was frozen
    """
    manifest = read_manifest(folder)
    if manifest["use_case"] != use_case.name:
        raise ContractError(
            f"{folder.name} is a dataset of {manifest['use_case']}, not of {use_case.name}"
        )
    dataset = Dataset.of(lambda key: _read(folder, key), manifest["dataset_id"], use_case)
    return Channel(dataset, {name: dataset.split(name) for name in SPLITS})


def _read(folder: Path, key: str) -> bytes:
    name = key.rpartition("/")[2]
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise ContractError(f"{folder.name} lacks {name}; it is not a whole dataset") from error


def train_folder(
    channel: Path,
    out: Path,
    use_case: UseCase,
    *,
    run_id: str,
    clock: Clock | None = None,
    found_by: Mapping[str, Any] | None = None,
    progress: Rounds | None = None,
) -> dict[str, Any]:
    """Train on the dataset folder `channel`; write native model, golden vectors, baseline and record to `out`.

    `found_by`: how the hyperparameters of `use_case.model` were sought; None when they were given. Returns the
    record, which is written last: a folder with `training.json` is whole.

    Raises
    ------
    DataError      the dataset refuses to be learned from, by name; nothing is written then
    """
    opened = open_folder(channel, use_case)
    return train_opened(
        opened, out, use_case, run_id=run_id, clock=clock, found_by=found_by, progress=progress
    )


def train_opened(
    channel: Channel,
    out: Path,
    use_case: UseCase,
    *,
    run_id: str,
    clock: Clock | None = None,
    found_by: Mapping[str, Any] | None = None,
    progress: Rounds | None = None,
) -> dict[str, Any]:
    """`train_folder` for a dataset that is open already."""
    time = clock or Clock()
    started = time.now()
    trained = _fit(use_case, channel.splits, progress)
    frozen = baseline.freeze(trained.reference, trained.reference_scores)
    files = {**trained.files, "baseline.json": json.dumps(frozen, sort_keys=True).encode()}
    ended = time.now()
    record = {
        **describe(use_case, channel.dataset, trained),
        "run_id": run_id,
        "created_at": iso(ended),
        "seconds": (ended - started).total_seconds(),
        "search": dict(found_by) if found_by else None,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content)
    (out / RECORD).write_text(json.dumps(record, indent=1, sort_keys=True, allow_nan=False))
    return record


def _fit(use_case: UseCase, splits: Mapping[str, Rows], progress: Rounds | None) -> Trained:
    """Train; a setting that a library refuses is the user's mistake, told in its words."""
    try:
        return train(use_case, splits, progress=progress)
    except (ValueError, TypeError) as error:
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason")
        raise DataError(
            f"{use_case.model.trainer} refuses these hyperparameters or rows: {said[:300]}"
        ) from error


def read_record(run: Path) -> dict[str, Any]:
    """The record of a run folder. Raises NotFoundError."""
    try:
        found: dict[str, Any] = json.loads((run / RECORD).read_text())
    except (OSError, ValueError) as error:
        raise NotFoundError(f"{run} is no run folder: it has no readable {RECORD}") from error
    return found
