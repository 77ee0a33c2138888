"""Who must sign what, by when, and what a signature is worth: requirement E5 as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from countersign.clock import parse_iso
from countersign.errors import (
    AlreadyDecidedError,
    ConflictError,
    ExpiredError,
    RequestError,
    RoleError,
    SelfApprovalError,
)
from countersign.http import ROLES

Kind = Literal["promotion", "retraining", "threshold", "rule-weights"]
Status = Literal["PENDING", "APPROVED", "REJECTED", "EXPIRED", "VOID"]
Verdict = Literal["approve", "reject"]

# The matrix: what changes → who signs. Where two rows apply, everyone of both signs.
MATRIX: dict[str, tuple[str, ...]] = {
    "model": ("ml-engineer", "team-lead"),
    "fraud": ("ml-engineer", "team-lead", "bsa-officer"),
    "compliance": ("ml-engineer", "bsa-officer"),
    "threshold": ("ml-engineer", "bsa-officer"),
    "rule-weights": ("ml-engineer", "team-lead", "bsa-officer"),
    "retraining": ("data-scientist",),
}
DEADLINES: dict[str, timedelta] = {
    "promotion": timedelta(days=7),
    "retraining": timedelta(days=3),
    "threshold": timedelta(days=7),
    "rule-weights": timedelta(days=7),
}
# People read at their own speed, however fast an environment's clock is told to run.
SHORTEST_DEADLINE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One role's signature. `via` is "api" or the ARN of the console machine's execution."""

    role: str
    person: str
    verdict: Verdict
    reason: str
    evidence_digest: str
    at: str
    via: str = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A request for signatures. `authors` are {person, role}; `revision` grows with each change."""

    approval_id: str
    use_case: str
    kind: str
    subject: dict[str, str]
    requested_by: str
    authors: tuple[dict[str, str], ...]
    required_roles: tuple[str, ...]
    evidence: dict[str, Any]
    evidence_digest: str
    opened_at: str
    deadline_at: str
    status: Status = "PENDING"
    revision: int = 1
    decisions: tuple[Decision, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    def missing(self) -> tuple[str, ...]:
        """The roles that have not decided yet."""
        decided = {decision.role for decision in self.decisions}
        return tuple(role for role in self.required_roles if role not in decided)


def required_roles(kind: str, approval_class: str) -> tuple[str, ...]:
    """The roles that must sign a change of `kind` for a use case of `approval_class`.

    Raises RequestError for a kind that no row of the matrix covers: nothing is approved by nobody.
    """
    if kind not in DEADLINES:
        raise RequestError(f"No approval is defined for {kind!r}; kinds are {', '.join(DEADLINES)}")
    rows = {kind} & set(MATRIX)
    if kind == "promotion":
        rows = {"model", approval_class} & set(MATRIX)
    needed = {role for row in rows for role in MATRIX[row]}
    return tuple(role for role in ROLES if role in needed)


def deadline(kind: str, opened: datetime, time_scale: float = 1.0) -> datetime:
    """When an approval opened at `opened` expires."""
    return opened + max(DEADLINES[kind] * time_scale, SHORTEST_DEADLINE)


def weigh(approval: Approval, decision: Decision, current_digest: str) -> Status:
    """The status after `decision`. One rejection rejects; the last missing signature approves.

    Raises
    ------
    SelfApprovalError      the person is an author; or the console names only a role that an author holds
    RoleError              the role is not one of those required
    AlreadyDecidedError    this role has decided, or the whole is decided
    ExpiredError           the deadline has passed
    ConflictError          the evidence is no longer what was asked about
    """
    refuse_author(approval.authors, decision.person, decision.role)
    if decision.role not in approval.required_roles:
        needed = ", ".join(approval.required_roles)
        raise RoleError(f"{approval.approval_id} needs {needed}; {decision.role} is none of them")
    if decision.role not in approval.missing() or approval.status in ("APPROVED", "REJECTED"):
        raise AlreadyDecidedError(f"{approval.approval_id} was decided by {decision.role} or whole")
    if approval.status == "VOID":
        raise ConflictError(f"{approval.approval_id} is void: its evidence changed; request anew")
    if approval.status == "EXPIRED" or parse_iso(decision.at) >= parse_iso(approval.deadline_at):
        raise ExpiredError(f"{approval.approval_id} expired at {approval.deadline_at}")
    if decision.evidence_digest != approval.evidence_digest:
        raise ConflictError("The decision names other evidence than the request; read it again")
    if current_digest != approval.evidence_digest:
        raise EvidenceChangedError(
            f"The evidence of {approval.approval_id} changed since the request, which is void now"
        )
    if decision.verdict == "reject":
        return "REJECTED"
    return "APPROVED" if approval.missing() == (decision.role,) else "PENDING"


class EvidenceChangedError(ConflictError):
    """What was to be signed is not what it was."""

    title = "The evidence changed"


def refuse_author(authors: Sequence[Mapping[str, str]], person: str, role: str) -> None:
    """Raise SelfApprovalError when `person` is an author.

    A person known only as `console:<role>` could be any holder of the role, so an author who holds it
    blocks the console for that role; the API knows the person.
    """
    unknown = person.startswith("console:")
    for author in authors:
        if author["person"] == person:
            raise SelfApprovalError(
                f"{person} proposed, requested or trained this; another must sign"
            )
        if unknown and author["role"] == role:
            raise SelfApprovalError(
                f"An author holds {role}, and the console knows no person; decide through the API"
            )
