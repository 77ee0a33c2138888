"""What really happened, joined to what was predicted. Every version is kept; the one known last stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.declare import RequestField
from countersign.errors import CountersignError, DataError, FieldError, RequestError, RoleError
from countersign.http import HttpRequest, HttpResponse
from countersign.serving.validate import compile_fields, read_body

MAX_OUTCOMES = 100
MAY_RECORD = frozenset({"scoring-client", "operator"})
CLOCK_SKEW = timedelta(minutes=5)

_COMMON = (
    RequestField(path="prediction_id", type="string", pattern="[0-9a-f]{32}"),
    RequestField(path="known_at", type="timestamp"),
    RequestField(path="note", type="string", required=False, max_length=500),
)
_YES_OR_NO = RequestField(path="label", type="integer", minimum=0, maximum=1)
_CLASS = RequestField(path="label", type="string")
_FIELDS = compile_fields((*_COMMON, _YES_OR_NO))
# Which names there are is known once the prediction is: its use case declares them.
_FIELDS_OF_CLASSES = compile_fields((*_COMMON, _CLASS))


def run(request: HttpRequest, stores: Stores) -> HttpResponse:
    """POST /v1/outcomes: one outcome, or up to 100 as a list or under `outcomes`.

    One answers 200 or its own error. Many answer 200 when all were recorded, else 207 with a status
    for each: the good ones are recorded whatever the others are.
    """
    if request.caller.role not in MAY_RECORD:
        raise RoleError("Outcomes are recorded by scoring clients and operators")
    clients_own = request.caller.role == "scoring-client"
    tenant = request.caller.tenant if clients_own else None
    many = _as_list(request.body)
    if many is None:
        recorded = record(request.body, stores, tenant=tenant, person=request.caller.person)
        return HttpResponse(200, recorded)
    results = [
        _attempt(body, row, stores, tenant=tenant, person=request.caller.person)
        for row, body in enumerate(many)
    ]
    status = 200 if all(result["status"] == 200 for result in results) else 207
    return HttpResponse(status, {
        "recorded": sum(result["status"] == 200 for result in results),
        "results": results,
    })  # fmt: skip


def record(
    body: Any, stores: Stores, *, tenant: str | None, person: str, row: int | None = None
) -> dict[str, Any]:
    """Record one outcome. Raises DataError, NotFoundError, ConflictError."""
    named = isinstance(body, Mapping) and isinstance(body.get("label"), str)
    given = read_body(_FIELDS_OF_CLASSES if named else _FIELDS, body, row=row)
    if given["known_at"] > iso(stores.clock.now() + CLOCK_SKEW):
        raise DataError(
            "An outcome cannot be known in the future",
            errors=[FieldError("known_at", "a moment that has passed", row)],
        )
    logged = stores.predictions.get(given["prediction_id"], tenant=tenant)
    refuse_foreign_label(logged.use_case, given["label"], row)
    outcome = {
        "label": given["label"],
        "known_at": given["known_at"],
        "recorded_by": person,
        "note": given["note"] or "",
    }
    entry = stores.predictions.add_outcome(given["prediction_id"], outcome, tenant=tenant)
    return {
        "prediction_id": given["prediction_id"],
        "outcome_version": entry["version"],
        "label": entry["label"],
        "known_at": entry["known_at"],
    }


def refuse_foreign_label(use_case: str, label: int | str, row: int | None = None) -> None:
    """Raise DataError unless `label` is one that predictions of `use_case` can have."""
    classes = use_cases.get(use_case).label.classes
    known: tuple[int | str, ...] = classes or (0, 1)
    if label not in known or isinstance(label, str) != bool(classes):
        expected = f"one of {', '.join(map(str, known))}"
        raise DataError(
            f"Not an outcome of {use_case}", errors=[FieldError("label", expected, row)]
        )


def _as_list(body: Any) -> list[Any] | None:
    """The outcomes of a body that holds many, or None for a single one."""
    many = body.get("outcomes") if isinstance(body, Mapping) and set(body) == {"outcomes"} else body
    if not isinstance(many, list):
        return None
    if not 1 <= len(many) <= MAX_OUTCOMES:
        raise RequestError(f"Send 1 to {MAX_OUTCOMES} outcomes at once")
    return many


def _attempt(
    body: Any, row: int, stores: Stores, *, tenant: str | None, person: str
) -> dict[str, Any]:
    try:
        return {"status": 200, **record(body, stores, tenant=tenant, person=person, row=row)}
    except CountersignError as error:
        problem = error.problem("")
        return {
            "row": row,
            **{k: problem[k] for k in ("status", "type", "title", "detail", "errors")},
        }


ROUTES: dict[tuple[str, str], Callable[[HttpRequest, Stores], HttpResponse]] = {
    ("POST", "/v1/outcomes"): run,
}
