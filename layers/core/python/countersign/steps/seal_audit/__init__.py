"""Write the heads of every audit chain where nobody can change them. Event: events/seal_audit.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from countersign.aws.audit import Seals
from countersign.aws.session import client
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.errors import CountersignError


@dataclass(frozen=True, slots=True)
class Request:
    """`date` only names the day in a log; the heads are those of now."""

    date: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """Scope → {seq, hash}, the sealed object's key, and whether it is locked."""

    heads: dict[str, Any]
    key: str
    locked: bool


def run(request: Request, stores: Stores) -> Result:
    """Verify each chain against what was sealed before, then seal its head.

    A broken chain is not sealed over: the others are sealed, and the step fails with what was found
    and where, so that the alarm on its errors rings. A seal that is not locked is none, except locally:
    the emulator's CloudFormation drops a bucket's lock.
    """
    seals = Seals(client("s3"), stores.settings.require("seal_bucket"))
    heads, broken = {}, {}
    for scope in stores.audit.scopes():
        report = stores.audit.verify(scope, seals.heads(scope))
        if report.valid:
            heads[scope] = stores.audit.head(scope)
        else:
            broken[scope] = f"{report.problem} at {report.at_seq}: {report.detail}"
    key, locked = seals.write(heads, iso(stores.clock.now()))
    if not locked and stores.settings.environment != "local":
        raise CountersignError(f"{key} is not locked in compliance mode; fix the seal bucket")
    if broken:
        raise CountersignError(
            "Audit chains do not verify: " + "; ".join(f"{s}: {why}" for s, why in broken.items())
        )
    return Result({s: {"seq": h.seq, "hash": h.hash} for s, h in heads.items()}, key, locked)
