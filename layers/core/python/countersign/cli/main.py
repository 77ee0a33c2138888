"""`countersign …`: every command a person types."""

from __future__ import annotations

import sys

import typer

from countersign.cli.importers.command import app as importers
from countersign.cli.local_cloud.settings import LocalCloudError
from countersign.cli.operations import approvals, audit, models, predictions
from countersign.cli.payroll_generator.command import app as generators
from countersign.errors import CountersignError

app = typer.Typer(
    help="Countersign: no model reaches a payslip without a second signature.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(models, name="models")
app.add_typer(approvals, name="approvals")
app.add_typer(predictions, name="predictions")
app.add_typer(audit, name="audit")
app.add_typer(generators, name="generate")
app.add_typer(importers, name="import")


def main() -> None:
    """Run the command; one line and an exit code for whatever goes wrong."""
    try:
        app()
    except (CountersignError, LocalCloudError) as error:
        print(f"countersign: {error}", file=sys.stderr)
        sys.exit(getattr(error, "code", 1))


if __name__ == "__main__":
    main()
