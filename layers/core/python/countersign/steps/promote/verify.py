"""Ask the serving function itself what it serves."""

from __future__ import annotations

from typing import Any

from countersign.aws.registry_serving import serving_now
from countersign.aws.stores import Stores
from countersign.steps.promote.asked import ACTOR, Request


def run(stores: Stores, asked: Request) -> dict[str, Any]:
    """Compare what answers with the pointer: version, digest, epoch, and that the model loads.

    `version` names what ought to serve; empty when a first rollout was undone and nothing does.
    """
    pointer = stores.registry.pointer(asked.use_case)
    served = serving_now(stores.settings, asked.use_case)
    champion = pointer["champion"]
    expected = (champion["version"], champion["digest"]) if champion else (None, None)
    agrees = (served.get("version"), served.get("digest")) == expected
    verified = (
        agrees
        and int(served.get("epoch") or 0) >= pointer["epoch"]
        and (asked.version or None) == expected[0]
        and not any(v.get("problem") for v in served.get("serving", ()))
    )
    facts = {
        "version": served.get("version"),
        "digest": served.get("digest"),
        "epoch": served.get("epoch"),
        "health": served.get("health"),
        "verified": bool(verified),
    }
    stores.audit.append(asked.use_case, "serving-verified", ACTOR, facts)
    return facts
