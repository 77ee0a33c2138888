"""`countersign generate payments`: synthetic payments for the demo and for tests."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer


def payments(
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    as_of: Annotated[
        str, typer.Option(help="Instant with a time zone, e.g. 2026-11-21T06:00:00Z.")
    ],
    seed: Annotated[int, typer.Option(min=0)] = 7,
    customers: Annotated[int, typer.Option(min=20, help="Accounts; the scale of it all.")] = 4000,
    merchants: Annotated[int, typer.Option(min=4)] = 120,
    months: Annotated[int, typer.Option(min=3, max=36, help="Complete months of history.")] = 15,
    batch_months: Annotated[int, typer.Option(min=1, help="Months that share a file.")] = 1,
) -> None:
    """Write the history: the twelve sources of payments under OUT/raw and the delivery's marker."""
    from countersign.cli.payments_generator import generate

    made = generate(
        out,
        seed=seed,
        as_of=_instant(as_of),
        customers=customers,
        merchants=merchants,
        months=months,
        batch_months=batch_months,
    )
    for source, rows in made.rows.items():
        typer.echo(f"{source:20}{rows:>10,} rows")
    for fact, value in made.facts.items():
        typer.echo(f"{fact:30}{value:>8.2%}")
    typer.echo(f"{len(made.files)} files; {made.marker}")


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("expected e.g. 2026-11-21T06:00:00Z") from error
    if moment.tzinfo is None:
        raise typer.BadParameter("the instant needs a time zone; end it in Z for UTC")
    return moment.astimezone(UTC)
