"""A signed artifact in moto's S3 and KMS, as the exporter would leave it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from countersign.aws.artifacts import Artifacts
from countersign.aws.signer import Signer
from countersign.learning import export
from countersign.learning.golden import choose
from moto import mock_aws

from tests.unit.learning.forests import fitted, payroll_like

FOLDER = "payroll_anomaly/runs/run-1"
FEATURES = [f"f{n}" for n in range(6)]
SERVING: dict[str, Any] = {
    "features": FEATURES,
    "request_time": ["f1"],
    "fills": dict.fromkeys(FEATURES, 0.5) | {"f2": None},
    "threshold": 0.6,
    "score_range": [0.0, 1.0],
    "hybrid": {"model_weight": 0.8, "rules_weight": 0.2},
    "rules": [],
    "rules_version": "none",
}


def served_files() -> dict[str, bytes]:
    """The three files that a session loads, of a real small forest."""
    rows, model = payroll_like(600), fitted()
    golden = choose(rows, model.model.split_points(), model.score, seed=1)
    return {
        "model.onnx": export.to_onnx(model.native_files()["native.npz"]),
        "serving.json": json.dumps(SERVING).encode(),
        "golden.npz": golden.save(),
    }


def manifest_of(files: Mapping[str, bytes]) -> dict[str, Any]:
    """A manifest that records each file's digest."""
    return {
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in files.items()
        }
    }


@pytest.fixture
def artifacts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Artifacts]:
    """An artifact store with nothing in it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        s3, kms = boto3.client("s3"), boto3.client("kms")
        s3.create_bucket(
            Bucket="models", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        key = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]
        yield Artifacts(s3, "models", Signer(kms, key["Arn"]))


def put(artifacts: Artifacts, files: Mapping[str, bytes]) -> str:
    """Store and seal `files`; returns the manifest's digest."""
    for name, content in files.items():
        artifacts.put(f"{FOLDER}/{name}", content)
    return artifacts.seal(FOLDER, manifest_of(files))
