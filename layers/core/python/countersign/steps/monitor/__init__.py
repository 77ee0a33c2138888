"""Watch production models: drift by the week; freshness, volume and performance by the day.

It proposes and tells; nothing here can start a training. Every check is a record in the lake, keyed by its
use case and period, so that firing twice does nothing twice:

    plan         {}                                  → {week, items: [{use_case, version, week}]}
    psi          {use_case, version, week}           → {status, worst_feature, psi_max, score_psi, drifted, …}
    alert        {use_case, version, week}           → {published, severity, trigger_id, …}
    freshness    {day?}                              → {day, verdict, results}
    volume       {use_case, version, day?}           → {day, verdict, observed, expected, …}
    performance  {use_case, version, day?}           → {day, verdict, metrics, …}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from countersign.aws.stores import Stores
from countersign.errors import FieldError, RequestError
from countersign.steps.monitor import alert, duty, plan, psi


@dataclass(frozen=True, slots=True)
class Request:
    """What to check. `week` is an ISO week (2026-W47), `day` a date; by default the last whole day."""

    action: str
    use_case: str = ""
    version: str = ""
    week: str = ""
    day: str = ""


def run(request: Request, stores: Stores) -> dict[str, Any]:
    """Do one check. Raises RequestError for an action nobody knows or a field it needs."""
    match request.action:
        case "plan":
            return plan.run(stores)
        case "psi":
            return psi.run(stores, needed(request, "use_case"), request.version, request.week)
        case "alert":
            return alert.run(stores, needed(request, "use_case"), needed(request, "week"))
        case "freshness":
            return duty.freshness(stores, request.day)
        case "volume":
            return duty.volume(stores, needed(request, "use_case"), request.day)
        case "performance":
            return duty.performance(
                stores, needed(request, "use_case"), request.version, request.day
            )
        case _:
            known = "plan, psi, alert, freshness, volume, performance"
            raise RequestError(
                f"No such check; known are {known}",
                errors=[FieldError("action", f"one of {known}")],
            )


def needed(request: Request, field: str) -> str:
    """The field of the request, or RequestError naming it."""
    value: str = getattr(request, field)
    if not value:
        raise RequestError(
            f"The check {request.action} needs {field}", errors=[FieldError(field, "a value")]
        )
    return value
