"""What data quality blocks, and a person lifting it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from countersign import use_cases
from countersign.aws.blocks import Blocks
from countersign.aws.stores import Stores
from countersign.governance.quality_block import is_raised
from countersign.http import HttpRequest, HttpResponse
from countersign.steps.operate.body import fields

TOLD = (
    "status", "raised_at", "day", "alerts", "cleared_at", "acknowledged_by", "acknowledged_at",
    "reason", "revision",
)  # fmt: skip


def listing(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/data-quality: every block that was ever raised, and which use cases are not scored now."""
    blocks = Blocks.of(stores)
    found = {name: blocks.find(name) for name in use_cases.all_use_cases()}
    told = [shown(name, block) for name, block in found.items() if block is not None]
    return HttpResponse(
        200, {"blocked": [row["use_case"] for row in told if row["blocked"]], "blocks": told}
    )


def acknowledge(request: HttpRequest, stores: Stores) -> HttpResponse:
    """POST /v1/data-quality/{use_case}/acknowledgement {reason, revision?}: score again.

    With the `revision` of the block that was looked at, a finding that came since is not lifted unseen.
    """
    use_case = use_cases.get(request.path_params["use_case"])
    asked = fields(request, {"reason": str}, {"revision": int})
    person = request.caller.person
    block = Blocks.of(stores).acknowledge(
        use_case.name, person=person, reason=asked["reason"], revision=asked.get("revision")
    )
    facts = {
        "reason": asked["reason"],
        "raised_at": block["raised_at"],
        "cleared_at": block["cleared_at"],
        "findings": [f"{a['view']}.{a['feature']}: {a['check']}" for a in block["alerts"]],
    }
    stores.audit.append(
        use_case.name,
        "quality-block-acknowledged",
        person,
        facts,
        once=f"quality-block-acknowledged#{block['acknowledged_at']}",
    )
    return HttpResponse(200, shown(use_case.name, block))


def shown(use_case: str, block: Mapping[str, Any]) -> dict[str, Any]:
    """A block as people see it."""
    raised = is_raised(block)
    return {
        "use_case": use_case,
        "blocked": raised,
        "safe_to_acknowledge": raised and block.get("cleared_at") is not None,
        **{name: block.get(name) for name in TOLD},
    }
