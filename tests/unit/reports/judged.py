"""Evaluations as training writes them: small models of one score and of classes, trained and judged here."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

from countersign.declare import Gate, UseCase
from countersign.learning import export
from countersign.learning.dataset import Rows, read_rows
from countersign.learning.evaluation import judge
from countersign.learning.training import train
from countersign.serving.session import ModelSession

from tests.unit.learning.cases import SMALL, parquet, table
from tests.unit.learning.test_classes import RETRY
from tests.unit.learning.test_classes import splits as class_splits


@cache
def score() -> dict[str, Any]:
    """A model of one score; one gate fails, one metric has no interval."""
    case = replace(
        SMALL,
        gates=(
            Gate("auc", at_least=0.7),
            Gate("precision", at_least=0.999),
            Gate("latency_p95_ms", at_most=1e6),
        ),
    )
    return _judged(case, {name: _rows(*args) for name, args in _SPLITS.items()})


@cache
def classes() -> dict[str, Any]:
    """A model of three classes."""
    return _judged(RETRY, class_splits())


_SPLITS = {"train": (900, 1, 0), "valid": (400, 2, 900), "test": (600, 3, 1_300)}


def _rows(count: int, seed: int, first: int) -> Rows:
    return read_rows(parquet(table(count, seed=seed, first=first)), key="payslip_id")


def _judged(case: UseCase, splits: dict[str, Rows]) -> dict[str, Any]:
    trained = train(case, splits)
    manifest = {
        "use_case": "small", "run_id": "run-1", "model_type": case.model.trainer, "seed": 7,
        "hyperparameters": trained.hyperparameters, "found": trained.found, "dataset_id": "d1",
        "dataset_digest": "e" * 64, "as_of": "2026-11-21T00:00:00.000000Z", "synthetic": True,
        "split": trained.split,
    }  # fmt: skip
    session = ModelSession("d" * 64, export.to_onnx(trained.files["native.npz"]), trained.serving)
    found = judge(
        case, session, manifest, valid=splits["valid"], test=splits["test"],
        created_at="2026-11-21T06:02:00.000000Z",
    )  # fmt: skip
    return dict(json.loads(json.dumps(found.document, allow_nan=False)))
