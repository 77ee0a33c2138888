"""Score answered requests with the shadows, from the logged vector, long after the answer left.

A shadow that fails is counted and forgotten; a store that fails has its message delivered again.
"""

from __future__ import annotations

from typing import Any

from countersign.aws.stores import Stores
from countersign.aws.telemetry import count
from countersign.clock import iso
from countersign.errors import CountersignError, TransientError
from countersign.serving.fallback import call_failure, call_model, load_failure, with_model
from countersign.serving.prediction import Prediction
from countersign.serving.queued import read_messages
from countersign.serving.routing import VersionRef, shadows
from countersign.steps.score.worker import Worker


def run(records: list[dict[str, Any]], stores: Stores) -> list[str]:
    """Score each named prediction with every shadow; returns message ids to be delivered again."""
    messages, failed = read_messages(records)
    entries = stores.predictions.get_many([m.prediction_id for m in messages])
    # Read for each batch, so that whoever was a shadow when the answer left scores it.
    pointers = {name: stores.registry.pointer(name) for name in {m.use_case for m in messages}}
    for message in messages:
        prediction = entries.get(message.prediction_id)
        if prediction is None:
            failed.append(message.message_id)
            continue
        try:
            for ref in shadows(pointers[message.use_case]):
                score_with(ref, prediction, stores)
        except CountersignError:
            failed.append(message.message_id)
    return failed


def score_with(ref: VersionRef, prediction: Prediction, stores: Stores) -> None:
    """Record what the shadow `ref` would have said, once; its own failures are only counted."""
    if ref.version == prediction.version or ref.version in prediction.shadow_scores:
        return
    worker, name, now = Worker.of(stores), prediction.use_case, stores.clock.now()
    use_case = worker.seat(name).use_case
    try:
        session = worker.session(name, ref)
    except TransientError:
        raise
    except Exception as error:  # a shadow may fail in any way, and only that is noted
        count("ShadowFailed", reason=load_failure(error), use_case=name, version=ref.version)
        return
    try:
        heard = call_model(
            session, ref, prediction.features, worker.models(name), use_case.deadline_ms
        )
    except Exception as error:  # a shadow may fail in any way, and only that is noted
        count("ShadowFailed", reason=call_failure(error), use_case=name, version=ref.version)
        return
    verdict = with_model(session, ref, prediction.features, heard)
    said: dict[str, Any] = {
        "score": verdict.score,
        "model_score": heard.score,
        "decision": verdict.decision,
        "threshold": verdict.threshold,
        "digest": ref.digest,
        "at": iso(now),
    }
    if verdict.strategy is not None:
        said["strategy"] = verdict.strategy.name
    if verdict.probabilities is not None:
        said["probabilities"] = dict(verdict.probabilities)
    stores.predictions.add_shadow_score(prediction.prediction_id, ref.version, said)
