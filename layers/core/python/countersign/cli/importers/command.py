"""`countersign import earnings|paysim|telco …`: published files as the sources of a use case."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Protocol

import typer

app = typer.Typer(help="Import published files as the sources of a use case.")

WRONG_INPUT = 2
_MAP_HELP = "A column of theirs as one of ours: --map amt=amount. Repeatable."
Renames = Annotated[list[str] | None, typer.Option("--map", help=_MAP_HELP)]
Out = Annotated[Path, typer.Option(help="Folder to write to.")]


class _Count(Protocol):
    """What became of one file."""

    @property
    def file(self) -> str: ...
    @property
    def rows_in(self) -> int: ...
    @property
    def rows_out(self) -> int: ...
    @property
    def quarantined(self) -> int: ...


class _Made(Protocol):
    """What an importer made."""

    @property
    def read(self) -> Sequence[_Count]: ...
    @property
    def rows(self) -> Mapping[str, int]: ...
    @property
    def report(self) -> Path: ...


@app.callback()
def importers() -> None:
    """Import published files as the sources of a use case."""


@app.command("earnings")
def earnings(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files, or folders of files.")],
    out: Out,
    inject_rate: Annotated[
        float, typer.Option(min=0, max=0.2, help="Spoil and label this share; taints the delivery.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0)] = 7,
    published_after_days: Annotated[
        int, typer.Option(min=0, help="Known this long after the year.")
    ] = 0,
    renames: Renames = None,
) -> None:
    """Write the delivery under OUT/raw, refused rows under OUT/quarantine, and a report."""
    from countersign.cli.importers.earnings import import_earnings

    _run(
        renames,
        lambda known: import_earnings(
            paths,
            out,
            inject_rate=inject_rate,
            seed=seed,
            published_after=timedelta(days=published_after_days),
            renames=known,
        ),
    )


@app.command("paysim")
def paysim(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="CSV, plain or gzip.")
    ],
    out: Out,
    origin: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The day whose midnight (UTC) is step 0.")
    ] = datetime(2017, 1, 1),  # noqa: DTZ001 - typer reads naive days; made UTC below
    label_delay_days: Annotated[
        int, typer.Option(min=0, help="A fraud is known this long after it happened.")
    ] = 7,
    renames: Renames = None,
) -> None:
    """Write PaySim files as the sources paysim_transactions and paysim_fraud_labels."""
    from countersign.cli.importers.paysim import import_paysim

    _run(
        renames,
        lambda known: import_paysim(
            files,
            out,
            origin=origin.replace(tzinfo=UTC),
            label_delay=timedelta(days=label_delay_days),
            renames=known,
        ),
    )


@app.command("telco")
def telco(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="CSV, plain or gzip.")
    ],
    out: Out,
    snapshot: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The day (UTC) that the file describes.")
    ] = datetime(2018, 1, 1),  # noqa: DTZ001 - typer reads naive days; made UTC below
    label_delay_days: Annotated[
        int, typer.Option(min=0, help="Churn is known this long after the snapshot.")
    ] = 30,
    renames: Renames = None,
) -> None:
    """Write Telco files as the sources telco_customers and telco_churn_labels."""
    from countersign.cli.importers.telco import import_telco

    _run(
        renames,
        lambda known: import_telco(
            files,
            out,
            snapshot=snapshot.replace(tzinfo=UTC),
            label_delay=timedelta(days=label_delay_days),
            renames=known,
        ),
    )


def _run(renames: Sequence[str] | None, importer: Callable[[dict[str, str]], _Made]) -> None:
    """Import, and say what became of each file; what is wrong with them is one line and exit 2."""
    from countersign.cli.importers.renaming import parse_renames
    from countersign.errors import ContractError

    try:
        made = importer(parse_renames(renames or []))
    except ContractError as error:
        typer.echo(error.detail, err=True)
        raise typer.Exit(WRONG_INPUT) from error
    for file in made.read:
        typer.echo(
            f"{file.file}: {file.rows_in:,} rows in, {file.rows_out:,} out, {file.quarantined:,} refused"
        )
    for source, rows in made.rows.items():
        typer.echo(f"{source:20}{rows:>10,} rows")
    typer.echo(f"report: {made.report}")
