"""The training job by its container's contract: run as a program, in the documented folders and variables."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from countersign.aws.stores import Stores
from countersign.learning import environment
from countersign.serving.session import golden_vectors
from countersign.steps import train

from tests.unit.training_jobs.channel import DATASET, RUN, container, freeze, run

MODULE = "countersign.learning.train"


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished job's /opt/ml."""
    root = tmp_path_factory.mktemp("ml")
    freeze(root / "input/data/training")
    ended = run(MODULE, container(root))
    assert ended.returncode == 0, ended.stderr
    assert f"trained {RUN}" in ended.stdout
    return root


def test_the_run_folder_is_that_of_the_lambda_path_to_the_byte(job: Path, stores: Stores) -> None:
    for path in (job / "input/data/training").iterdir():
        stores.lake.put(f"datasets/{DATASET}/{path.name}", path.read_bytes())
    train.run(train.Request("telco_churn", RUN, DATASET), stores)
    folder = f"telco_churn/runs/{RUN}"
    there = {p.name for p in (job / "model").iterdir()}
    assert there == {k.rpartition("/")[2] for k in stores.artifacts.keys(f"{folder}/")}
    for name in there - {"training.json"}:
        assert (job / "model" / name).read_bytes() == stores.artifacts.get(f"{folder}/{name}"), name
    here = json.loads((job / "model/training.json").read_text())
    lambdas = stores.artifacts.read_json(f"{folder}/training.json")
    assert same(here) == same(lambdas)


def same(record: dict[str, Any]) -> dict[str, Any]:
    """What does not depend on when it was made, nor on the state of the checkout at that moment."""
    told = {k: v for k, v in record.items() if k not in {"created_at", "seconds", "search"}}
    made = {k: v for k, v in record["environment"].items() if k not in environment.BUILT}
    return {**told, "environment": made}


def test_golden_scores_and_record_are_whole(job: Path) -> None:
    rows, scores = golden_vectors((job / "model/golden.npz").read_bytes())
    assert len(rows) >= 1_000
    assert np.isfinite(scores).all()
    record = json.loads((job / "model/training.json").read_text())
    assert record["run_id"] == RUN
    for name, digest in record["files"].items():
        assert hashlib.sha256((job / "model" / name).read_bytes()).hexdigest() == digest
    assert json.loads((job / "output/data/training.json").read_text())["run_id"] == RUN
    assert not (job / "output/failure").exists()


def test_without_the_toolkit_the_folders_alone_are_enough(job: Path, tmp_path: Path) -> None:
    root = tmp_path / "ml"
    (root / "input/data").mkdir(parents=True)
    (root / "input/data/training").symlink_to(job / "input/data/training")
    container(root)
    variables = {"COUNTERSIGN_ML_ROOT": str(root), "COUNTERSIGN_ENVIRONMENT": "staging"}
    ended = run("countersign.workbench.job", variables)
    assert ended.returncode == 0, ended.stderr
    native = (job / "model/native.npz").read_bytes()
    assert (root / "model/native.npz").read_bytes() == native


def test_all_processors_are_used_when_asked_and_their_number_is_on_record(
    job: Path, tmp_path: Path
) -> None:
    variables = container(tmp_path / "ml", threads="all")
    variables |= {
        "SM_CHANNEL_TRAINING": str(job / "input/data/training"),
        "SM_NUM_CPUS": "1",
    }
    assert run(MODULE, variables).returncode == 0
    record = json.loads((tmp_path / "ml/model/training.json").read_text())
    assert record["hyperparameters"]["nthread"] == 1
    assert record["declared"]["model"]["hyperparameters"]["nthread"] == 1


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({"use_case": "nothing"}, "NotFoundError: No use case 'nothing'"),
        ({"dataset_id": "another"}, "RequestError: The channel holds dataset"),
        ({"run_id": ""}, "RequestError: The job needs the hyperparameters run_id"),
    ],
)
def test_why_it_failed_is_one_line_where_the_service_looks(
    job: Path, tmp_path: Path, told: dict[str, str], line: str
) -> None:
    variables = container(tmp_path / "ml", **told)
    variables["SM_CHANNEL_TRAINING"] = str(job / "input/data/training")
    ended = run(MODULE, variables)
    assert ended.returncode == 1
    failure = (tmp_path / "ml/output/failure").read_text()
    assert failure.startswith(line)
    assert "\n" not in failure
    assert list((tmp_path / "ml/model").iterdir()) == []


def test_a_changed_channel_and_synthetic_data_are_refused(job: Path, tmp_path: Path) -> None:
    channel = freeze(tmp_path / "ml/input/data/training", synthetic=True)
    variables = container(tmp_path / "ml")
    assert run(MODULE, variables).returncode == 1
    assert "SyntheticDataError" in (tmp_path / "ml/output/failure").read_text()
    assert run(MODULE, {**variables, "COUNTERSIGN_ENVIRONMENT": ""}).returncode == 1
    with (channel / "train.parquet").open("ab") as file:
        file.write(b"x")
    assert run(MODULE, {**variables, "COUNTERSIGN_ENVIRONMENT": "local"}).returncode == 1
    assert "DigestMismatchError" in (tmp_path / "ml/output/failure").read_text()
