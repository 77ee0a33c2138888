"""The audit chain of a use case, and its proof."""

from __future__ import annotations

from dataclasses import asdict

from countersign.aws.audit import Seals
from countersign.aws.session import client
from countersign.aws.stores import Stores
from countersign.errors import FieldError, NotFoundError, RequestError
from countersign.http import HttpRequest, HttpResponse

PAGE = 200


def entries(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/audit/{use_case}?after=<seq>: 200 entries at a time, in order."""
    scope = known_scope(request, stores)
    after = request.query.get("after", "0")
    if not after.isdecimal() or len(after) > 12:
        raise RequestError("`after` is a sequence number", errors=[FieldError("after", "a number")])
    found = stores.audit.entries(scope, after=int(after), limit=PAGE)
    following = found[-1].seq if len(found) == PAGE else None
    document = {"scope": scope, "entries": [e.as_dict() for e in found], "next_after": following}
    return HttpResponse(200, document)


def verify(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET …/verify: the chain recomputed and held against its sealed heads."""
    scope = known_scope(request, stores)
    seals = Seals(client("s3"), stores.settings.require("seal_bucket"))
    report = stores.audit.verify(scope, seals.heads(scope))
    return HttpResponse(200, asdict(report))


def known_scope(request: HttpRequest, stores: Stores) -> str:
    """The scope of the path. Raises NotFoundError for one that was never written to."""
    scope = request.path_params["use_case"]
    if scope not in stores.audit.scopes():
        raise NotFoundError(f"No audit chain {scope!r}")
    return scope
