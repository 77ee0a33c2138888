"""Is the registry there?"""

from __future__ import annotations

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.http import HttpRequest, HttpResponse


def health(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/health: 200 when the registry answers; its failure is the route's own 503."""
    champions = {}
    for name in use_cases.all_use_cases():
        champion = stores.registry.pointer(name)["champion"]
        champions[name] = champion["version"] if champion else None
    document = {
        "status": "ok",
        "environment": stores.settings.environment,
        "at": iso(stores.clock.now()),
        "champions": champions,
    }
    return HttpResponse(200, document)
