"""Commands that change what is served or kept. Each asks for a role that may, and for a reason."""

from __future__ import annotations

from typing import Any, Literal

from countersign.cli import printing
from countersign.cli.deployment import Identity, Output, Reason, call
from countersign.cli.models.asking import Number, UseCase, path


def promote(
    use_case: UseCase,
    version: Number,
    identity: Identity = "data-scientist",
    output: Output = "table",
) -> None:
    """Ask for a version's promotion: validation, backtest, signatures, staged rollout."""
    told(call(identity, "POST", path(use_case, "promotion"), {"version": version}), output)


def rollback(
    use_case: UseCase, reason: Reason, identity: Identity = "operator", output: Output = "table"
) -> None:
    """Go back to the recorded predecessor, now."""
    told(call(identity, "POST", path(use_case, "rollback"), {"reason": reason}), output)


def kill_switch(
    use_case: UseCase,
    position: Literal["on", "off"],
    reason: Reason,
    identity: Identity = "operator",
    output: Output = "table",
) -> None:
    """On: rules only, everywhere, within 60 s."""
    body = {"on": position == "on", "reason": reason}
    told(call(identity, "POST", path(use_case, "kill-switch"), body), output)


def archive(
    use_case: UseCase,
    version: Number,
    reason: Reason,
    identity: Identity = "ml-engineer",
    output: Output = "table",
) -> None:
    """Withdraw a staged version that nobody wants."""
    asked = path(use_case, "versions", version, "archive")
    told(call(identity, "POST", asked, {"reason": reason}), output)


def delete(
    use_case: UseCase,
    version: Number,
    reason: Reason,
    identity: Identity = "team-lead",
    output: Output = "table",
) -> None:
    """Delete the bytes of an archived version that nothing may need; its record and papers stay."""
    asked = path(use_case, "versions", version, "deletion")
    told(call(identity, "POST", asked, {"reason": reason}), output)


def told(answer: dict[str, Any], output: str) -> None:
    """An answer as facts, or as it is."""
    if output == "json":
        printing.document(answer)
    else:
        printing.facts(answer.items())
