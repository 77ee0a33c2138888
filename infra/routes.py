"""Every route of the API, one row: who answers it, and which human roles may call it.

`resource` is the key under which the function finds its route, so the two must be the same text;
a test holds them together. Scoring routes come from the declared use cases.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from countersign import use_cases
from countersign.declare import RequestField, UseCase

ROLES = (
    "ml-engineer",
    "data-scientist",
    "team-lead",
    "bsa-officer",
    "operator",
    "auditor",
    "scoring-client",
)
EVERYONE = frozenset(ROLES)
PEOPLE = EVERYONE - {"scoring-client"}
APPROVERS = frozenset({"ml-engineer", "data-scientist", "team-lead", "bsa-officer"})
MODELLERS = frozenset({"ml-engineer", "data-scientist"})
PROPOSERS = MODELLERS | {"operator"}
OPERATORS = frozenset({"operator"})
STOPPERS = frozenset({"ml-engineer", "team-lead", "bsa-officer", "operator"})
KEEPERS = frozenset({"team-lead", "bsa-officer"})
CLIENTS = frozenset({"scoring-client", "operator", "ml-engineer"})
REPLAYERS = frozenset({"auditor", "operator", "ml-engineer"})
RELOADERS = frozenset({"operator", "ml-engineer"})
REPORTERS = frozenset({"scoring-client", "operator"})

MODEL = "/v1/models/{use_case}"
# Every other type, a date or a timestamp too, is a string on the wire.
JSON_TYPES: dict[str, str] = {"integer": "integer", "number": "number", "boolean": "boolean"}


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one resource. `schema` (JSON Schema, draft 4) is checked at the edge."""

    method: str
    resource: str
    function: str
    roles: frozenset[str]
    schema: dict[str, Any] = field(default_factory=dict)

    @property
    def arn_path(self) -> str:
        """Its end of an `execute-api` ARN: `POST/v1/models/*/rollback`."""
        parts = ["*" if part.startswith("{") else part for part in self.resource.split("/")]
        return self.method + "/".join(parts)

    @property
    def metered(self) -> bool:
        """Whether a client's usage plan counts it."""
        return "scoring-client" in self.roles and self.method == "POST"


OPERATIONS: tuple[Route, ...] = (
    Route("GET", "/v1/health", "operate", EVERYONE),
    Route("GET", "/v1/predictions/{id}", "operate", PEOPLE),
    Route("GET", "/v1/predictions/{id}/replay", "score", REPLAYERS),
    Route("POST", "/v1/serving/reload", "score", RELOADERS),
    Route("GET", "/v1/serving/routing", "operate", PEOPLE),
    Route("POST", "/v1/serving/routing", "operate", MODELLERS),
    Route("GET", "/v1/serving/monitoring", "score", PEOPLE),
    Route("GET", "/v1/models", "operate", PEOPLE),
    Route("GET", MODEL, "operate", PEOPLE),
    Route("GET", f"{MODEL}/versions/{{version}}", "operate", PEOPLE),
    Route("GET", f"{MODEL}/versions/{{version}}/lineage", "operate", PEOPLE),
    Route("GET", f"{MODEL}/versions/{{version}}/card", "operate", PEOPLE),
    Route("POST", f"{MODEL}/versions/{{version}}/archive", "operate", MODELLERS),
    Route("POST", f"{MODEL}/versions/{{version}}/deletion", "operate", KEEPERS),
    Route("GET", f"{MODEL}/at", "operate", PEOPLE),
    Route("GET", f"{MODEL}/compare", "operate", PEOPLE),
    Route("GET", f"{MODEL}/retraining", "operate", PEOPLE),
    Route("POST", f"{MODEL}/retraining", "operate", PROPOSERS),
    Route("POST", f"{MODEL}/shadows", "operate", MODELLERS),
    Route("POST", f"{MODEL}/promotion", "operate", MODELLERS),
    Route("POST", f"{MODEL}/rollback", "operate", STOPPERS),
    Route("POST", f"{MODEL}/kill-switch", "operate", STOPPERS),
    Route("GET", "/v1/approvals", "operate", PEOPLE),
    Route("GET", "/v1/approvals/{id}", "operate", PEOPLE),
    Route("POST", "/v1/approvals/{id}/decision", "operate", APPROVERS),
    Route("GET", "/v1/experiments", "operate", PEOPLE),
    Route("POST", "/v1/experiments", "operate", MODELLERS),
    Route("POST", "/v1/experiments/{id}/conclude", "operate", MODELLERS),
    Route("GET", "/v1/features", "operate", PEOPLE),
    Route("GET", "/v1/features/{view}/{entity_id}", "operate", PEOPLE),
    Route("GET", "/v1/lineage/features/{view}/{feature}", "operate", PEOPLE),
    Route("GET", "/v1/data-quality", "operate", PEOPLE),
    Route("POST", "/v1/data-quality/{use_case}/acknowledgement", "operate", OPERATORS),
    Route("GET", "/v1/audit/{use_case}", "operate", PEOPLE),
    Route("GET", "/v1/audit/{use_case}/verify", "operate", PEOPLE),
)
OUTCOMES = Route("POST", "/v1/outcomes", "record_outcome", REPORTERS, {"type": "object"})


def routes() -> tuple[Route, ...]:
    """Every route, the scoring ones first; those answer with and without the version's prefix."""
    scoring = tuple(
        Route("POST", path, "score", CLIENTS, body_schema(use_case))
        for use_case in use_cases.all_use_cases().values()
        for path in (use_case.api_path, use_case.api_path.removeprefix("/v1"))
    )
    return (*scoring, OUTCOMES, *OPERATIONS)


def body_schema(use_case: UseCase) -> dict[str, Any]:
    """The JSON Schema of a use case's scoring body. Unknown fields are refused at every level."""
    schema = empty_object()
    # Idempotency-Key may also come as a header, so the body may go without it.
    schema["properties"]["idempotency_key"] = {"type": "string", "minLength": 1, "maxLength": 128}
    for declared in use_case.request_fields:
        node = schema
        *parents, name = declared.path.split(".")
        for parent in parents:
            inner = node["properties"].setdefault(parent, empty_object())
            require(node, parent, declared.required)
            node = inner
        node["properties"][name] = field_schema(declared)
        require(node, name, declared.required)
    return schema


def empty_object() -> dict[str, Any]:
    """An object that has no properties yet."""
    return {"type": "object", "properties": {}, "additionalProperties": False}


def require(node: dict[str, Any], name: str, needed: bool) -> None:
    """Mark a property as required; draft 4 has no empty list of them."""
    if needed and name not in node.get("required", ()):
        node.setdefault("required", []).append(name)


def field_schema(declared: RequestField) -> dict[str, Any]:
    """One field's type and limits."""
    schema: dict[str, Any] = {"type": JSON_TYPES.get(declared.type, "string")}
    if schema["type"] == "string":
        schema |= {"minLength": 1, "maxLength": declared.max_length}
        if declared.pattern:
            schema["pattern"] = declared.pattern
    if declared.minimum is not None:
        schema["minimum"] = declared.minimum
    if declared.maximum is not None:
        schema["maximum"] = declared.maximum
    return schema
