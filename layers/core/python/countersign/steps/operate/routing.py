"""How requests are shared between champion and challenger."""

from __future__ import annotations

from typing import Any

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.errors import FieldError, RequestError
from countersign.governance.experiment_policy import refuse_type
from countersign.governance.pointer import Pointer
from countersign.http import HttpRequest, HttpResponse
from countersign.steps.operate.body import fields


def show(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/serving/routing: per use case who answers what share of the cohorts."""
    routing = [
        shares(name, len(use_case.rollout.cohorts), stores.registry.pointer(name))
        for name, use_case in use_cases.all_use_cases().items()
    ]
    return HttpResponse(200, {"routing": routing})


def change(request: HttpRequest, stores: Stores) -> HttpResponse:
    """POST /v1/serving/routing {use_case, champion_pct, challenger_pct}.

    A share of workers by chance is refused with what is allowed instead; 100 to the champion is what
    stands without a rollout, and is answered as it is.
    """
    wanted = {"use_case": str, "champion_pct": float, "challenger_pct": float}
    asked = fields(request, wanted)
    use_case = use_cases.get(asked["use_case"])
    if asked["champion_pct"] + asked["challenger_pct"] != 100 or asked["champion_pct"] < 0:
        raise RequestError(
            "The shares sum to 100", errors=[FieldError("challenger_pct", "100 - champion_pct")]
        )
    if asked["challenger_pct"] != 0:
        refuse_type(use_case, "percentage")
    pointer = stores.registry.pointer(use_case.name)
    return HttpResponse(200, shares(use_case.name, len(use_case.rollout.cohorts), pointer))


def shares(name: str, cohorts: int, pointer: Pointer) -> dict[str, Any]:
    """Champion and challenger by their share of the declared cohorts."""
    rollout, champion = pointer["rollout"], pointer["champion"]
    share = 100 * len(rollout["cohorts"]) / cohorts if rollout and cohorts else 0.0
    return {
        "use_case": name,
        "epoch": pointer["epoch"],
        "champion": champion["version"] if champion else None,
        "champion_pct": round(100 - share, 1),
        "challenger": rollout["version"] if rollout else None,
        "challenger_pct": round(share, 1),
        "by": "cohort",
        "cohorts": rollout["cohorts"] if rollout else [],
        "shadows": [s["version"] for s in pointer["shadows"]],
        "kill_switch": pointer["kill_switch"],
    }
