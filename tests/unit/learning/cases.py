"""Frozen datasets of the small use case, as the feature room would leave them."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from countersign.declare import UseCase

from tests.unit.learning.declared import SMALL

__all__ = ["SMALL", "dataset_objects", "parquet", "table", "without"]
START = datetime(2025, 1, 1, tzinfo=UTC)


def table(
    n_rows: int = 1_500, *, seed: int = 5, first: int = 0, rate: float = 0.04
) -> dict[str, Any]:
    """Columns of a split: anomalies lie far out in `z`, some also in `mean_pay`; nulls here and there."""
    random = np.random.default_rng(seed)
    label = (random.uniform(size=n_rows) < rate).astype(np.int64)
    z = random.normal(0, 1, n_rows) + label * random.choice([-6.0, 5.0, 8.0], n_rows)
    pay = random.lognormal(8, 0.4, n_rows) * np.where(
        label & (random.uniform(size=n_rows) < 0.5), 4, 1
    )
    z[random.uniform(size=n_rows) < 0.03] = np.nan
    return {
        "payslip_id": [f"p{first + n:06d}" for n in range(n_rows)],
        "worker_id": [f"w{n % 300}" for n in range(n_rows)],
        "country": random.choice(["PT", "NL", "DE"], n_rows).tolist(),
        "as_of": [START + timedelta(hours=first + n) for n in range(n_rows)],
        "label": label,
        "mean_pay": pay,
        "z": z,
        "changes": random.poisson(0.6, n_rows).astype(np.float64),
    }


def parquet(columns: dict[str, Any]) -> bytes:
    """The columns as a Parquet file; NaN in `z` is written as null."""
    arrays = dict(columns)
    arrays["as_of"] = pa.array(columns["as_of"], pa.timestamp("us", tz="UTC"))
    for name in ("mean_pay", "z", "changes"):
        if name in columns:
            arrays[name] = pa.array(columns[name], pa.float64(), from_pandas=True)
    buffer = io.BytesIO()
    pq.write_table(pa.table(arrays), buffer)
    return buffer.getvalue()


def dataset_objects(
    dataset_id: str, splits: dict[str, dict[str, Any]] | None = None, **facts: Any
) -> dict[str, bytes]:
    """The objects of `datasets/<dataset_id>/`, by key."""
    made = splits or {
        "train": table(900, seed=1, first=0),
        "valid": table(400, seed=2, first=900),
        "test": table(400, seed=3, first=1_300),
    }
    files = {f"{name}.parquet": parquet(columns) for name, columns in made.items()}
    manifest = {
        "dataset_id": dataset_id,
        "synthetic": False,
        "as_of": "2026-01-01T00:00:00.000000Z",
        "feature_code_digest": "c" * 64,
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()
        },
        **facts,
    }
    files["manifest.json"] = json.dumps(manifest).encode()
    return {f"datasets/{dataset_id}/{name}": content for name, content in files.items()}


def without(use_case: UseCase, **changes: Any) -> UseCase:
    """The use case, declared otherwise."""
    return replace(use_case, **changes)
