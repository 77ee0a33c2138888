"""`countersign …`: every command a person types.

Exit codes: 0 fine · 1 refused, failed, or a check that did not hold · 2 wrong usage · 3 a plan with
changes (`features plan --detailed-exitcode`) · 4 no deployment there · 130 interrupted.
"""

from __future__ import annotations

import sys

import typer

from countersign.cli.features import app as features
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
app.add_typer(features, name="features")
app.add_typer(generators, name="generate")
app.add_typer(importers, name="import")

FAILED = 1
INTERRUPTED = 130


def main() -> None:
    """Run the command; one line and an exit code for whatever goes wrong."""
    try:
        app()
    except KeyboardInterrupt:
        fail("interrupted", INTERRUPTED)
    except (CountersignError, LocalCloudError) as error:
        fail(str(error), getattr(error, "code", FAILED))
    except (OSError, TimeoutError) as error:
        fail(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", FAILED)
    except Exception as error:
        fail(outside(error), FAILED)


def fail(text: str, code: int) -> None:
    """One line on stderr, then the end."""
    print(f"countersign: {' '.join(text.split())}", file=sys.stderr)
    sys.exit(code)


def outside(error: Exception) -> str:
    """What AWS, the network or a file reader said; an error of our own code is raised again."""
    import urllib3
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, ClientError):
        said = error.response["Error"]
        return f"AWS refused {error.operation_name}: {said.get('Code')} {said.get('Message', '')}"
    if isinstance(error, BotoCoreError):
        return f"AWS: {error}"
    if isinstance(error, urllib3.exceptions.HTTPError):
        return f"the API does not answer: {type(error).__name__}; is the deployment up?"
    if type(error).__module__.partition(".")[0] in {"duckdb", "_duckdb"}:
        return f"the data cannot be read: {error}"
    return f"something failed on our side: {type(error).__name__}: {error}"


if __name__ == "__main__":
    main()
