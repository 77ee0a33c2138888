"""A small use case, and a frozen dataset of it as the feature room would leave it."""

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
from countersign.declare import (
    CostMatrix,
    Entity,
    FairnessGroup,
    Feature,
    FeatureView,
    Gate,
    Hybrid,
    Label,
    ModelSpec,
    RequestFeature,
    Rollout,
    Rule,
    Source,
    Split,
    UseCase,
)

START = datetime(2025, 1, 1, tzinfo=UTC)
WORKER = Entity(name="worker", key="worker_id")


def _source(name: str) -> Source:
    return Source(
        name=name, description="", owner="", columns=(), key=("payslip_id",), event_time="pay_date"
    )


def _no_value(_row: Any, _features: Any) -> None:
    return None


SMALL = UseCase(
    name="small",
    title="Small",
    owner="tests",
    description="A use case of three inputs.",
    api_path="/v1/small/score",
    spine=_source("payslips"),
    entities=(WORKER,),
    views=(
        FeatureView(
            name="pay",
            entity=WORKER,
            source=_source("payslips"),
            description="",
            owner="",
            features=(
                Feature(name="mean_pay", description="", aggregation="mean"),
                Feature(name="changes", description="", aggregation="count", nulls="zero"),
            ),
        ),
    ),
    request_features=(
        RequestFeature(name="z", description="", owner="", compute=_no_value, nulls="keep"),
    ),
    request_fields=(),
    inputs=("mean_pay", "z", "changes"),
    label=Label(
        name="error", source=_source("payroll_errors"), join="payslip_id", matures=timedelta(45)
    ),
    model=ModelSpec(trainer="isolation_forest", hyperparameters={"n_estimators": 40}),
    split=Split(min_rows=200, min_positives=10),
    gates=(Gate("auc", at_least=0.7),),
    fairness=(FairnessGroup(column="country", minimum_rows=50),),
    costs=CostMatrix(false_negative_minor=50_000, false_positive_minor=2_000),
    rules=(
        Rule(code="FAR", text="Far off", owner="ops", when=("z", ">", 4.0), points=1.0),
        Rule(code="MANY", text="Many changes", owner="ops", when=("changes", ">=", 4), points=0.5),
    ),
    hybrid=Hybrid(model_weight=0.8, rules_weight=0.2),
    rollout=Rollout(cohort_column="country", cohorts=("PT", "NL", "DE")),
    autonomy="advisory",
    approval_class="model",
)


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
