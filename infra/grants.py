"""Permissions that several functions hold alike, under one name each."""

from __future__ import annotations

from infra.permissions import (
    Append,
    Permission,
    Prefix,
    Publish,
    Read,
    Remove,
    Verify,
    Write,
    WriteKeys,
)

REGISTRY: tuple[Permission, ...] = (Read("registry"), Write("registry"))
MODELS: tuple[Permission, ...] = (Prefix("models", read=True), Verify())
PREDICTION_LOG: tuple[Permission, ...] = (Read("predictions"), Write("predictions"))
REFUSALS = WriteKeys("registry", ("refused#*",))
SCORING = (Read("online"), Read("registry"), REFUSALS, *PREDICTION_LOG, *MODELS)
RECORD = (*REGISTRY, Append(), Publish())
# What a model is loaded from. Its manifest, evaluation, report and card are evidence, and stay.
MODEL_BYTES = Remove("models", ("golden.npz", "model.onnx", "model.ubj", "native.npz"))
RUNS = Prefix("models", "*/runs/", read=True, write=True)
DATASETS = Prefix("lake", "datasets/", read=True)
SOURCES = Prefix("lake", "sources/", read=True)
OFFLINE = Prefix("lake", "offline/", read=True)
QUALITY = Prefix("lake", "quality/", read=True)
PREDICTIONS = Prefix("lake", "predictions/", read=True)
BASELINES = Prefix("lake", "baselines/", read=True)
REPORTS = Prefix("lake", "reports/", read=True, write=True)
