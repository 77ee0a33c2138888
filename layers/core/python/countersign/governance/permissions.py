"""Which role may call which route of the operations API. IAM says the same; the function checks again."""

from __future__ import annotations

from countersign.errors import RoleError
from countersign.http import ROLES

EVERYONE = frozenset(ROLES)
PEOPLE = EVERYONE - {"scoring-client"}
APPROVERS = frozenset({"ml-engineer", "data-scientist", "team-lead", "bsa-officer"})
MODELLERS = frozenset({"ml-engineer", "data-scientist"})
PROPOSERS = MODELLERS | {"operator"}
OPERATORS = frozenset({"operator"})
STOPPERS = frozenset({"ml-engineer", "team-lead", "bsa-officer", "operator"})
KEEPERS = frozenset({"team-lead", "bsa-officer"})

MODEL = "/v1/models/{use_case}"
MAY_CALL: dict[tuple[str, str], frozenset[str]] = {
    ("GET", "/v1/health"): EVERYONE,
    ("GET", "/v1/predictions/{id}"): PEOPLE,
    ("GET", "/v1/serving/routing"): PEOPLE,
    ("POST", "/v1/serving/routing"): MODELLERS,
    ("GET", "/v1/models"): PEOPLE,
    ("GET", MODEL): PEOPLE,
    ("GET", f"{MODEL}/versions/{{version}}"): PEOPLE,
    ("GET", f"{MODEL}/versions/{{version}}/lineage"): PEOPLE,
    ("GET", f"{MODEL}/versions/{{version}}/card"): PEOPLE,
    ("POST", f"{MODEL}/versions/{{version}}/archive"): MODELLERS,
    ("POST", f"{MODEL}/versions/{{version}}/deletion"): KEEPERS,
    ("GET", f"{MODEL}/at"): PEOPLE,
    ("GET", f"{MODEL}/compare"): PEOPLE,
    ("GET", f"{MODEL}/retraining"): PEOPLE,
    ("POST", f"{MODEL}/retraining"): PROPOSERS,
    ("POST", f"{MODEL}/shadows"): MODELLERS,
    ("POST", f"{MODEL}/promotion"): MODELLERS,
    ("POST", f"{MODEL}/rollback"): STOPPERS,
    ("POST", f"{MODEL}/kill-switch"): STOPPERS,
    ("GET", "/v1/approvals"): PEOPLE,
    ("GET", "/v1/approvals/{id}"): PEOPLE,
    ("POST", "/v1/approvals/{id}/decision"): APPROVERS,
    ("GET", "/v1/experiments"): PEOPLE,
    ("POST", "/v1/experiments"): MODELLERS,
    ("POST", "/v1/experiments/{id}/conclude"): MODELLERS,
    ("GET", "/v1/features"): PEOPLE,
    ("GET", "/v1/features/{view}/{entity_id}"): PEOPLE,
    ("GET", "/v1/lineage/features/{view}/{feature}"): PEOPLE,
    ("GET", "/v1/data-quality"): PEOPLE,
    ("POST", "/v1/data-quality/{use_case}/acknowledgement"): OPERATORS,
    ("GET", "/v1/audit/{use_case}"): PEOPLE,
    ("GET", "/v1/audit/{use_case}/verify"): PEOPLE,
}


def refuse(method: str, resource: str, role: str) -> None:
    """Raise RoleError unless `role` may call the route; a route that nobody was given is refused to all."""
    allowed = MAY_CALL.get((method, resource), frozenset())
    if role not in allowed:
        needed = ", ".join(r for r in ROLES if r in allowed) or "a role that this route has not"
        raise RoleError(f"{method} {resource} needs {needed}")
