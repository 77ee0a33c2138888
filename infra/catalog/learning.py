"""From a frozen dataset to a version that an approver can judge."""

from __future__ import annotations

from infra.catalog.row import JUDGING, SERVING, Function
from infra.grants import (
    BASELINES,
    DATASETS,
    MODELS,
    OFFLINE,
    PREDICTIONS,
    QUALITY,
    RECORD,
    REGISTRY,
    REPORTS,
    RUNS,
    SOURCES,
)
from infra.permissions import Append, Prefix, Read, Sign, Verify

LEARNING: tuple[Function, ...] = (
    Function(
        name="freeze_dataset",
        purpose="Pass the data-quality gate and freeze a training set, point in time; audit one",
        layers=JUDGING,
        memory=3008,
        timeout=900,
        storage=4096,
        permissions=(
            SOURCES,
            OFFLINE,
            Prefix("lake", "quality/", read=True, write=True),
            Prefix("lake", "datasets/", read=True, write=True),
            BASELINES,
            REPORTS,
            *REGISTRY,
            Append(),
        ),
    ),
    Function(
        name="train",
        purpose="Train a candidate on a frozen dataset",
        layers=("core", "base", "training"),
        memory=3008,
        timeout=900,
        storage=2048,
        permissions=(DATASETS, RUNS, Verify()),
    ),
    Function(
        name="export_model",
        purpose="Export to ONNX, prove it equal to the native model, sign the manifest",
        layers=("core", "base", "export"),
        memory=3008,
        timeout=600,
        storage=2048,
        permissions=(DATASETS, RUNS, Sign(), Verify()),
    ),
    Function(
        name="evaluate",
        purpose="Judge a candidate: metrics, gates, fairness",
        layers=JUDGING,
        memory=1769,
        timeout=600,
        storage=2048,
        permissions=(DATASETS, RUNS, Verify(), Read("registry"), Append()),
    ),
    Function(
        name="report",
        purpose="Draw evaluations, datasets, drift and feature quality as HTML",
        layers=("core", "base", "report"),
        memory=1769,
        timeout=300,
        permissions=(
            RUNS,
            DATASETS,
            PREDICTIONS,
            BASELINES,
            REPORTS,
            QUALITY,
            *MODELS,
            Read("registry"),
        ),
        variables={"MPLCONFIGDIR": "/tmp/matplotlib", "MPLBACKEND": "Agg"},  # noqa: S108 - Lambda's only writable folder
    ),
    Function(
        name="register",
        purpose="The registry's side of training: authorise, register, reject",
        memory=512,
        timeout=120,
        permissions=(
            Prefix("models", read=True, write=True),
            Verify(),
            DATASETS,
            Prefix("lake", "baselines/", read=True, write=True),
            *RECORD,
        ),
    ),
    Function(
        name="validate_model",
        purpose="Load a version, check its scores, its range, its latency and its golden vectors",
        layers=SERVING,
        memory=1769,
        timeout=120,
        permissions=(*MODELS, *REGISTRY, Append()),
    ),
    Function(
        name="backtest",
        purpose="Hold a candidate against the champion on predictions with outcomes",
        layers=JUDGING,
        memory=1769,
        timeout=600,
        storage=2048,
        permissions=(*MODELS, PREDICTIONS, DATASETS, Read("predictions"), *REGISTRY, Append()),
    ),
)
