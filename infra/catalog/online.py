"""What answers requests, and what follows an answer."""

from __future__ import annotations

from infra.catalog.row import SERVING, Function
from infra.grants import (
    BASELINES,
    DATASETS,
    MODEL_BYTES,
    MODELS,
    PREDICTION_LOG,
    PREDICTIONS,
    QUALITY,
    REGISTRY,
    SCORING,
)
from infra.permissions import (
    Append,
    Consume,
    Prefix,
    Publish,
    Read,
    ResumeTask,
    Send,
    StartMachine,
    Stream,
)

ONLINE: tuple[Function, ...] = (
    Function(
        name="score",
        purpose="Answer a scoring request, and log it before the answer leaves",
        layers=SERVING,
        memory=1769,
        timeout=20,
        permissions=SCORING,
    ),
    Function(
        name="score_batch",
        purpose="Score a chunk of a file through the same code, apart from online traffic",
        layers=SERVING,
        memory=1769,
        timeout=900,
        permissions=(*SCORING, Prefix("lake", "batch/", read=True, write=True)),
    ),
    Function(
        name="operate",
        purpose="The operations API: models, approvals, routing, predictions, features, monitoring",
        layers=SERVING,
        memory=1024,
        timeout=29,
        permissions=(
            *REGISTRY,
            Read("online"),
            Read("predictions"),
            Append(),
            *MODELS,
            MODEL_BYTES,
            DATASETS,
            PREDICTIONS,
            BASELINES,
            QUALITY,
            Prefix("lake", "reports/", read=True),
            Prefix("seal", "heads/", read=True),
            StartMachine("approval"),
            StartMachine("promotion"),
            StartMachine("rollback"),
            ResumeTask(),
            Publish(),
        ),
    ),
    Function(
        name="forward_predictions",
        purpose="Put new predictions on the queues of the shadow scorer and of the archive",
        permissions=(Stream("predictions"), Send("shadow"), Send("archive")),
    ),
    Function(
        name="shadow_score",
        purpose="Score answered requests with the shadows, after the answer",
        layers=SERVING,
        memory=1024,
        timeout=30,
        permissions=(Consume("shadow"), Read("registry"), *PREDICTION_LOG, *MODELS),
    ),
    Function(
        name="archive_predictions",
        purpose="Write predictions to the lake, then let their items expire",
        layers=("core", "base", "query"),
        memory=512,
        timeout=60,
        permissions=(
            Consume("archive"),
            *PREDICTION_LOG,
            Prefix("lake", "predictions/", read=True, write=True),
        ),
    ),
    Function(
        name="record_outcome",
        purpose="Join what really happened to the prediction",
        timeout=29,
        permissions=(*PREDICTION_LOG, Read("registry")),
    ),
)
