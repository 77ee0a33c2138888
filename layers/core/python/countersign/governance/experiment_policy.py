"""Which experiments may run at all: nobody's pay depends on a coin, and none is too small to tell."""

from __future__ import annotations

from countersign.declare import UseCase
from countersign.errors import ForbiddenError, RequestError

ALLOWED = (
    "shadow (any challenger scores along, unseen) and the staged rollout by cohort of a promotion"
)


def refuse_type(use_case: UseCase, test_type: str) -> None:
    """Raise ForbiddenError for an experiment in which workers would be treated differently by chance."""
    if test_type == "shadow":
        return
    if test_type in ("ab", "canary", "percentage"):
        raise ForbiddenError(
            f"{use_case.name} touches people's pay: workers are never randomised between models. "
            f"Allowed are {ALLOWED}"
        )
    raise RequestError(f"An experiment is of type shadow; {ALLOWED}")


def refuse_underpowered(needed: int, daily: float, days: int) -> None:
    """Raise RequestError when the planned time cannot bring the observations that power takes."""
    planned = daily * days
    if planned < needed:
        raise RequestError(
            f"{planned:.0f} observations in {days} days cannot tell the rates apart; it takes "
            f"{needed}: about {needed / daily:.0f} days at this volume"
        )
