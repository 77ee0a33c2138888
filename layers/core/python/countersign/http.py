"""The words of an HTTP exchange: request, response, and who is calling."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from countersign.errors import CountersignError, ForbiddenError

ROLES = (
    "ml-engineer",
    "data-scientist",
    "team-lead",
    "bsa-officer",
    "operator",
    "auditor",
    "scoring-client",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, from the signature of the request and never from its body."""

    arn: str
    person: str
    role: str
    tenant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A decoded request. `headers` have lower-case names; `body` is decoded JSON or None."""

    method: str
    resource: str
    path_params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    raw_body: str = ""
    caller: Caller
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A status and a JSON document, or `text` that is already JSON (a logged answer, verbatim)."""

    status: int
    document: Any = None
    text: str = ""
    content_type: str = "application/json"

    def as_proxy(self) -> dict[str, Any]:
        """The shape API Gateway expects of a proxy integration."""
        body = self.text or json.dumps(self.document, allow_nan=False, separators=(",", ":"))
        return {
            "statusCode": self.status,
            "headers": {"Content-Type": self.content_type, "Cache-Control": "no-store"},
            "body": body,
        }


def problem_response(error: CountersignError, request_id: str) -> HttpResponse:
    """RFC 9457."""
    return HttpResponse(
        error.status, error.problem(request_id), content_type="application/problem+json"
    )


def caller_from(event: Mapping[str, Any]) -> Caller:
    """Who signed the request.

    `arn:aws:iam::…:user/countersign/<role>/<person>` for a user, and
    `arn:aws:sts::…:assumed-role/countersign-<environment>-<role>/<person>` for a role's session.
    A scoring client's tenant is its own name; every other role works for the tenant `default`.
    """
    arn = str(event.get("requestContext", {}).get("identity", {}).get("userArn") or "")
    return caller_from_arn(arn)


def caller_from_arn(arn: str) -> Caller:
    """The caller that an IAM ARN names. Raises ForbiddenError for an ARN that names no role of ours."""
    kind, _, path = arn.rpartition(":")[2].partition("/")
    parts = path.split("/")
    person = parts[-1]
    if kind == "user" and len(parts) == 3 and parts[0] == "countersign":
        role = parts[1]
    elif kind == "assumed-role" and len(parts) == 2 and parts[0].startswith("countersign-"):
        role = parts[0].split("-", 2)[2]
    else:
        role = ""
    if role not in ROLES:
        raise ForbiddenError("This identity holds no Countersign role; sign with one that does")
    return Caller(arn, person, role, person if role == "scoring-client" else "default")
