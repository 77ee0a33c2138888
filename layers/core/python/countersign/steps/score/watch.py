"""What a scoring worker serves, and making it look again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from countersign import use_cases
from countersign.aws.blocks import Blocks
from countersign.aws.stores import Stores
from countersign.errors import CountersignError, RoleError
from countersign.governance.quality_block import is_raised
from countersign.http import ROLES, HttpRequest, HttpResponse
from countersign.serving.routing import served
from countersign.steps.score.worker import Seat, Tally, Worker

MAY_WATCH = frozenset(ROLES) - {"scoring-client"}
MAY_RELOAD = frozenset({"operator", "ml-engineer"})


def monitoring(request: HttpRequest, stores: Stores) -> HttpResponse:
    """Per use case: version, digest, epoch, whether it is loaded and well, and this worker's counts."""
    if request.caller.role not in MAY_WATCH:
        raise RoleError("Serving is shown to staff, not to scoring clients")
    return HttpResponse(200, {"use_cases": survey(stores)})


def reload(request: HttpRequest, stores: Stores) -> HttpResponse:
    """Forget pointer and models, read and load them anew, and say what is served now.

    Other workers follow within a second by themselves: they re-read the pointer.
    """
    if request.caller.role not in MAY_RELOAD:
        raise RoleError("Reloading needs the role operator or ml-engineer")
    Worker.of(stores).forget()
    return HttpResponse(200, {"use_cases": survey(stores, load=True)})


def survey(stores: Stores, *, load: bool = False) -> dict[str, Any]:
    """What each use case is served by, by name."""
    worker = Worker.of(stores)
    return {
        name: _one(stores, worker, worker.seat(name), load=load)
        for name in use_cases.all_use_cases()
    }


def _one(stores: Stores, worker: Worker, seat: Seat, *, load: bool) -> dict[str, Any]:
    name, now = seat.use_case.name, stores.clock.now()
    if seat.pointer_due(now):
        seat.take_standing(stores.registry.pointer(name), Blocks.of(stores).find(name), now)
    pointer: Mapping[str, Any] = seat.pointer or {}
    versions = []
    for ref in served(pointer):
        problem = ""
        if load:
            try:
                worker.session(name, ref)
            except CountersignError as error:
                problem = type(error).__name__
        versions.append(
            {
                "version": ref.version,
                "digest": ref.digest,
                "loaded": worker.is_loaded(name, ref),
                "problem": problem or worker.problem(name, ref),
            }
        )
    champion: Mapping[str, Any] = pointer.get("champion") or {}
    return {
        "version": champion.get("version"),
        "digest": champion.get("digest"),
        "epoch": int(pointer.get("epoch") or 0),
        "kill_switch": bool(pointer.get("kill_switch")),
        "loaded": any(v["loaded"] for v in versions if v["version"] == champion.get("version")),
        "blocked": is_raised(seat.block),
        "health": "blocked" if is_raised(seat.block) else _health(pointer, versions),
        "serving": versions,
        "worker": _counts(seat.tally),
    }


def _health(pointer: Any, versions: list[dict[str, Any]]) -> str:
    if pointer.get("kill_switch"):
        return "rules-only"
    if not versions:
        return "no-champion"
    return "degraded" if any(v["problem"] for v in versions) else "ok"


def _counts(tally: Tally) -> dict[str, Any]:
    latencies, scores = sorted(tally.latency_ms), sorted(tally.scores)
    return {
        "counts": dict(tally.outcomes),
        "latency_ms": {f"p{p}": _percentile(latencies, p) for p in (50, 95, 99)},
        "score": {f"p{p}": _percentile(scores, p) for p in (5, 50, 95)},
    }


def _percentile(ordered: list[float], percent: int) -> float | None:
    """The nearest-rank percentile, or None of nothing."""
    if not ordered:
        return None
    return round(ordered[max(0, -(-percent * len(ordered) // 100) - 1)], 6)
