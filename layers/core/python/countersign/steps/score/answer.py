"""One scoring request: validate, read, gate, score, decide, log, answer. In this order, or not at all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from countersign.aws.online import Key, OnlineRow
from countersign.aws.predictions import same_request
from countersign.aws.stores import Stores
from countersign.aws.telemetry import count
from countersign.clock import iso
from countersign.declare import UseCase
from countersign.errors import CountersignError, RequestError, RoleError
from countersign.governance.quality_block import refuse
from countersign.http import HttpRequest, HttpResponse
from countersign.serving.fallback import Verdict, judge
from countersign.serving.prediction import Prediction, prediction_id, request_digest
from countersign.serving.routing import route
from countersign.serving.rules import reason_codes
from countersign.serving.validate import MAX_BODY_BYTES, idempotency_key, read_body
from countersign.serving.vector import Vector, settle_ids, whole_vector
from countersign.steps.score import refused, upstream
from countersign.steps.score.keys import view_keys
from countersign.steps.score.worker import Seat, Worker

MAY_SCORE = frozenset({"scoring-client", "operator", "ml-engineer"})
READ_DEADLINE_MS = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One valid body, the row it holds, who asks, and the key under which the answer stands."""

    use_case: str
    body: Mapping[str, Any]
    row: Mapping[str, Any]
    key: str
    tenant: str
    request_id: str


def route_for(use_case: str) -> Callable[[HttpRequest, Stores], HttpResponse]:
    """The route that scores bodies of `use_case`."""

    def run(request: HttpRequest, stores: Stores) -> HttpResponse:
        if request.caller.role not in MAY_SCORE:
            raise RoleError("Scoring is for scoring clients and operators")
        if len(request.raw_body) > MAX_BODY_BYTES:
            raise RequestError(f"A body may have {MAX_BODY_BYTES} bytes at most")
        seat = Worker.of(stores).seat(use_case)
        row = read_body(seat.fields, request.body)
        asked = Asked(
            use_case=use_case,
            body=request.body,
            row=row,
            key=idempotency_key(request.body, request.headers),
            tenant=request.caller.tenant,
            request_id=request.request_id,
        )
        try:
            return HttpResponse(200, text=score_one(asked, stores))
        except CountersignError as error:
            refused.tell(use_case, [error], stores)
            raise

    return run


def score_one(asked: Asked, stores: Stores) -> str:
    """The answer to `asked`, logged before it is returned: the first one given under its key, always.

    Raises
    ------
    DataError, NotFoundError, StaleFeatureError   the request or its features cannot be scored
    QualityBlockError                             an alert questions the features of the use case
    IdempotencyConflictError                      the key answered another body
    TransientError                                a store or the log did not do its part; nothing stands
    """
    seat = Worker.of(stores).seat(asked.use_case)
    started = time.perf_counter()
    try:
        prediction = predict(asked, stores, seat)
        answer = stores.predictions.append(prediction)
    except CountersignError as error:
        seat.tally.outcomes[type(error).__name__] += 1
        first = answered_before(asked, stores)
        if first is None:
            raise
        return first
    note(seat, prediction, (time.perf_counter() - started) * 1000, stores)
    return answer


def predict(asked: Asked, stores: Stores, seat: Seat) -> Prediction:
    """The prediction that will be logged and answered; nothing is written yet."""
    use_case, now = seat.use_case, stores.clock.now()
    clock = [time.perf_counter()]
    own = view_keys(use_case, asked.row)
    consulted = upstream.asked_for(use_case, asked.row) if use_case.upstream else []
    values = read(seat, [*own, *upstream.more_keys(consulted, asked.row)], stores, now)
    clock.append(time.perf_counter())
    held = {key: values[key] for key in own if key in values} if consulted else values
    heard = upstream.Heard(settle_ids(use_case, asked.row, held))
    if use_case.upstream:
        heard = upstream.listen(use_case, consulted, heard.row, values, stores=stores, now=now)
    row = heard.row
    vector = whole_vector(use_case, row, values, now)
    clock.append(time.perf_counter())
    cohort = str(row.get(use_case.rollout.cohort_column) or "")
    taken = route(seat.pointer, cohort)
    verdict = judge(use_case, taken, vector.features, Worker.of(stores).models(use_case.name))
    clock.append(time.perf_counter())
    spent = {
        name: round((end - start) * 1000, 3)
        for name, start, end in zip(("read", "features", "model"), clock, clock[1:], strict=False)
    }
    facts = {"cohort": cohort, "epoch": taken.epoch, "at": iso(now), "latency_ms": spent}
    return record(asked, use_case, vector, verdict, heard, facts)


