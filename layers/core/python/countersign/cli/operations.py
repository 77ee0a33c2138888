"""Commands for approvers, operations and auditors: the operations API, signed as one identity.

Against the local cloud `--identity` names one of the seven roles of `outputs.json`; against AWS the
signature is that of the credentials at hand.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from countersign.cli.local_cloud.client import Cloud
from countersign.cli.local_cloud.settings import from_environment
from countersign.errors import CountersignError

Output = Annotated[Literal["table", "json"], typer.Option(help="table or json")]
Identity = Annotated[str, typer.Option("--identity", help="Sign as this role (local cloud).")]
Reason = Annotated[str, typer.Option(help="Why; it goes on record.")]

models = typer.Typer(help="Versions, promotion, rollback.", no_args_is_help=True)
approvals = typer.Typer(help="What waits for a signature, and signing it.", no_args_is_help=True)
predictions = typer.Typer(help="Logged predictions and their replay.", no_args_is_help=True)
audit = typer.Typer(help="The audit chain.", no_args_is_help=True)


class ApiError(CountersignError):
    """The API refused; the detail is its own."""

    title = "The API refused"


def call(identity: str, method: str, path: str, body: Any = None) -> Any:
    """One signed request to the deployment of `COUNTERSIGN_OUTPUTS` (or the local cloud)."""
    named = os.environ.get("COUNTERSIGN_OUTPUTS")
    outputs = Path(named) if named else from_environment().outputs
    cloud = Cloud.from_file(outputs)
    known = cloud.outputs.get("identities", {})
    signer = identity if identity in known else None
    if known and signer is None:
        raise ApiError(f"No identity {identity!r}; there are {', '.join(known)}")
    status, _, answer = cloud.api(signer).request(method, path, json=body)
    if status >= 400:
        detail = answer.get("detail") if isinstance(answer, dict) else answer
        raise ApiError(f"{method} {path}: {status} {detail}")
    return answer


def show(answer: Any, output: str) -> None:
    """Print an answer as a table for a person or as JSON for a program."""
    if output == "json":
        typer.echo(json.dumps(answer, indent=2))
        return
    rows = next((v for v in answer.values() if isinstance(v, list) and v), None)
    table = Table()
    if rows and all(isinstance(row, dict) for row in rows):
        columns = [c for c, v in rows[0].items() if not isinstance(v, dict | list)]
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(str(row.get(column, "")) for column in columns))
    else:
        table.add_column("")
        table.add_column("", overflow="fold")
        for name, value in answer.items():
            table.add_row(name, json.dumps(value) if isinstance(value, dict | list) else str(value))
    Console().print(table)


@models.command("list")
def list_models(identity: Identity = "auditor", output: Output = "table") -> None:
    """Every model and what is in production."""
    show(call(identity, "GET", "/v1/models"), output)


@models.command("show")
def show_model(
    use_case: str,
    version: Annotated[str, typer.Argument()] = "",
    identity: Identity = "auditor",
    output: Output = "table",
) -> None:
    """A model's pointer and versions, or one version's record."""
    path = f"/v1/models/{use_case}" + (f"/versions/{version}" if version else "")
    show(call(identity, "GET", path), output)


@models.command("promote")
def promote(
    use_case: str, version: str, identity: Identity = "data-scientist", output: Output = "table"
) -> None:
    """Ask for a version's promotion: validation, backtest, signatures, staged rollout."""
    body = {"version": version}
    show(call(identity, "POST", f"/v1/models/{use_case}/promotion", body), output)


@models.command("rollback")
def rollback(
    use_case: str, reason: Reason, identity: Identity = "operator", output: Output = "table"
) -> None:
    """Go back to the recorded predecessor, now."""
    body = {"reason": reason}
    show(call(identity, "POST", f"/v1/models/{use_case}/rollback", body), output)


@models.command("kill-switch")
def kill_switch(
    use_case: str,
    position: Literal["on", "off"],
    reason: Reason,
    identity: Identity = "operator",
    output: Output = "table",
) -> None:
    """On: rules only, everywhere, within 60 s."""
    body = {"on": position == "on", "reason": reason}
    show(call(identity, "POST", f"/v1/models/{use_case}/kill-switch", body), output)


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
