"""`countersign train --dataset FILE [--config FILE]`: train, judge and keep a run on this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer

from countersign.errors import RequestError

app = typer.Typer(help="Train a model from files on this machine, without any cloud.")

USAGE, GATE_FAILED = 2, 3
RUNS = Path("build/runs")
_DATASET = "PaySim or Telco CSV, flat file, delivery folder, or frozen dataset."


@app.callback(invoke_without_command=True)
def train(
    dataset: Annotated[Path, typer.Option(help=_DATASET)],
    config: Annotated[
        Path | None, typer.Option(help="YAML: what differs from the use case.")
    ] = None,
    sample_size: Annotated[
        int | None, typer.Option(min=1, help="At most so many rows, drawn by the seed.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder, a new one; build/runs/<run> by default.")
    ] = None,
    use_case: Annotated[
        str, typer.Option(help="Use case; by default the configuration's or the file's.")
    ] = "",
    output: Annotated[Literal["table", "json"], typer.Option(help="table or json")] = "table",
) -> None:
    """Train a model from a file or a frozen dataset, judge it and keep the run.

    Exit codes: 0 every gate held · 1 the data was refused · 2 wrong usage or configuration · 3 a gate failed.
    """
    try:
        passed = run(dataset, config, sample_size, out, use_case, as_json=output == "json")
    except RequestError as error:
        typer.echo(f"countersign: {' '.join(error.detail.split())}", err=True)
        raise typer.Exit(USAGE) from error
    if not passed:
        raise typer.Exit(GATE_FAILED)


def run(
    dataset: Path,
    config: Path | None,
    size: int | None,
    out: Path | None,
    use_case: str,
    *,
    as_json: bool,
) -> bool:
    """Train and print what came of it; returns whether every gate held."""
    from countersign.cli.train import results
    from countersign.cli.train.material import find_material
    from countersign.cli.train.telling import telling
    from countersign.clock import Clock
    from countersign.workbench import mirror, story
    from countersign.workbench.config import Config, read_config

    if not dataset.exists():
        raise RequestError(f"{dataset} is not there")
    wanted = read_config(config) if config else Config()
    if out:
        story.check_out(out)
    with tempfile.TemporaryDirectory() as scratch, telling() as tell:
        tell.begin(f"Load {dataset.name}")
        found = find_material(dataset, wanted, Path(scratch), use_case=use_case, size=size)
        tell.end("; ".join(found.notes))
        run_id = story.new_run_id(
            Clock().now(), found.use_case.name, wanted.text, str(sorted(found.facts.items()))
        )
        ended = story.train(
            story.Job(
                use_case=found.use_case, config=wanted, out=out or RUNS / run_id, run_id=run_id,
                delivered=found.delivered, frozen=found.frozen, declaration=found.declaration,
                facts=found.facts,
            ),
            tell,
        )  # fmt: skip
    if warning := mirror.mirror(ended.run):
        typer.echo(f"countersign: {warning}", err=True)
    results.show(ended, as_json=as_json)
    return bool(ended.run["passed"])
