"""Train as a program: `python -m countersign.learning.train --dataset FILE --config FILE [--sample-size N]`.

A door like the handlers in `functions/`: it holds no logic, and nobody imports it. A person's files go to the
workbench by way of the command line. A training job calls `countersign.workbench.folder.train_folder`.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Train by the arguments, as `countersign train` does, and exit with its code."""
    from countersign.cli.train import main as train

    train(sys.argv[1:])


if __name__ == "__main__":
    main()
