"""What a cold scoring worker loads, and what it must not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.serving.models import served_files

ROOT = Path(__file__).parents[3]
HEAVY = {"pandas", "scipy", "sklearn", "xgboost", "pyarrow", "duckdb", "onnx", "matplotlib"}
HEAVY |= {"aws_xray_sdk", "pydantic", "requests"}


def modules_after(statements: str) -> set[str]:
    """Top-level modules of a new process after `statements`."""
    script = f"{statements}\nimport json, sys\nsys.stdout.write(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={
            "PYTHONPATH": f"{ROOT / 'layers/core/python'}:{ROOT}",
            "COUNTERSIGN_ENVIRONMENT": "local",
            "AWS_DEFAULT_REGION": "eu-west-1",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


LOAD = """
import pathlib, types
import countersign.aws.online, countersign.aws.predictions, countersign.aws.artifacts
from countersign.serving.session import FILES, ModelSession
files = {{name: pathlib.Path("{folder}", name).read_bytes() for name in FILES}}
ModelSession.load(types.SimpleNamespace(digest="d", files=files)).score([0.0])
"""


@pytest.mark.parametrize("function", ["score", "shadow_score"])
def test_a_scoring_worker_loads_no_heavy_library_even_with_a_model(
    function: str, tmp_path: Path
) -> None:
    for name, content in served_files(["a"]).items():
        (tmp_path / name).write_bytes(content)
    loaded = modules_after(f"import functions.{function}.handler\n{LOAD.format(folder=tmp_path)}")
    assert not loaded & HEAVY
    assert {"numpy", "onnxruntime", "boto3"} <= loaded


@pytest.mark.parametrize("function", ["forward_predictions", "record_outcome"])
def test_a_plain_worker_loads_neither_numpy_nor_a_model_runtime(function: str) -> None:
    assert not modules_after(f"import functions.{function}.handler") & (
        HEAVY | {"numpy", "onnxruntime"}
    )
