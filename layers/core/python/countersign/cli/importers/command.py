"""`countersign import earnings …`: real annual earnings files as payroll sources."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Import published files as the sources of a use case.")


@app.callback()
def importers() -> None:
    """Import published files as the sources of a use case."""


@app.command("earnings")
def earnings(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files, or folders of files.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    inject_rate: Annotated[
        float, typer.Option(min=0, max=0.2, help="Spoil and label this share; taints the delivery.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0)] = 7,
    published_after_days: Annotated[
        int, typer.Option(min=0, help="Known this long after the year.")
    ] = 0,
) -> None:
    """Write the delivery under OUT/raw, refused rows under OUT/quarantine, and a report."""
    from countersign.cli.importers import import_earnings
    from countersign.errors import ContractError

    try:
        made = import_earnings(
            paths,
            out,
            inject_rate=inject_rate,
            seed=seed,
            published_after=timedelta(days=published_after_days),
        )
    except ContractError as error:
        typer.echo(error.detail, err=True)
        raise typer.Exit(1) from error
    for file in made.read:
        typer.echo(
            f"{file.file}: {file.rows_in:,} rows in, {file.rows_out:,} out, {file.quarantined} refused"
        )
    for source, rows in made.rows.items():
        typer.echo(f"{source:20}{rows:>10,} rows")
    typer.echo(f"report: {made.report}")
