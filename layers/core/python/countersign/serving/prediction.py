"""What the log keeps of one answered request: enough to explain, replay and judge it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RULES_ONLY = "rules-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One logged prediction. `features` is the whole vector, inputs of the model first, in order.

    `version` is `rules-only` when no model answered. `shadow_scores` maps a version to
    `{score, model_score, decision, threshold, digest, at}`; `outcome` is the standing one of
    `outcomes`, each `{label, at, known_at, version, …}`. `answer` is the exact body that was returned.
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
    threshold: float
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


def prediction_id(tenant: str, use_case: str, key: str) -> str:
    """The id that an idempotency key stands for: 128 bits of SHA-256, the same for every retry."""
    named = json.dumps([tenant, use_case, key], separators=(",", ":"))
    return hashlib.sha256(named.encode()).hexdigest()[:32]


def request_digest(body: Mapping[str, Any]) -> str:
    """SHA-256 of a body, whatever the order of its fields, without its idempotency key."""
    content = {name: value for name, value in body.items() if name != "idempotency_key"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
