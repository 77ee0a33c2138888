"""Score a chunk of a file: the same code as a request, in a function of its own.

Apart from the online function so that a payroll run cannot take its workers, and may take its time.
"""

from countersign.steps.score.batch import Request, Result, run

__all__ = ["Request", "Result", "run"]
