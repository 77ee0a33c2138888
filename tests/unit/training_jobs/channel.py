"""A frozen dataset of a declared use case as a training job's channel, and the container's folders around it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from countersign import use_cases
from countersign.declare import UseCase

START = datetime(2025, 1, 1, tzinfo=UTC)
RUN = "run-telco-churn-incident-0123456789ab"
DATASET = "telco-churn-20260101-0123456789ab"


def columns(use_case: UseCase, rows: int, seed: int, first: int) -> dict[str, Any]:
    """Numbers that tell a little of the label, for every column that training and rules read."""
    random = np.random.default_rng(seed)
    label = (random.uniform(size=rows) < 0.25).astype(np.int64)
    read = dict.fromkeys([*use_case.inputs, *(rule.when[0] for rule in use_case.rules)])
    made: dict[str, Any] = {
        name: np.round(random.normal(size=rows) + 0.4 * label * (n % 3), 3)
        for n, name in enumerate(read)
    }
    texts = {*use_case.spine.key, use_case.entities[0].key}
    made |= {name: [f"{name}-{first + n:06d}" for n in range(rows)] for name in texts}
    groups = {g.column for g in use_case.fairness} - set(made)
    made |= {name: random.choice(["a", "b"], rows).tolist() for name in groups}
    moments = [START + timedelta(hours=first + n) for n in range(rows)]
    return {**made, "label": label, "as_of": pa.array(moments, pa.timestamp("us", tz="UTC"))}


def freeze(folder: Path, *, synthetic: bool = False) -> Path:
    """Write the channel; its manifest last."""
    use_case = use_cases.get("telco_churn")
    folder.mkdir(parents=True)
    files = {}
    for name, rows, seed, first in (
        ("train", 900, 1, 0), ("valid", 400, 2, 900), ("test", 400, 3, 1_300),
    ):  # fmt: skip
        path = folder / f"{name}.parquet"
        pq.write_table(pa.table(columns(use_case, rows, seed, first)), path)
        files[path.name] = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    manifest = {
        "dataset_id": DATASET,
        "use_case": use_case.name,
        "synthetic": synthetic,
        "as_of": "2026-01-01T00:00:00.000000Z",
        "feature_code_digest": "c" * 64,
        "files": files,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def container(root: Path, **told: str) -> dict[str, str]:
    """The variables and folders of script mode, below `root` instead of /opt/ml."""
    told = {"use_case": "telco_churn", "run_id": RUN, "dataset_id": DATASET, **told}
    (root / "input/config").mkdir(parents=True, exist_ok=True)
    (root / "input/config/hyperparameters.json").write_text(json.dumps(told))
    (root / "model").mkdir(exist_ok=True)
    return {
        "SM_HPS": json.dumps(told),
        "SM_CHANNEL_TRAINING": str(root / "input/data/training"),
        "SM_MODEL_DIR": str(root / "model"),
        "SM_OUTPUT_DIR": str(root / "output"),
        "SM_OUTPUT_DATA_DIR": str(root / "output/data"),
        "SM_NUM_CPUS": "2",
        "COUNTERSIGN_ENVIRONMENT": "staging",
    }


def run(module: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A module as a program, knowing these variables alone; script mode adds arguments that are ignored."""
    return subprocess.run(
        [sys.executable, "-m", module, "--use_case", "telco_churn"],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )
