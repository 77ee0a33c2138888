"""Load a model and score with it, in a process that may be lost: `python -m countersign.serving.smoke FOLDER`.

FOLDER holds the session's files and `vectors.json`, a list of feature mappings. Whoever starts it has
verified the files. It prints one JSON line: scores as hexadecimal floats, so that equal means equal bits.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from countersign.serving.hybrid import combine
from countersign.serving.rules import score_rules
from countersign.serving.session import FILES, ModelSession, golden_vectors


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Files that were verified before they were written here."""

    files: Mapping[str, bytes]
    digest: str = ""


def smoke(folder: Path) -> dict[str, Any]:
    """Load, score every vector twice, and measure."""
    artifact = OnDisk({name: (folder / name).read_bytes() for name in FILES})
    vectors = json.loads((folder / "vectors.json").read_text())
    started = time.perf_counter()
    session = ModelSession.load(artifact)
    loaded = time.perf_counter()
    first = [score_one(session, features) for features in vectors]
    again = [score_one(session, features) for features in vectors]
    rows, native = golden_vectors(artifact.files["golden.npz"])
    return {
        "load_ms": (loaded - started) * 1_000,
        "scores": [score.hex() for score, _ in first],
        "again": [score.hex() for score, _ in again],
        "latency_ms": [milliseconds for _, milliseconds in first],
        "golden_rows": len(rows),
        "golden_difference": float(np.abs(session.score_many(rows) - native).max()),
        "peak_mb": peak_mb(),
    }


def score_one(session: ModelSession, features: Mapping[str, float | None]) -> tuple[float, float]:
    """The final score of one request's features, and the milliseconds it took."""
    started = time.perf_counter()
    model = session.score(session.vector(features))
    points, _ = score_rules(session.rules, features)
    score = combine(session.hybrid, model_score=model, rule_score=points)
    return score, (time.perf_counter() - started) * 1_000


def peak_mb() -> float:
    """The most memory this process held, in MB.

    Linux's own account begins anew with each program; `getrusage` still counts what the parent held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return float(lines["VmHWM"].split()[0]) / 1_024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_048_576


if __name__ == "__main__":
    sys.stdout.write(json.dumps(smoke(Path(sys.argv[1]))))
