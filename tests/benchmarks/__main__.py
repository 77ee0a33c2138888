"""`python -m tests.benchmarks [name …]`: run each benchmark in a process of its own."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import tests.benchmarks as here

RESULTS = Path("build/bench/results.json")
PREFIX = "bench_"


def names() -> list[str]:
    found = (module.name for module in pkgutil.iter_modules(here.__path__))
    return sorted(name.removeprefix(PREFIX) for name in found if name.startswith(PREFIX))


def run_one(name: str) -> list[dict[str, Any]]:
    """Each benchmark has a process of its own, so that its peak memory is its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--child", name],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--child"]:
        module = importlib.import_module(f"tests.benchmarks.{PREFIX}{arguments[1]}")
        print(json.dumps([measured.as_row() for measured in module.run()]))
        return 0
    unknown = sorted(set(arguments) - set(names()))
    if unknown:
        print(f"No benchmark {', '.join(unknown)}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    console = Console()
    rows: list[dict[str, Any]] = []
    for name in arguments or names():
        console.print(f"[bold]{name}[/bold] …")
        rows += run_one(name)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=2) + "\n")
    console.print(table(rows))
    console.print(f"written to {RESULTS}")
    return 0 if all(row["kept"] for row in rows) else 1


def table(rows: list[dict[str, Any]]) -> Table:
    made = Table()
    for column in ("name", "value", "unit", "reference", "its value", "ratio", "at most", ""):
        made.add_column(column)
    for row in rows:
        bound = "" if row["at_most"] is None else f"{row['at_most']:.2f}"
        made.add_row(
            row["name"],
            f"{row['value']:.4g}",
            row["unit"],
            row["reference"],
            f"{row['reference_value']:.4g}",
            f"{row['ratio']:.3f}",
            bound,
            "ok" if row["kept"] else "MISSED",
        )
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