def read(seat: Seat, keys: list[Key], stores: Stores, now: datetime) -> dict[Key, OnlineRow]:
    """The rows at `keys`, with the pointer in the same read when it is due. Raises QualityBlockError."""
    values, standing = stores.online.read(
        list(dict.fromkeys(keys)),
        with_standing=seat.use_case.name if seat.pointer_due(now) else None,
        deadline_ms=READ_DEADLINE_MS,
    )
    if standing is not None:
        seat.take_standing(standing.pointer, standing.block, now)
    if seat.block is not None:
        refuse(seat.use_case.name, seat.block)
    return values


def record(
    asked: Asked,
    use_case: UseCase,
    vector: Vector,
    verdict: Verdict,
    heard: upstream.Heard,
    facts: Mapping[str, Any],
) -> Prediction:
    """The log's entry, with the exact answer in it."""
    identity = prediction_id(asked.tenant, use_case.name, asked.key)
    reasons = reason_codes(verdict.fired)
    degraded = (*verdict.degraded, *heard.degraded, *vector.overdue)
    said = {
        "prediction_id": identity,
        "score": verdict.score,
        "decision": verdict.decision,
        "threshold": verdict.threshold,
        **recommended(verdict),
        "reason_codes": reasons,
        "model": {"use_case": use_case.name, "version": verdict.version, "epoch": facts["epoch"]},
        "degraded": degraded,
        "request_id": asked.request_id,
    }
    return Prediction(
        prediction_id=identity,
        use_case=use_case.name,
        tenant=asked.tenant,
        entity_id=str(asked.row[use_case.entities[0].key]),
        request_digest=request_digest(asked.body),
        idempotency_key=asked.key,
        features=vector.features,
        score=verdict.score,
        model_score=verdict.model_score,
        rule_score=verdict.rule_score,
        decision=verdict.decision,
        threshold=verdict.threshold,
        reason_codes=tuple(reasons),
        version=verdict.version,
        artifact_digest=verdict.digest,
        rules_version=verdict.rules_version,
        degraded=degraded,
        feature_ages=vector.ages,
        strategy=verdict.strategy.name if verdict.strategy else "",
        probabilities=verdict.probabilities,
        upstream=heard.said,
        answer=json.dumps(said, allow_nan=False, separators=(",", ":")),
        **facts,
    )


def recommended(verdict: Verdict) -> dict[str, Any]:
    """What an answer says beside score and decision, where the use case has strategies or classes."""
    said: dict[str, Any] = {}
    if verdict.strategy is not None:
        said["strategy"] = verdict.strategy.name
        said["wait_seconds"] = verdict.strategy.wait.total_seconds()
    if verdict.probabilities is not None:
        said["probabilities"] = verdict.probabilities
    return said


def answered_before(asked: Asked, stores: Stores) -> str | None:
    """The answer that stands under this key, when a retry finds the world changed since.

    Raises IdempotencyConflictError when it answered another body.
    """
    identity = prediction_id(asked.tenant, asked.use_case, asked.key)
    try:
        logged = stores.predictions.find(identity)
    except CountersignError:
        return None
    return same_request(logged, request_digest(asked.body)).answer if logged else None


def note(seat: Seat, prediction: Prediction, latency_ms: float, stores: Stores) -> None:
    """Keep what GET /v1/serving/monitoring shows of this worker; count a degraded answer."""
    tally = seat.tally
    tally.outcomes["degraded" if prediction.degraded else "answered"] += 1
    tally.latency_ms.append(latency_ms)
    tally.scores.append(prediction.score)
    if prediction.degraded:
        reason = ",".join(prediction.degraded)
        count("Degraded", reason=reason, use_case=prediction.use_case)
