"""`python -m countersign.cli.demo [--data FOLDER]`: the main job, shown step by step."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from rich.console import Console

from countersign.cli.demo import real_data
from countersign.cli.demo.recorder import Recorder
from countersign.cli.demo.story import steps
from countersign.cli.demo.world import World
from countersign.errors import ContractError

FOLDER = Path("build/demo")


def main(arguments: list[str] | None = None) -> int:
    """0 when every step did what it should, 1 when one failed or DATA is of no use, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--data", type=Path, help="folder with annual earnings files to use as well"
    )
    parser.add_argument("--workers", type=int, default=600)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    (FOLDER / "summary.json").unlink(missing_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console()
    recorder = Recorder(console, FOLDER)
    world = World(recorder, FOLDER, options)
    real = None
    try:
        if options.data is not None:
            console.print(f"Reading the earnings files of {options.data}")
            imported = real_data.read(options.data, FOLDER / "real")
            real = real_data.RealData(world, imported)
        ok = recorder.run(steps(world, real))
    except ContractError as error:
        print(f"error: DATA={options.data}: {explained(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        console.print("\nInterrupted. Nothing is half done: run `make demo` again, or `make down`.")
        return 130
    finally:
        if real is not None:
            real.close()
    console.print()
    console.print(recorder.summary())
    console.print(f"{'Done' if ok else 'Stopped'}; facts in {FOLDER}/summary.json")
    for report in world.reports:
        console.print(f"  report: {report}")
    return 0 if ok else 1


def explained(error: ContractError) -> str:
    """What was wrong and what is expected, in one line."""
    expected = "; ".join(f"{found.field}: {found.expected}" for found in error.errors)
    return error.detail if expected in error.detail else f"{error.detail}. Expected {expected}"


if __name__ == "__main__":
    sys.exit(main())
