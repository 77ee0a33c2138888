"""Who may change what is served, and who watches it."""

from __future__ import annotations

from infra.catalog.row import JUDGING, Function
from infra.grants import (
    BASELINES,
    MODELS,
    OFFLINE,
    PREDICTIONS,
    QUALITY,
    RECORD,
    REGISTRY,
    REPORTS,
    SOURCES,
)
from infra.permissions import (
    Append,
    Invoke,
    Prefix,
    Publish,
    PutMetrics,
    Read,
    ResumeTask,
    WriteKeys,
)

GOVERNING: tuple[Function, ...] = (
    Function(
        name="approval",
        purpose="Open, decide, expire and conclude approvals",
        timeout=60,
        permissions=(
            *RECORD,
            ResumeTask(),
            *MODELS,
            BASELINES,
            Prefix("lake", "reports/", read=True),
        ),
    ),
    Function(
        name="promote",
        purpose="Move the pointer: shadow, rollout steps, completion, rollback, verification",
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
            WriteKeys("online", ("canary#*",)),
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
        name="seal_audit",
        purpose="Write the heads of the audit chains where nobody can change them",
        timeout=120,
        permissions=(Append(), Read("registry"), Prefix("seal", "heads/", read=True, write=True)),
    ),
)
