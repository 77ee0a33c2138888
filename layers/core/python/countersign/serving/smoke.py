"""Load a model and score with it, in a process that may be lost: `python -m countersign.serving.smoke FOLDER`.

FOLDER holds the session's files and `vectors.json`, a list of feature mappings. Whoever starts it has
verified the files. It prints one JSON line: scores as hexadecimal floats, so that equal means equal bits.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign.errors import ArtifactError
from countersign.serving.fallback import with_model
from countersign.serving.routing import VersionRef
from countersign.serving.session import FILES, ModelSession, golden_vectors

_NOBODY = VersionRef("", "")


@dataclass(frozen=True, slots=True)
class Answered:
    """Final score, probabilities by class (none for a model of one score), decision, and the time it took."""

    score: float
    shares: tuple[float, ...]
    decision: str
    milliseconds: float


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
    first = [answer_one(session, features) for features in vectors]
    again = [answer_one(session, features) for features in vectors]
    rows, native = golden_vectors(artifact.files["golden.npz"])
    report = {
        "load_ms": (loaded - started) * 1_000,
        "scores": [one.score.hex() for one in first],
        "again": [one.score.hex() for one in again],
        "latency_ms": [one.milliseconds for one in first],
        "golden_rows": len(rows),
        "golden_difference": session.difference(rows, native),
        "peak_mb": peak_mb(),
    }
    if session.classes:
        report["shares"] = [[share.hex() for share in one.shares] for one in first]
        report["shares_again"] = [[share.hex() for share in one.shares] for one in again]
        report["decisions"] = [one.decision for one in first]
    return report


def answer_one(session: ModelSession, features: Mapping[str, float | None]) -> Answered:
    """What would be answered to one request's features; NaN where the model gives nothing usable."""
    started = time.perf_counter()
    try:
        said = session.say(session.vector(features))
        verdict = with_model(session, _NOBODY, features, said)
    except ArtifactError:
        return Answered(math.nan, (math.nan,) * len(session.classes), "", _since(started))
    shares = tuple((verdict.probabilities or {}).values())
    return Answered(verdict.score, shares, verdict.decision, _since(started))


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1_000


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
