"""What the log keeps of one answered request: enough to explain, replay and judge it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RULES_ONLY = "rules-only"
# What `degraded` says of a use case whose score is an input here and could not be had.
UPSTREAM = "upstream-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One logged prediction. `features` is the whole vector, inputs of the model first, in order.

    `version` is `rules-only` when no model answered. `shadow_scores` maps a version to
    `{score, model_score, decision, threshold, digest, at}`, with `probabilities` of a model of classes;
    `outcome` is the standing one of `outcomes`, each `{label, at, known_at, version, …}`, the label 0 or 1
    or the name of a class. `answer` is the exact body that was returned.

    `strategy` is what was recommended, empty where the use case has none. Of a model of classes,
    `probabilities` are by class, `score` and `model_score` are that of the likeliest one, `decision` is
    the strategy and `threshold` is None. `upstream` maps a use case to what its model said of this
    request, `{score, version, digest, epoch}`; that score stands among `features` too.
    """

    prediction_id: str
    use_case: str
    tenant: str
    entity_id: str
    cohort: str
    request_digest: str
    idempotency_key: str
    features: Mapping[str, float | None]
    score: float
    model_score: float | None
    rule_score: float
    decision: str
    threshold: float | None
    reason_codes: tuple[Mapping[str, str], ...]
    version: str
    artifact_digest: str
    epoch: int
    rules_version: str
    degraded: tuple[str, ...]
    feature_ages: Mapping[str, float]
    latency_ms: Mapping[str, float]
    at: str
    answer: str
    shadow_scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    outcome: Mapping[str, Any] | None = None
    outcomes: tuple[Mapping[str, Any], ...] = ()
    archived_at: str = ""
    strategy: str = ""
    probabilities: Mapping[str, float] | None = None
    upstream: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def prediction_id(tenant: str, use_case: str, key: str) -> str:
    """The id that an idempotency key stands for: 128 bits of SHA-256, the same for every retry."""
    named = json.dumps([tenant, use_case, key], separators=(",", ":"))
    return hashlib.sha256(named.encode()).hexdigest()[:32]


def request_digest(body: Mapping[str, Any]) -> str:
    """SHA-256 of a body, whatever the order of its fields, without its idempotency key."""
    content = {name: value for name, value in body.items() if name != "idempotency_key"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
