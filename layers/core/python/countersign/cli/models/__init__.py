"""`countersign models …`: versions and their records, what served when, lineage, cards, and moving them.

`list`, `show`, `compare`, `card`, `lineage` and `at` read; `promote`, `rollback`, `kill-switch`,
`archive` and `delete` change what is served or kept; `reproduce` trains a version again.
"""

import typer

from countersign.cli.models import changing, comparing, history, reading
from countersign.cli.models.reproduce import reproduce

app = typer.Typer(help="Versions, their records, promotion, rollback.", no_args_is_help=True)
app.command("list")(reading.list_models)
app.command()(reading.show)
app.command()(comparing.compare)
app.command()(reading.card)
app.command()(history.lineage)
app.command()(history.at)
app.command()(reproduce)
app.command()(changing.promote)
app.command()(changing.rollback)
app.command("kill-switch")(changing.kill_switch)
app.command()(changing.archive)
app.command()(changing.delete)

__all__ = ["app"]
