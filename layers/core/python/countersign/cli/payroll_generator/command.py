"""`countersign generate payroll …`: synthetic payroll for the demo and for tests."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from countersign.cli.payments_generator.command import payments

app = typer.Typer(help="Write synthetic payroll or payments as their engines would deliver them.")
app.command("payments")(payments)

Out = Annotated[Path, typer.Option(help="Folder to write to.")]
Seed = Annotated[int, typer.Option(min=0)]
Workers = Annotated[int, typer.Option(min=1, help="People ever employed.")]
Months = Annotated[int, typer.Option(min=1, help="Complete months before as-of's own.")]
AsOf = Annotated[str, typer.Option(help="Instant with a time zone, e.g. 2026-11-21T06:00:00Z.")]


@app.command("payroll")
def payroll(
    out: Out,
    as_of: AsOf,
    seed: Seed = 7,
    workers: Workers = 600,
    months: Months = 24,
    anomalies: Annotated[
        float, typer.Option(min=0, max=0.2, help="Share of wrong payslips.")
    ] = 0.02,
    batch_months: Annotated[int, typer.Option(min=1, help="Months that share a file.")] = 1,
) -> None:
    """Write the history: the six sources under OUT/raw and the delivery's marker."""
    from countersign.cli.payroll_generator import generate

    made = generate(
        out,
        seed=seed,
        workers=workers,
        months=months,
        as_of=_instant(as_of),
        anomalies=anomalies,
        batch_months=batch_months,
    )
    for source, rows in made.rows.items():
        typer.echo(f"{source:20}{rows:>10,} rows")
    typer.echo(
        f"{sum(made.anomalies.values()):,} wrong payslips; {len(made.files)} files; {made.marker}"
    )


@app.command("drafts")
def drafts(
    out: Out,
    as_of: AsOf,
    seed: Seed = 7,
    workers: Workers = 600,
    months: Months = 24,
    anomalies: Annotated[
        float, typer.Option(min=0, max=0.2, help="Share of wrong payslips.")
    ] = 0.04,
    drift: Annotated[str, typer.Option(help="none or a change of the world.")] = "none",
) -> None:
    """Write the coming pay run: scoring requests, the truth apart, and outcomes for later."""
    from countersign.cli.payroll_generator import drafts as make
    from countersign.cli.payroll_generator.drafts import write_drafts

    made = make(
        seed=seed,
        workers=workers,
        months=months,
        as_of=_instant(as_of),
        anomalies=anomalies,
        drift=drift,
    )
    folder = write_drafts(out, made, name=drift)
    typer.echo(f"{len(made.requests):,} draft payslips in {folder}")


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("expected e.g. 2026-11-21T06:00:00Z") from error
    if moment.tzinfo is None:
        raise typer.BadParameter("the instant needs a time zone; end it in Z for UTC")
    return moment.astimezone(UTC)
