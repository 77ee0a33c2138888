"""Every function, one row: what it carries, how big it is, what it may touch.

Policies, environment variables, sizes, alarms and the tests of least privilege all come from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from infra.permissions import (
    Append,
    Consume,
    Invoke,
    Permission,
    Prefix,
    Publish,
    PutMetrics,
    Read,
    ResumeTask,
    Send,
    Sign,
    StartMachine,
    Stream,
    Verify,
    Write,
)

SERVING = ("core", "base", "scoring")
JUDGING = ("core", "base", "scoring", "query")
PLAIN = ("core", "base")
DATA = ("core", "data")

REGISTRY: tuple[Permission, ...] = (Read("registry"), Write("registry"))
MODELS: tuple[Permission, ...] = (Prefix("models", read=True), Verify())
PREDICTION_LOG: tuple[Permission, ...] = (Read("predictions"), Write("predictions"))
SCORING = (Read("online"), Read("registry"), *PREDICTION_LOG, *MODELS)
RECORD = (*REGISTRY, Append(), Publish())
RUNS = Prefix("models", "*/runs/", read=True, write=True)
DATASETS = Prefix("lake", "datasets/", read=True)
SOURCES = Prefix("lake", "sources/", read=True)
OFFLINE = Prefix("lake", "offline/", read=True)
QUALITY = Prefix("lake", "quality/", read=True)
PREDICTIONS = Prefix("lake", "predictions/", read=True)
BASELINES = Prefix("lake", "baselines/", read=True)
REPORTS = Prefix("lake", "reports/", read=True, write=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One Lambda function. `timeout` in seconds, `memory` and `storage` (of /tmp) in MB."""

    name: str
    purpose: str
    layers: tuple[str, ...] = PLAIN
    memory: int = 512
    timeout: int = 30
    storage: int = 512
    permissions: tuple[Permission, ...]
    variables: dict[str, str] = field(default_factory=dict)


FUNCTIONS: tuple[Function, ...] = (
    Function(
        name="score",
        purpose="Answer a scoring request, and log it before the answer leaves",
        layers=SERVING,
        memory=1769,
        timeout=10,
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
            PREDICTIONS,
            BASELINES,
            QUALITY,
            Prefix("lake", "reports/", read=True),
            StartMachine("approval"),
            StartMachine("promotion"),
            StartMachine("rollback"),
            ResumeTask("approval"),
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
        name="ingest",
        purpose="Hold a delivered file against its contract: accept it or quarantine it",
        layers=DATA,
        memory=1769,
        timeout=300,
        storage=2048,
        permissions=(
            Prefix("raw", "raw/", read=True),
            Prefix("raw", "quarantine/", read=True, write=True),
            Prefix("lake", "sources/", read=True, write=True),
            *RECORD,
        ),
    ),
    Function(
        name="build_features",
        purpose="Compute feature views with both clocks, and their quality log",
        layers=DATA,
        memory=3008,
        timeout=900,
        storage=4096,
        permissions=(
            SOURCES,
            Prefix("lake", "offline/", read=True, write=True),
            Prefix("lake", "quality/", read=True, write=True),
            *RECORD,
        ),
    ),
    Function(
        name="materialize",
        purpose="Bring the online store up to the offline one; never to older values",
        layers=DATA,
        memory=1769,
        timeout=900,
        storage=2048,
        permissions=(OFFLINE, Read("online"), Write("online"), *REGISTRY),
    ),
    Function(
        name="freeze_dataset",
        purpose="Pass the data-quality gate and freeze a training set, point in time",
        layers=DATA,
        memory=3008,
        timeout=900,
        storage=4096,
        permissions=(
            SOURCES,
            OFFLINE,
            Prefix("lake", "quality/", read=True, write=True),
            Prefix("lake", "datasets/", read=True, write=True),
            *REGISTRY,
            Append(),
        ),
    ),
    Function(
        name="train",
        purpose="Train a candidate on a frozen dataset",
        layers=("core", "training"),
        memory=3008,
        timeout=900,
        storage=2048,
        permissions=(DATASETS, RUNS),
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
        purpose="Draw the evaluation or drift report as HTML",
        layers=("core", "base", "report", "query"),
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
    Function(
        name="approval",
        purpose="Open, decide, expire and conclude approvals",
        timeout=60,
        permissions=(
            *RECORD,
            ResumeTask("approval"),
            *MODELS,
            BASELINES,
            Prefix("lake", "reports/", read=True),
        ),
    ),
    Function(
        name="promote",
        purpose="Move the pointer: shadow, rollout steps, completion, rollback, verification",
        layers=SERVING,
        memory=1024,
        timeout=120,
        permissions=(
            *RECORD,
            Read("predictions"),
            Read("online"),
            *MODELS,
            PREDICTIONS,
            BASELINES,
            Invoke("score"),
        ),
    ),
    Function(
        name="monitor",
        purpose="Drift, freshness, volume and performance; proposes, and never trains",
        layers=JUDGING,
        memory=1769,
        timeout=600,
        storage=2048,
        permissions=(
            *REGISTRY,
            Read("predictions"),
            Read("online"),
            PREDICTIONS,
            OFFLINE,
            QUALITY,
            SOURCES,
            Prefix("lake", "baselines/", read=True, write=True),
            REPORTS,
            *MODELS,
            Append(),
            Publish(),
            PutMetrics(),
        ),
    ),
    Function(
        name="record_outcome",
        purpose="Join what really happened to the prediction",
        timeout=29,
        permissions=(*PREDICTION_LOG, Read("registry")),
    ),
    Function(
        name="seal_audit",
        purpose="Write the heads of the audit chains where nobody can change them",
        timeout=120,
        permissions=(Append(), Read("registry"), Prefix("seal", "heads/", read=True, write=True)),
    ),
)

BY_NAME: dict[str, Function] = {function.name: function for function in FUNCTIONS}
