"""Score with a champion whose runtime never comes back: prints what answered. Run in a process of its own."""

from __future__ import annotations

import json
import os
import sys

from countersign.serving.fallback import judge

from tests.unit.serving.models import GOOD
from tests.unit.serving.small import SMALL
from tests.unit.serving.test_fallback import ONE, ROUTE, TWO, Shelf, hanging, model

if __name__ == "__main__":
    previous = model()
    previous.features, previous.fills = ("other",), {"other": 0.0}
    shelf = Shelf({ONE: hanging(), TWO: previous})
    verdict = judge(SMALL, ROUTE, {"gross_mean": GOOD, "other": GOOD}, shelf.models())
    said = {
        "version": verdict.version,
        "degraded": list(verdict.degraded),
        "resting": [ref.version for ref in shelf.resting],
    }
    sys.stdout.write(json.dumps(said))
    sys.stdout.flush()
    os._exit(0)
