"""The steps `train` and `export_model` over S3 and KMS."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from countersign.aws.stores import Stores
from countersign.errors import (
    ConflictError,
    DigestMismatchError,
    ExportError,
    NotFoundError,
    SyntheticDataError,
)
from countersign.serving.session import FILES, ModelSession, golden_vectors
from countersign.steps import export_model, train

from tests.unit.learning.world import FOLDER, RUN, freeze, trained

PACKAGES = Path(train.__file__).parents[2]


def test_a_candidate_is_trained_exported_and_sealed(stores: Stores) -> None:
    first, exported = trained(stores)
    assert first.run_id == "run-1"
    assert first.trainer == "isolation_forest"
    assert 0 < first.threshold < 1
    assert exported.golden_rows >= 1_000
    assert exported.max_abs_difference <= 1e-5
    artifact = stores.artifacts.load(FOLDER, (*FILES, "native.npz"), digest=exported.digest)
    session = ModelSession.load(artifact)
    rows, native = golden_vectors(artifact.files["golden.npz"])
    assert np.abs(session.score_many(rows) - native).max() <= 1e-5
    assert session.threshold == first.threshold


def test_the_manifest_is_a_birth_certificate(stores: Stores) -> None:
    trained(stores)
    manifest = stores.artifacts.read_json(f"{FOLDER}/manifest.json")
    assert set(manifest["files"]) == {
        "model.onnx",
        "native.npz",
        "serving.json",
        "golden.npz",
        "baseline.json",
    }
    assert manifest["features"] == ["mean_pay", "z", "changes"]
    assert manifest["model_type"] == "isolation_forest"
    assert manifest["hyperparameters"]["n_estimators"] == 40
    assert manifest["seed"] == 7
    assert manifest["feature_code_digest"] == "c" * 64
    assert manifest["environment"]["training"]["scikit-learn"]
    assert manifest["environment"]["export"]["onnxruntime"]
    assert manifest["split"]["train"]["rows"] == 900


def test_training_and_exporting_again_changes_nothing(stores: Stores) -> None:
    first = trained(stores)
    before = {
        k: stores.artifacts.get(k) for k in stores.artifacts.keys(FOLDER) if "parity" not in k
    }
    assert trained(stores) == first
    after = {k: stores.artifacts.get(k) for k in before}
    changed = {k for k in before if before[k] != after[k]}
    assert changed <= {f"{FOLDER}/manifest.sig"}


def test_another_run_on_the_same_dataset_gives_the_same_model_bytes(stores: Stores) -> None:
    trained(stores)
    trained(stores, run_id="run-2")
    for name in ("native.npz", "model.onnx", "golden.npz", "baseline.json", "serving.json"):
        other = stores.artifacts.get(f"small/runs/run-2/{name}")
        assert stores.artifacts.get(f"{FOLDER}/{name}") == other


def test_the_baseline_holds_the_newest_year_of_every_input_and_the_score(stores: Stores) -> None:
    trained(stores)
    baseline = stores.artifacts.read_json(f"{FOLDER}/baseline.json")
    assert set(baseline["features"]) == {"mean_pay", "z", "changes"}
    assert baseline["rows"] == 1_700
    assert baseline["score"]["n"] == 400


def test_a_run_is_not_trained_on_another_dataset_afterwards(stores: Stores) -> None:
    trained(stores)
    freeze(stores, "d2")
    with pytest.raises(ConflictError, match="another dataset"):
        train.run(train.Request("small", "run-1", "d2"), stores)
    with pytest.raises(ExportError, match="d2"):
        export_model.run(export_model.Request("small", "run-1", "d2"), stores)


@pytest.mark.parametrize("facts", [{"synthetic": True}, {"synthetic": None}])
def test_synthetic_data_teaches_nothing_outside_local(
    stores: Stores, facts: dict[str, bool | None]
) -> None:
    freeze(stores, **{k: v if v is not None else "unknown" for k, v in facts.items()})
    with pytest.raises(SyntheticDataError, match="dev"):
        train.run(train.Request(**RUN), stores)
    assert stores.artifacts.keys(FOLDER) == []


def test_a_native_model_changed_after_training_is_not_exported(stores: Stores) -> None:
    freeze(stores)
    train.run(train.Request(**RUN), stores)
    stores.artifacts.put(f"{FOLDER}/native.npz", b"something else")
    with pytest.raises(DigestMismatchError, match=r"native\.npz"):
        export_model.run(export_model.Request(**RUN), stores)
    assert not stores.artifacts.exists(f"{FOLDER}/manifest.json")


def test_a_model_that_would_differ_in_onnx_is_never_signed(stores: Stores) -> None:
    import hashlib
    import io

    freeze(stores)
    train.run(train.Request(**RUN), stores)
    rows, scores = golden_vectors(stores.artifacts.get(f"{FOLDER}/golden.npz"))
    buffer = io.BytesIO()
    np.savez(buffer, X=rows, score=scores + 1e-4)
    record = stores.artifacts.read_json(f"{FOLDER}/training.json")
    record["files"]["golden.npz"] = hashlib.sha256(buffer.getvalue()).hexdigest()
    stores.artifacts.put(f"{FOLDER}/golden.npz", buffer.getvalue())
    stores.artifacts.write_json(f"{FOLDER}/training.json", record)
    with pytest.raises(ExportError, match=r"0\.0001"):
        export_model.run(export_model.Request(**RUN), stores)
    assert not stores.artifacts.exists(f"{FOLDER}/manifest.sig")


def test_a_run_that_was_not_trained_cannot_be_exported(stores: Stores) -> None:
    with pytest.raises(NotFoundError, match=r"training\.json"):
        export_model.run(export_model.Request(**RUN), stores)


@pytest.mark.parametrize(
    ("step", "absent"),
    [
        ("train", ("onnx", "onnxruntime", "pandas", "pyarrow")),
        ("export_model", ("sklearn", "scipy", "duckdb", "pandas", "pyarrow")),
        ("evaluate", ("onnx", "sklearn", "scipy", "pandas", "pyarrow")),
    ],
)
def test_a_step_needs_nothing_outside_its_layers(
    stores: Stores, tmp_path: Path, step: str, absent: tuple[str, ...]
) -> None:
    """The step's own work, in a process where the other layers' packages cannot be imported."""
    from tests.unit.learning.without_layers import prepare

    prepare(stores, tmp_path, step)
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.learning.without_layers", step, str(tmp_path), *absent],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
        env={"PYTHONPATH": str(PACKAGES), "PATH": "/usr/bin"},
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert json.loads(done.stdout)["ok"] is True
