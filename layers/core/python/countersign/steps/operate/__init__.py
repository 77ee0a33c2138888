"""The operations API: every route and who answers it. Roles are checked before anything else."""

from __future__ import annotations

from countersign.governance.permissions import MODEL
from countersign.steps.operate import (
    approvals,
    audit,
    blocks,
    experiments,
    features,
    health,
    lifecycle,
    lineage,
    models,
    predictions,
    retiring,
    routing,
)
from countersign.steps.operate.body import Answer, guarded

_ANSWERS: dict[tuple[str, str], Answer] = {
    ("GET", "/v1/health"): health.health,
    ("GET", "/v1/predictions/{id}"): predictions.one,
    ("GET", "/v1/serving/routing"): routing.show,
    ("POST", "/v1/serving/routing"): routing.change,
    ("GET", "/v1/models"): models.listing,
    ("GET", MODEL): models.one,
    ("GET", f"{MODEL}/versions/{{version}}"): models.version,
    ("GET", f"{MODEL}/versions/{{version}}/lineage"): lineage.of_version,
    ("GET", f"{MODEL}/versions/{{version}}/card"): models.card,
    ("POST", f"{MODEL}/versions/{{version}}/archive"): retiring.archive,
    ("POST", f"{MODEL}/versions/{{version}}/deletion"): retiring.delete,
    ("GET", f"{MODEL}/at"): models.at,
    ("GET", f"{MODEL}/compare"): models.compare,
    ("GET", f"{MODEL}/retraining"): lifecycle.retraining_log,
    ("POST", f"{MODEL}/retraining"): lifecycle.propose_retraining,
    ("POST", f"{MODEL}/shadows"): lifecycle.shadows,
    ("POST", f"{MODEL}/promotion"): lifecycle.request_promotion,
    ("POST", f"{MODEL}/rollback"): lifecycle.roll_back,
    ("POST", f"{MODEL}/kill-switch"): lifecycle.kill_switch,
    ("GET", "/v1/approvals"): approvals.listing,
    ("GET", "/v1/approvals/{id}"): approvals.one,
    ("POST", "/v1/approvals/{id}/decision"): approvals.decide,
    ("GET", "/v1/experiments"): experiments.listing,
    ("POST", "/v1/experiments"): experiments.start,
    ("POST", "/v1/experiments/{id}/conclude"): experiments.conclude,
    ("GET", "/v1/features"): features.catalogue,
    ("GET", "/v1/features/{view}/{entity_id}"): features.values,
    ("GET", "/v1/lineage/features/{view}/{feature}"): lineage.of_feature,
    ("GET", "/v1/data-quality"): blocks.listing,
    ("POST", "/v1/data-quality/{use_case}/acknowledgement"): blocks.acknowledge,
    ("GET", "/v1/audit/{use_case}"): audit.entries,
    ("GET", "/v1/audit/{use_case}/verify"): audit.verify,
}
ROUTES: dict[tuple[str, str], Answer] = {
    route: guarded(answer) for route, answer in _ANSWERS.items()
}
