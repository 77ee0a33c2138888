"""Check that a registered version loads and scores as it must, in fresh processes that may be lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.errors import ArtifactError
from countersign.learning.validation import checks_of, synthetic_vectors
from countersign.serving.session import FILES

PROCESSES = 2
_SECONDS = 40


@dataclass(frozen=True, slots=True)
class Request:
    """Which version to check."""

    use_case: str
    version: str


@dataclass(frozen=True, slots=True)
class Result:
    """`checks` by name, each `{passed, …figures}`; `passed` when all did."""

    use_case: str
    version: str
    passed: bool
    checks: dict[str, Any]


def run(request: Request, stores: Stores) -> Result:
    """Verify the artifact here, then load it and score 100 synthetic vectors in two fresh processes."""
    use_case = use_cases.get(request.use_case)
    digest = stores.registry.version(request.use_case, request.version).digest
    folder = f"{request.use_case}/{request.version}"
    try:
        files = stores.artifacts.load(folder, FILES, digest=digest).files
        serving = json.loads(files["serving.json"])
        if tuple(serving.get("classes", ())) != use_case.label.classes:
            raise ArtifactError("The model's classes are not those of the label; train it again")
        reports = [score_apart(files, serving) for _ in range(PROCESSES)]
    except ArtifactError as error:
        checks = checks_of([], score_range=(0, 1), latency_limit_ms=0)
        checks["model_loads"]["reason"] = f"{type(error).__name__}: {error.detail}"
        return Result(request.use_case, request.version, False, checks)
    checks = checks_of(
        reports,
        score_range=serving["score_range"],
        latency_limit_ms=use_case.latency_p95_ms,
    )
    passed = all(check["passed"] for check in checks.values())
    return Result(request.use_case, request.version, passed, checks)


def score_apart(files: dict[str, bytes], serving: dict[str, Any]) -> dict[str, Any]:
    """What a fresh process, without our credentials, reports of the model. Raises ArtifactError."""
    with tempfile.TemporaryDirectory() as place:
        for name, content in files.items():
            (Path(place) / name).write_bytes(content)
        (Path(place) / "vectors.json").write_text(json.dumps(synthetic_vectors(serving)))
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "countersign.serving.smoke", place],
                capture_output=True,
                timeout=_SECONDS,
                check=False,
                env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "HOME": place},
            )
        except subprocess.TimeoutExpired as error:
            raise ArtifactError(f"The model did not finish within {_SECONDS} s") from error
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise ArtifactError(
            f"The process that loaded the model ended with {done.returncode}: {last}"
        )
    report: dict[str, Any] = json.loads(done.stdout)
    return report
