"""`countersign experiments list|show|compare`: what was trained, how, and what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

app = typer.Typer(help="Trainings that were kept: list, show, compare.", no_args_is_help=True)

USAGE = 2
Runs = Annotated[Path, typer.Option("--runs", help="Folder of run folders.")]
Output = Annotated[Literal["table", "json"], typer.Option(help="table or json")]
Deployed = Annotated[
    str, typer.Option("--deployed", help="Also the machine's runs of this use case.")
]
Identity = Annotated[str, typer.Option("--identity", help="Sign as this role (local cloud).")]
HOME = Path("build/runs")


@app.command("list")
def list_runs(
    runs: Runs = HOME,
    use_case: Annotated[str, typer.Option(help="Only runs of this use case.")] = "",
    deployed: Deployed = "",
    identity: Identity = "ml-engineer",
    output: Output = "table",
) -> None:
    """List runs, oldest first."""
    from countersign.cli.experiments import tables
    from countersign.workbench.runs import find_runs

    every = [*find_runs(runs), *_machine(deployed, identity)]
    chosen = [run for run in every if not use_case or run["use_case"] == use_case]
    tables.show_list(chosen, runs, as_json=output == "json")


@app.command("show")
def show_run(
    run: Annotated[str, typer.Argument(help="A run's id, its beginning, or its folder.")],
    runs: Runs = HOME,
    deployed: Deployed = "",
    identity: Identity = "ml-engineer",
    output: Output = "table",
) -> None:
    """Show one run: parameters, metrics, gates, artifacts with their digests."""
    from countersign.cli.experiments import tables

    tables.show_one(_one(run, runs, _machine(deployed, identity)), as_json=output == "json")


@app.command("compare")
def compare_runs(
    names: Annotated[list[str], typer.Argument(help="Two runs or more.")],
    runs: Runs = HOME,
    deployed: Deployed = "",
    identity: Identity = "ml-engineer",
    output: Output = "table",
    every: Annotated[bool, typer.Option("--all", help="Also what is the same.")] = False,
) -> None:
    """Compare runs: what differs in parameters and metrics, and which is best by each figure."""
    from countersign.cli.experiments import tables
    from countersign.workbench.runs import compare

    if len(names) < 2:
        typer.echo("countersign: compare needs two runs or more", err=True)
        raise typer.Exit(USAGE)
    machine = _machine(deployed, identity)
    found = compare([_one(name, runs, machine) for name in names])
    tables.show_comparison(found, every=every, as_json=output == "json")


def _one(name: str, runs: Path, machine: list[dict[str, Any]]) -> dict[str, Any]:
    from countersign.errors import RequestError
    from countersign.workbench.runs import find_run

    try:
        return find_run(name, runs, machine)
    except RequestError as error:
        typer.echo(f"countersign: {error.detail}", err=True)
        raise typer.Exit(USAGE) from error


def _machine(use_case: str, identity: str) -> list[dict[str, Any]]:
    if not use_case:
        return []
    from countersign.cli.experiments.machine import machine_runs

    return machine_runs(use_case, identity)
