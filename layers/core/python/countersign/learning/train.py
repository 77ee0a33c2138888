"""Train as a program: `python -m countersign.learning.train --dataset FILE --config FILE [--sample-size N]`.

A door like the handlers in `functions/`: it holds no logic, and nobody imports it. A person's files go to the
workbench by way of the command line. In a training container, which `SM_HPS` gives away, it is the job.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Train by the arguments, as `countersign train` does, or as the training job says; exit with its code."""
    if "SM_HPS" in os.environ:
        from countersign.workbench.job import main as job

        sys.exit(job())
    from countersign.cli.train import main as train

    train(sys.argv[1:])


if __name__ == "__main__":
    main()
