"""A logged prediction, whole."""

from __future__ import annotations

from dataclasses import asdict

from countersign.aws.stores import Stores
from countersign.http import HttpRequest, HttpResponse


def one(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/predictions/{id}. A scoring client sees its own tenant's; another's does not exist for it."""
    caller = request.caller
    tenant = caller.tenant if caller.role == "scoring-client" else None
    found = stores.predictions.get(request.path_params["id"], tenant=tenant)
    document = asdict(found)
    if tenant is not None:  # what explains and replays a score is for staff
        for name in ("features", "shadow_scores", "rule_score", "model_score", "upstream"):
            del document[name]
    return HttpResponse(200, {k: v for k, v in document.items() if k != "idempotency_key"})
