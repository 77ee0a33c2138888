"""Every scoring route: answer, look, reload, replay. `BATCH` is the same answer for a file of bodies."""

from __future__ import annotations

from collections.abc import Callable

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.http import HttpRequest, HttpResponse
from countersign.steps.score import answer, batch, replay, watch

Route = Callable[[HttpRequest, Stores], HttpResponse]


def _scoring_routes() -> dict[tuple[str, str], Route]:
    """One route per declared use case, with and without the version prefix."""
    routes: dict[tuple[str, str], Route] = {}
    for name, use_case in use_cases.all_use_cases().items():
        path = "/" + use_case.api_path.strip("/").removeprefix("v1/")
        routes[("POST", path)] = routes[("POST", f"/v1{path}")] = answer.route_for(name)
    return routes


ROUTES: dict[tuple[str, str], Route] = {
    **_scoring_routes(),
    ("GET", "/v1/serving/monitoring"): watch.monitoring,
    ("POST", "/v1/serving/reload"): watch.reload,
    ("GET", "/v1/predictions/{id}/replay"): replay.run,
}
BATCH = (batch.Request, batch.run)
