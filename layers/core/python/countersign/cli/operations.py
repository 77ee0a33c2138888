"""Commands for approvers, operations and auditors: the operations API, signed as one identity."""

from __future__ import annotations

import json
from typing import Any, Literal

import typer

from countersign.cli import printing
from countersign.cli.deployment import Identity, Output, Reason, call

approvals = typer.Typer(help="What waits for a signature, and signing it.", no_args_is_help=True)
predictions = typer.Typer(help="Logged predictions and their replay.", no_args_is_help=True)
audit = typer.Typer(help="The audit chain.", no_args_is_help=True)


def show(answer: Any, output: str) -> None:
    """Print an answer as a table for a person or as JSON for a program."""
    if output == "json":
        printing.document(answer)
        return
    rows = next((v for v in answer.values() if isinstance(v, list) and v), None)
    if rows and all(isinstance(row, dict) for row in rows):
        columns = [c for c, v in rows[0].items() if not isinstance(v, dict | list)]
        printing.table(columns, [[row.get(column) for column in columns] for row in rows])
    else:
        printing.facts(
            (n, json.dumps(v) if isinstance(v, dict | list) else v) for n, v in answer.items()
        )


@approvals.command("list")
def list_approvals(identity: Identity = "team-lead", output: Output = "table") -> None:
    """What waits for a signature."""
    show(call(identity, "GET", "/v1/approvals"), output)


@approvals.command("show")
def show_approval(
    approval_id: str, identity: Identity = "team-lead", output: Output = "table"
) -> None:
    """One approval and its evidence."""
    show(call(identity, "GET", f"/v1/approvals/{approval_id}"), output)


@approvals.command("decide")
def decide(
    approval_id: str,
    decision: Literal["approve", "reject"],
    reason: Reason,
    identity: Identity = "team-lead",
    output: Output = "table",
) -> None:
    """Sign, or refuse to."""
    body = {"decision": decision, "reason": reason}
    show(call(identity, "POST", f"/v1/approvals/{approval_id}/decision", body), output)


@predictions.command("show")
def show_prediction(
    prediction_id: str, identity: Identity = "auditor", output: Output = "table"
) -> None:
    """A logged prediction, whole."""
    show(call(identity, "GET", f"/v1/predictions/{prediction_id}"), output)


@predictions.command("replay")
def replay(prediction_id: str, identity: Identity = "auditor", output: Output = "table") -> None:
    """Score the logged vector again with the archived artifact and compare bit for bit."""
    show(call(identity, "GET", f"/v1/predictions/{prediction_id}/replay"), output)


@audit.command("show")
def show_audit(scope: str, identity: Identity = "auditor", output: Output = "table") -> None:
    """The audit chain of a model, entry by entry."""
    show(call(identity, "GET", f"/v1/audit/{scope}"), output)


@audit.command("verify")
def verify(scope: str, identity: Identity = "auditor", output: Output = "table") -> None:
    """Recompute the chain; an edit, drop, reorder or truncation is located."""
    answer = call(identity, "GET", f"/v1/audit/{scope}/verify")
    show(answer, output)
    if not answer["valid"]:
        raise typer.Exit(1)
