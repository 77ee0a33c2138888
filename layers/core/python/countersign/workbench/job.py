"""A SageMaker training job: the same training as on Lambda, by the container's contract.

Script mode states it in `SM_*` variables and in folders below `/opt/ml`; a container without that toolkit has
the folders alone, and then the files of `/opt/ml/input/config` are read. The run folder goes to the model
folder, which the service packs and uploads; why a job failed goes to `output/failure`, in one line.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from countersign import use_cases
from countersign.declare import ModelSpec, UseCase
from countersign.errors import RequestError, SyntheticDataError
from countersign.learning import trainers
from countersign.workbench.folder import read_manifest, train_folder

ROOT = Path("/opt/ml")
NEEDED = ("use_case", "run_id", "dataset_id")
LONGEST = 1_000  # characters of a failure; the service shows about as many
TOLD_EVERY = 25  # rounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Where a job reads and writes, what it was told, and how many processors it has."""

    channel: Path
    model: Path
    data: Path
    told: Mapping[str, str]
    processors: int
    environment: str


def job_of(variables: Mapping[str, str]) -> Job:
    """The job that the container states. Raises RequestError for hyperparameters that are not there."""
    root, output = _root(variables), _output(variables)
    return Job(
        channel=Path(variables.get("SM_CHANNEL_TRAINING", str(root / "input/data/training"))),
        model=Path(variables.get("SM_MODEL_DIR", str(root / "model"))),
        data=Path(variables.get("SM_OUTPUT_DATA_DIR", str(output / "data"))),
        told=_hyperparameters(variables, root),
        processors=int(variables.get("SM_NUM_CPUS") or os.cpu_count() or 1),
        # Outside `local` synthetic data teaches nothing, so nobody's silence is taken for local.
        environment=variables.get("COUNTERSIGN_ENVIRONMENT", "unknown"),
    )


def _root(variables: Mapping[str, str]) -> Path:
    return Path(variables.get("COUNTERSIGN_ML_ROOT", str(ROOT)))


def _output(variables: Mapping[str, str]) -> Path:
    return Path(variables.get("SM_OUTPUT_DIR", str(_root(variables) / "output")))


def _hyperparameters(variables: Mapping[str, str], root: Path) -> dict[str, str]:
    """`SM_HPS`, or the file that the service writes; the service hands every value over as text."""
    try:
        text = variables.get("SM_HPS") or (root / "input/config/hyperparameters.json").read_text()
        found = json.loads(text)
    except (OSError, ValueError) as error:
        raise RequestError("The job was given no hyperparameters: SM_HPS is not set") from error
    if not isinstance(found, dict):
        raise RequestError("The job's hyperparameters are not a JSON object")
    return {str(name): str(value) for name, value in found.items()}


def run(job: Job) -> dict[str, Any]:
    """Train into the model folder; returns the record. Raises CountersignError."""
    missing = [name for name in NEEDED if not job.told.get(name)]
    if missing:
        raise RequestError(f"The job needs the hyperparameters {', '.join(missing)}")
    use_case = with_threads(use_cases.get(job.told["use_case"]), job)
    manifest = read_manifest(job.channel)
    if manifest["dataset_id"] != job.told["dataset_id"]:
        raise RequestError(
            f"The channel holds dataset {manifest['dataset_id']}, not {job.told['dataset_id']}"
        )
    if job.environment != "local" and manifest["synthetic"]:
        raise SyntheticDataError(
            f"Dataset {manifest['dataset_id']} is marked synthetic and cannot train a model in "
            f"{job.environment}; freeze one from real deliveries"
        )
    record = train_folder(
        job.channel, job.model, use_case, run_id=job.told["run_id"], progress=_tell
    )
    job.data.mkdir(parents=True, exist_ok=True)
    facts = {name: record[name] for name in ("run_id", "trainer", "seconds", "found", "split")}
    (job.data / "training.json").write_text(json.dumps(facts, sort_keys=True))
    return record


def with_threads(use_case: UseCase, job: Job) -> UseCase:
    """With the hyperparameter `threads` at `all`, a trainer that counts its threads gets every processor.

    Otherwise it keeps its declared number: sums of floats depend on it, so it is on record either way.
    """
    if job.told.get("threads", "declared") != "all":
        return use_case
    return replace(use_case, model=_threaded(use_case.model, job.processors))


def _threaded(spec: ModelSpec, processors: int) -> ModelSpec:
    settings = dict(spec.hyperparameters)
    if "nthread" in trainers.get(spec.trainer).DEFAULTS:
        settings["nthread"] = processors
    members = tuple(_threaded(member, processors) for member in spec.members)
    return replace(spec, hyperparameters=settings, members=members)


def _tell(done: int, rounds: int) -> None:
    if done % TOLD_EVERY == 0 or done == rounds:
        _say(f"round {done} of {rounds}")


def main(variables: Mapping[str, str] | None = None) -> int:
    """Run the job of these variables; 0, or 1 with the reason in `output/failure`."""
    known = os.environ if variables is None else variables
    try:
        record = run(job_of(known))
    except Exception as error:  # whatever it was, the one who looks at the job reads it there
        return _failed(_output(known) / "failure", f"{type(error).__name__}: {error}")
    _say(f"trained {record['run_id']} in {record['seconds']:.1f} s")
    return 0


def _failed(path: Path, text: str) -> int:
    line = " ".join(text.split())[:LONGEST]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(line)
    sys.stderr.write(f"{line}\n")
    return 1


def _say(text: str) -> None:
    """A line of the job's log."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
