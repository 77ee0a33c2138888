"""Score with a champion whose tree has a cycle: prints what answered. Run in a process of its own."""

from __future__ import annotations

import json
import os
import sys

from tests.unit.serving.models import GOOD, HANGING
from tests.unit.serving.small import SMALL
from tests.unit.serving.test_fallback import ONE, ROUTE, TWO, Shelf, hostile, judge, model

if __name__ == "__main__":
    previous = model()
    previous.features, previous.fills = ("other",), {"other": 0.0}
    shelf = Shelf({ONE: hostile(), TWO: previous})
    verdict = judge(SMALL, ROUTE, {"gross_mean": HANGING, "other": GOOD}, shelf.models())
    said = {
        "version": verdict.version,
        "degraded": list(verdict.degraded),
        "resting": [ref.version for ref in shelf.resting],
    }
    sys.stdout.write(json.dumps(said))
    sys.stdout.flush()
    os._exit(0)
