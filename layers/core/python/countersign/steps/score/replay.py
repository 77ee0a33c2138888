"""Score a logged prediction again, from its archived artifact and its logged vector, bit for bit."""

from __future__ import annotations

from dataclasses import replace

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.errors import ArtifactError, RoleError
from countersign.governance.pointer import Pointer
from countersign.http import HttpRequest, HttpResponse
from countersign.serving.fallback import RuleBook, Verdict, by_rules, declared_rules, with_model
from countersign.serving.prediction import RULES_ONLY, Prediction
from countersign.serving.routing import VersionRef
from countersign.steps.score.worker import Worker

MAY_REPLAY = frozenset({"auditor", "operator", "ml-engineer"})
_COMPARED = ("score", "model_score", "rule_score", "threshold", "decision", "probabilities")


def run(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/predictions/{id}/replay: what was logged beside what is scored now."""
    if request.caller.role not in MAY_REPLAY:
        raise RoleError("Replaying needs the role auditor, operator or ml-engineer")
    logged = stores.predictions.get(request.path_params["id"])
    verdict = replayed(logged, stores)
    then = {name: getattr(logged, name) for name in _COMPARED}
    now = {name: getattr(verdict, name) for name in _COMPARED}
    then["reason_codes"] = [reason["code"] for reason in logged.reason_codes]
    now["reason_codes"] = [rule.code for rule in verdict.fired]
    then["strategy"] = logged.strategy
    now["strategy"] = verdict.strategy.name if verdict.strategy else ""
    return HttpResponse(200, {
        "prediction_id": logged.prediction_id,
        "use_case": logged.use_case,
        "version": logged.version,
        "digest": logged.artifact_digest,
        "at": logged.at,
        "logged": then,
        "replayed": now,
        "identical": then == now,
    })  # fmt: skip


def replayed(logged: Prediction, stores: Stores) -> Verdict:
    """The verdict of the same version over the same vector.

    Raises ArtifactError when the version's bytes, or the rules, are no longer those that answered.
    """
    if logged.version == RULES_ONLY:
        return by_rules(_rules_of(logged, stores), logged.features, tuple(logged.degraded))
    ref = VersionRef(logged.version, logged.artifact_digest)
    session = Worker.of(stores).session(logged.use_case, ref)
    row = session.vector(logged.features)
    return with_model(session, ref, logged.features, session.say(row))


def _rules_of(logged: Prediction, stores: Stores) -> RuleBook:
    declared = declared_rules(use_cases.get(logged.use_case))
    if declared.named() == logged.rules_version:
        return _as_logged(declared, logged)
    pointer = stores.registry.pointer(logged.use_case)
    for ref in _versions(pointer):
        book = Worker.of(stores).rule_book(logged.use_case, ref)
        if book.named() == logged.rules_version:
            return _as_logged(book, logged)
    raise ArtifactError("No version that is kept has the rules that answered this request")


def _as_logged(book: RuleBook, logged: Prediction) -> RuleBook:
    """The rules with the threshold that stood then; of classes there is none."""
    return book if logged.threshold is None else replace(book, threshold=logged.threshold)


def _versions(pointer: Pointer) -> list[VersionRef]:
    entries = [pointer["champion"], pointer["rollout"], *pointer["previous"]]
    return [VersionRef(entry["version"], entry["digest"]) for entry in entries if entry]
