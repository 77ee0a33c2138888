"""`countersign features …`: the feature store, for people.

`list` and `show` read the registry, `get` and `history` values, `plan` and `apply` change definitions,
`materialize` fills the online store, `audit` and `quality` hold the data to account.
"""

import typer

from countersign.cli.features import catalogue, changing, leaks, quality, values

app = typer.Typer(help="Features: definitions, values, history, quality.", no_args_is_help=True)
app.command("list")(catalogue.list_features)
app.command()(catalogue.show)
app.command()(values.get)
app.command()(values.history)
app.command()(changing.plan)
app.command()(changing.apply)
app.command()(changing.materialize)
app.command()(leaks.audit)
app.command()(quality.quality)
app.command()(quality.acknowledge)

__all__ = ["app"]
