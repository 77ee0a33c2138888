"""How the feature commands speak: tables for a person, JSON for a program, progress on stderr."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

_DAY = 86_400.0
_UNITS = ((_DAY, "d"), (3600.0, "h"), (60.0, "m"), (1.0, "s"))
_STYLES = {
    "fresh": "green", "stale": "bold red", "missing": "bold red", "future": "bold red",
    "retired": "dim", "yes": "bold", "add": "green", "retire": "red", "change": "yellow",
    "restore": "green", "restated": "yellow", "broken": "bold red", "retrain": "yellow",
    "ALERT": "bold red", "LEAKS": "bold red", "suspicious": "bold red", "raised": "bold red",
}  # fmt: skip


def document(value: Any) -> None:
    """JSON on stdout, and nothing else there."""
    typer.echo(json.dumps(value, indent=2, allow_nan=False))


def console() -> Console:
    """Stdout, as wide as it is; markup off: what a declaration says is no markup."""
    return Console(markup=False, highlight=False, emoji=False)


def say(text: str = "", style: str = "") -> None:
    """A line for a person."""
    console().print(text, style=style or None, soft_wrap=False)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    title: str = "",
    right: Iterable[str] = (),
) -> None:
    """A table that folds what is too wide. `right`: the columns of numbers."""
    if title:
        say(title, "bold")
    numbers = set(right)
    made = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        header_style="dim",
        padding=(0, 1, 0, 0),
    )
    for place, column in enumerate(columns):
        whole = not place or column in numbers
        made.add_column(
            column,
            overflow="ellipsis" if whole else "fold",
            justify="right" if column in numbers else "left",
            no_wrap=whole,
        )
    for row in rows:
        made.add_row(*(cell(value) for value in row))
    console().print(made)
    say()


def facts(pairs: Iterable[tuple[str, Any]]) -> None:
    """Names and values, one a line; empty ones left out."""
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs:
        if value not in ("", None, [], ()):
            made.add_row(name, cell(value))
    console().print(made)
    say()


def cell(value: Any) -> Text:
    """A value as a person reads it."""
    text = shown(value)
    return Text(text, style=_STYLES.get(text.partition(" ")[0], ""))


def shown(value: Any) -> str:
    """A value as text: `yes` or nothing, seven digits, lists with commas."""
    match value:
        case None:
            text = "–"
        case bool():
            text = "yes" if value else ""
        case float():
            text = f"{value:.7g}"
        case list() | tuple():
            text = ", ".join(shown(item) for item in value)
        case dict():
            text = ", ".join(f"{name} {shown(item)}" for name, item in value.items() if item)
        case _:
            text = str(value)
    return text


def duration(seconds: float | None) -> str:
    """`45 d`, `3.5 h`: in the largest unit that it fills."""
    if seconds is None:
        return "–"
    sign, size = ("-" if seconds < 0 else ""), abs(seconds)
    for unit, name in _UNITS:
        if size >= unit:
            return (
                f"{sign}{size / unit:.3g} {name}"
                if size < 1000 * unit
                else f"{sign}{size / unit:.0f} {name}"
            )
    return "0 s" if not size else f"{sign}{size:.2g} s"


def size(count: float) -> str:
    """`3.1 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def instant(text: str | None) -> str:
    """A stored moment to the second, for people: `2026-11-21 05:47:00Z`. Documents have it whole."""
    return f"{text[:19].replace('T', ' ')}Z" if text else "–"


def progress() -> Progress:
    """Bars on stderr; nothing at all when nobody looks."""
    stderr = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=stderr,
        disable=not stderr.is_terminal,
        transient=True,
    )
