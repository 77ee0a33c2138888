"""Runs the demo's steps one after the other, shows them, and writes what was measured."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.table import Table

from countersign.errors import CountersignError

Facts = dict[str, Any]


class DemoError(CountersignError):
    """A step did not do what it should have done; the detail says which and what was seen."""

    title = "The demo stopped"


@dataclass(slots=True)
class Outcome:
    """One step as `summary.json` holds it."""

    name: str
    ok: bool = False
    seconds: float = 0.0
    facts: Facts = field(default_factory=dict)


class Recorder:
    """Steps in order; the first that fails ends the run. The summary is written in every case."""

    def __init__(self, console: Console, folder: Path) -> None:
        self._console = console
        self._folder = folder
        self._status: Status | None = None
        self.outcomes: list[Outcome] = []

    def say(self, text: str) -> None:
        """What is happening right now."""
        if self._status is not None:
            self._status.update(f"  [dim]{text}[/dim]")

    def run(self, steps: Sequence[tuple[str, str, Callable[[], Facts]]]) -> bool:
        """Run `(name, title, step)` in order; True when every step did what it should."""
        started = time.monotonic()
        try:
            for number, (name, title, step) in enumerate(steps, 1):
                self._console.print(f"[bold]{number:2}/{len(steps)} {name}[/bold]  {title}")
                if not self._one(name, step):
                    break
        finally:
            ok = len(self.outcomes) == len(steps) and all(o.ok for o in self.outcomes)
            self._write(ok, time.monotonic() - started)
        return ok

    def _one(self, name: str, step: Callable[[], Facts]) -> bool:
        outcome = Outcome(name)
        self.outcomes.append(outcome)
        started = time.monotonic()
        try:
            with self._console.status("  [dim]…[/dim]") as self._status:
                outcome.facts = step()
            outcome.ok = True
        except CountersignError as error:
            outcome.facts = {"error": type(error).__name__, "detail": error.detail}
        finally:
            self._status = None
            outcome.seconds = round(time.monotonic() - started, 2)
        mark = "[green]✓[/green]" if outcome.ok else "[red]✗[/red]"
        shown = ", ".join(f"{k} {brief(v)}" for k, v in outcome.facts.items())
        self._console.print(f"      {mark} {outcome.seconds:.1f} s  {shown}", highlight=False)
        return outcome.ok

    def _write(self, ok: bool, seconds: float) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        document = {
            "ok": ok,
            "seconds": round(seconds, 2),
            "steps": [asdict(outcome) for outcome in self.outcomes],
        }
        target = self._folder / "summary.json"
        part = target.with_suffix(".json.part")
        part.write_text(json.dumps(document, indent=2, default=str) + "\n")
        part.replace(target)

    def summary(self) -> Table:
        """The steps as a table for a person."""
        table = Table(title="Countersign demo", title_justify="left")
        for column in ("step", "", "seconds", "what was measured"):
            table.add_column(column, justify="right" if column == "seconds" else "left")
        for outcome in self.outcomes:
            table.add_row(
                outcome.name,
                "ok" if outcome.ok else "FAILED",
                f"{outcome.seconds:.1f}",
                "\n".join(f"{k}: {brief(v)}" for k, v in outcome.facts.items()),
            )
        return table


def brief(value: Any) -> str:
    """A fact in a few characters."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return " ".join(f"{k}={brief(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return " ".join(brief(v) for v in value)
    return str(value)
