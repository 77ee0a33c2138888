"""`countersign …`: every command a person types.

Exit codes: 0 fine · 1 refused, failed, or a check that did not hold · 2 wrong usage · 3 a plan with
changes (`features plan --detailed-exitcode`), or a gate that failed (`train`) · 4 no deployment there ·
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

import typer

from countersign.cli.local_cloud.settings import LocalCloudError
from countersign.errors import CountersignError

# Where each group of commands lives. Only the one that is asked for is imported: a person who presses
# TAB does not wait for pandas.
GROUPS: Mapping[str, tuple[str, str]] = {
    "models": ("countersign.cli.models", "app"),
    "approvals": ("countersign.cli.operations", "approvals"),
    "predictions": ("countersign.cli.operations", "predictions"),
    "audit": ("countersign.cli.operations", "audit"),
    "features": ("countersign.cli.features", "app"),
    "generate": ("countersign.cli.payroll_generator.command", "app"),
    "import": ("countersign.cli.importers.command", "app"),
    "train": ("countersign.cli.train.command", "app"),
    "experiments": ("countersign.cli.experiments", "app"),
}
FAILED = 1
INTERRUPTED = 130


def commands(words: Sequence[str]) -> typer.Typer:
    """The command line for these words: with the group they name, or with all when they name none."""
    app = typer.Typer(
        help="Countersign: no model reaches a payslip without a second signature.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(everything)
    first = next((word for word in words if not word.startswith("-")), "")
    for name in [first] if first in GROUPS else GROUPS:
        module, attribute = GROUPS[name]
        app.add_typer(getattr(import_module(module), attribute), name=name)
    return app


def everything() -> None:
    """Countersign: no model reaches a payslip without a second signature."""


def words() -> list[str]:
    """What was typed after the command's own name, finished or (the shell asks) not yet."""
    return os.environ.get("COMP_WORDS", "").split()[1:] or sys.argv[1:]


def main() -> None:
    """Run the command; one line and an exit code for whatever goes wrong."""
    try:
        commands(words())()
    except KeyboardInterrupt:
        fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
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
    """What AWS, the network or a file reader said."""
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
