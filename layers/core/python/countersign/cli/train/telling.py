"""Progress on stderr: a bar where somebody looks, a line per step where it goes to a file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Bars:
    """A bar for the step that runs; each step leaves its line when it ends."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._step, self._started = "", 0.0

    def __enter__(self) -> Bars:
        self._progress.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.__exit__(None, None, None)

    def begin(self, step: str) -> None:
        """A step begins."""
        self._step, self._started = step, time.perf_counter()
        self._task = self._progress.add_task(step, total=None, note="")

    def at(self, done: int, total: int, note: str = "") -> None:
        """So much of it is done."""
        if self._task is not None:
            self._progress.update(
                self._task, completed=done, total=total, note=f"{done}/{total} {note}"
            )

    def end(self, note: str) -> None:
        """The step's line: how long it took and what came of it."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = None
        taken = time.perf_counter() - self._started
        said = f"{taken:6.1f} s  {self._step}{f': {note}' if note else ''}"
        self._console.print(said, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def telling() -> Iterator[Bars]:
    """Progress for the time of a training. Where stderr is no terminal there are lines and no bars."""
    console = Console(stderr=True, emoji=False)
    with Bars(console) as bars:
        yield bars
