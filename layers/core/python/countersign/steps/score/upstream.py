"""Ask the models whose scores are inputs here, of the same request, before the model itself is asked.

A score that the caller states stands: it is what was said at the time. One that is not stated is asked of
the upstream's verified champion, in this worker, from the same batch read and within the same deadline,
if the request holds all that the upstream needs. Otherwise it is null, as training fills it, and the
answer says why. The log keeps who said what, and the score stands in the logged vector.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from countersign import use_cases
from countersign.aws.online import Key, OnlineRow
from countersign.aws.stores import Stores
from countersign.declare import UseCase
from countersign.errors import (
    CountersignError,
    NotFoundError,
    StaleFeatureError,
    TransientError,
)
from countersign.governance.quality_block import is_raised
from countersign.serving.fallback import call_failure, call_model, load_failure, with_model
from countersign.serving.prediction import UPSTREAM
from countersign.serving.routing import route
from countersign.serving.vector import Vector, settle_ids, whole_vector
from countersign.steps.score.keys import view_keys
from countersign.steps.score.worker import Seat, Worker


@dataclass(frozen=True, slots=True)
class Heard:
    """`row` with a score of each upstream, or null; what was said, by use case; why one is absent."""

    row: Mapping[str, Any]
    said: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()


class _AbsentError(Exception):
    """An upstream gave no score; the message is the reason."""


def column(upstream: str) -> str:
    """The column of a row that holds the score of `upstream`."""
    return f"{upstream}_score"


def asked_for(use_case: UseCase, row: Mapping[str, Any]) -> list[UseCase]:
    """The upstream use cases that can be asked: no score is stated, and all they need is."""
    return [
        upstream
        for upstream in map(use_cases.get, use_case.upstream)
        if row.get(column(upstream.name)) is None and _is_whole(upstream, row)
    ]


def more_keys(asked: Sequence[UseCase], row: Mapping[str, Any]) -> list[Key]:
    """The views that they need, to be read with those of the use case itself."""
    return [key for upstream in asked for key in view_keys(upstream, row)]


def listen(
    use_case: UseCase,
    asked: Sequence[UseCase],
    row: Mapping[str, Any],
    values: Mapping[Key, OnlineRow],
    *,
    stores: Stores,
    now: datetime,
) -> Heard:
    """Ask each upstream once, champions only; a failure is a null and a reason, never an error."""
    give_up_at = time.monotonic() + use_case.deadline_ms / 1000
    able = {upstream.name for upstream in asked}
    scores: dict[str, float | None] = {}
    said: dict[str, Mapping[str, Any]] = {}
    degraded: list[str] = []
    for name in use_case.upstream:
        if row.get(column(name)) is not None:
            continue
        try:
            if name not in able:
                raise _AbsentError("incomplete")
            said[name] = _ask(Worker.of(stores).seat(name), row, values, stores, now, give_up_at)
        except _AbsentError as absent:
            degraded.append(f"{UPSTREAM}{absent}:{name}")
        scores[column(name)] = said[name]["score"] if name in said else None
    return Heard({**row, **scores}, said, tuple(degraded))


def _is_whole(upstream: UseCase, row: Mapping[str, Any]) -> bool:
    needed = [f.path.rpartition(".")[2] for f in upstream.request_fields if f.required]
    return all(row.get(name) is not None for name in needed)


def _ask(
    seat: Seat,
    row: Mapping[str, Any],
    values: Mapping[Key, OnlineRow],
    stores: Stores,
    now: datetime,
    give_up_at: float,
) -> dict[str, Any]:
    """What the champion of an upstream says. Raises _AbsentError."""
    name, worker = seat.use_case.name, Worker.of(stores)
    row, vector = _vector(seat, row, values, stores, now)
    taken = route(seat.pointer, str(row.get(seat.use_case.rollout.cohort_column) or ""))
    if not taken.candidates:
        raise _AbsentError(taken.degraded[0])
    ref = taken.candidates[0]
    left_ms = (give_up_at - time.monotonic()) * 1000
    try:
        session = worker.session(name, ref)
    except Exception as error:  # whatever is wrong with it, the answer goes on without it
        raise _AbsentError(load_failure(error)) from error
    try:
        heard = call_model(session, ref, vector.features, worker.models(name), left_ms)
    except Exception as error:
        raise _AbsentError(call_failure(error)) from error
    verdict = with_model(session, ref, vector.features, heard)
    return {
        "score": verdict.score,
        "version": ref.version,
        "digest": ref.digest,
        "epoch": taken.epoch,
    }


def _vector(
    seat: Seat,
    row: Mapping[str, Any],
    values: Mapping[Key, OnlineRow],
    stores: Stores,
    now: datetime,
) -> tuple[Mapping[str, Any], Vector]:
    """The upstream's own vector, past its own gates. Raises _AbsentError."""
    use_case = seat.use_case
    own = set(view_keys(use_case, row))
    try:
        if seat.pointer_due(now):
            standing = stores.online.read([], with_standing=use_case.name)[1]
            if standing is not None:
                seat.take_standing(standing.pointer, standing.block, now)
        if is_raised(seat.block):
            raise _AbsentError("blocked")
        held = {key: found for key, found in values.items() if key in own}
        settled = settle_ids(use_case, row, held)
        return settled, whole_vector(use_case, settled, held, now)
    except StaleFeatureError as error:
        raise _AbsentError("stale") from error
    except NotFoundError as error:
        raise _AbsentError("unknown") from error
    except TransientError as error:
        raise _AbsentError("unavailable") from error
    except CountersignError as error:
        raise _AbsentError("refused") from error
