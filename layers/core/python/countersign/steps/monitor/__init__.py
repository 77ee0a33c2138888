"""Watch production models: drift by the week; freshness, volume and performance by the day.

And the feature store itself: a canary every five minutes, its error budget by the month.

It proposes and tells; nothing here can start a training. Every check is a record in the lake, keyed by its
use case and period, so that firing twice does nothing twice:

    plan         {}                                  → {week, items: [{use_case, version, week}]}
    psi          {use_case, version, week}           → {status, worst_feature, psi_max, score_psi, drifted, …}
    alert        {use_case, version, week}           → {published, severity, trigger_id, …}
    freshness    {day?}                              → {day, verdict, results}
    volume       {use_case, version, day?}           → {day, verdict, observed, expected, …}
    performance  {use_case, version, day?}           → {day, verdict, metrics, …}
    skew         {use_case, day?}                    → {day, verdict, compared, equal, lagging, skewed, …}
    cadence      {}                                  → {day, due, results}
    canary       {}                                  → {day, slot, available, error, …_ms}
    availability {month?}                            → {month, verdict, available_share, budget_minutes, …}
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from countersign.aws.stores import Stores
from countersign.errors import FieldError, RequestError
from countersign.steps.monitor import alert, cadence, canary, duty, plan, psi, skew


@dataclass(frozen=True, slots=True)
class Request:
    """What to check. `week` is an ISO week (2026-W47), `day` a date, `month` 2026-11.

    By default the last whole day, and the month in which it lies.
    """

    action: str
    use_case: str = ""
    version: str = ""
    week: str = ""
    day: str = ""
    month: str = ""


def run(request: Request, stores: Stores) -> dict[str, Any]:
    """Do one check. Raises RequestError for an action nobody knows or a field it needs."""
    check = CHECKS.get(request.action)
    if check is None:
        known = ", ".join(CHECKS)
        raise RequestError(
            f"No such check; known are {known}",
            errors=[FieldError("action", f"one of {known}")],
        )
    return check(request, stores)


def needed(request: Request, field: str) -> str:
    """The field of the request, or RequestError naming it."""
    value: str = getattr(request, field)
    if not value:
        raise RequestError(
            f"The check {request.action} needs {field}", errors=[FieldError(field, "a value")]
        )
    return value


CHECKS: dict[str, Callable[[Request, Stores], dict[str, Any]]] = {
    "plan": lambda r, stores: plan.run(stores),
    "psi": lambda r, stores: psi.run(stores, needed(r, "use_case"), r.version, r.week),
    "alert": lambda r, stores: alert.run(stores, needed(r, "use_case"), needed(r, "week")),
    "freshness": lambda r, stores: duty.freshness(stores, r.day),
    "volume": lambda r, stores: duty.volume(stores, needed(r, "use_case"), r.day),
    "performance": lambda r, stores: duty.performance(
        stores, needed(r, "use_case"), r.version, r.day
    ),
    "skew": lambda r, stores: skew.run(stores, needed(r, "use_case"), r.day),
    "cadence": lambda r, stores: cadence.run(stores),
    "canary": lambda r, stores: canary.run(stores),
    "availability": lambda r, stores: canary.availability(stores, r.month),
}
