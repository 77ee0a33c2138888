"""Reading a request: its body's fields by name and type, its repeat key, a route behind its role."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Any

from countersign.aws.stores import Stores
from countersign.errors import FieldError, RequestError
from countersign.governance import permissions
from countersign.http import HttpRequest, HttpResponse

Answer = Callable[[HttpRequest, Stores], HttpResponse]
LONGEST = 500


def guarded(answer: Answer) -> Answer:
    """The route, for the roles that it names."""

    def route(request: HttpRequest, stores: Stores) -> HttpResponse:
        permissions.refuse(request.method, request.resource, request.caller.role)
        return answer(request, stores)

    return route


def fields(
    request: HttpRequest, needed: dict[str, type], optional: dict[str, type] | None = None
) -> dict[str, Any]:
    """The body, whose fields are exactly these. Raises RequestError naming the fields, never values."""
    body, known = request.body, {**needed, **(optional or {})}
    if not isinstance(body, dict):
        raise RequestError("The body is a JSON object", errors=[FieldError("body", "an object")])
    wrong = [FieldError(n, "a declared field") for n in sorted(set(body) - set(known))]
    wrong += [FieldError(n, "a value") for n in sorted(set(needed) - set(body))]
    for name, kind in known.items():
        if name in body and not _is(body[name], kind):
            wrong.append(FieldError(name, f"a {kind.__name__} of at most {LONGEST} characters"))
    if wrong:
        names = ", ".join(error.field for error in wrong)
        raise RequestError(f"Unknown, missing or mistyped: {names}", errors=wrong)
    return dict(body)


def _is(value: Any, kind: type) -> bool:
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind is str:
        return isinstance(value, str) and 0 < len(value) <= LONGEST
    return isinstance(value, (int, float) if kind is float else kind)


def repeat_key(request: HttpRequest) -> str:
    """What makes a repeat of this request the same: Idempotency-Key, else the request's own id."""
    given = request.headers.get("idempotency-key") or request.request_id or str(uuid.uuid4())
    named = f"{request.caller.person}#{request.resource}#{given}"
    return hashlib.sha256(named.encode()).hexdigest()[:16]
