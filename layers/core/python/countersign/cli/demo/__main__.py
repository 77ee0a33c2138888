"""`python -m countersign.cli.demo [--data FOLDER]`: the main job, shown step by step."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from countersign.cli.demo.recorder import Recorder
from countersign.cli.demo.story import steps
from countersign.cli.demo.world import World

FOLDER = Path("build/demo")


def main(arguments: list[str] | None = None) -> int:
    """0 when every step did what it should, 1 when one failed, 2 for a wrong call, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--data", type=Path, help="folder with annual earnings files to use as well"
    )
    parser.add_argument("--workers", type=int, default=600)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    if options.data is not None and not options.data.is_dir():
        parser.error(f"{options.data} is not a folder")
    console = Console()
    recorder = Recorder(console, FOLDER)
    world = World(recorder, FOLDER, options)
    try:
        ok = recorder.run(steps(world))
    except KeyboardInterrupt:
        console.print("\nInterrupted. Nothing is half done: run `make demo` again, or `make down`.")
        return 130
    console.print()
    console.print(recorder.summary())
    console.print(f"{'Done' if ok else 'Stopped'}; facts in {FOLDER}/summary.json")
    for report in world.reports:
        console.print(f"  report: {report}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
