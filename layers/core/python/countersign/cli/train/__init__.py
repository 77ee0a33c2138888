"""`countersign train`: a model from files on this machine, without any cloud."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> None:
    """Run `countersign train` with these arguments, as the command line does, and exit."""
    from countersign.cli.main import main as command_line

    sys.argv = ["countersign", "train", *arguments]
    command_line()
