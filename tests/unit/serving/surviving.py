"""Load and score hundreds of spoilt models, in a process that may be lost. Prints how many, and how many loaded."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import suppress
from types import SimpleNamespace

from countersign.errors import ArtifactError
from countersign.serving.session import ModelSession
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.unit.serving.models import served_class_files, served_files

CLASSES = ("a", "b")
FILES = (
    served_files(["x", "y", "z"]),
    served_class_files(
        ["x", "y", "z"],
        classes=CLASSES,
        strategies=[
            {"name": name, "text": name, "at_least": 0, "wait": 0, "rules": []} for name in CLASSES
        ],
        low=(0.25, 0.75),
        high=(0.75, 0.25),
    ),
)
SIZE = min(len(files["model.onnx"]) for files in FILES)
counts: Counter[str] = Counter()


@seed(7)
@settings(
    max_examples=400,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    of=st.integers(0, len(FILES) - 1),
    edits=st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(0, 255)), max_size=3),
)
def survive(of: int, edits: list[tuple[int, int]]) -> None:
    changed = bytearray(FILES[of]["model.onnx"])
    for at, byte in edits:
        changed[at] = byte
    counts["tried"] += 1
    artifact = SimpleNamespace(digest="d", files={**FILES[of], "model.onnx": bytes(changed)})
    try:
        session = ModelSession.load(artifact)
    except ArtifactError:
        return
    counts["loaded"] += 1
    for value in (0.0, 7.0, 10.0, 20.0, 30.0, -3e38):
        with suppress(ArtifactError):
            session.score([value] * 3)


if __name__ == "__main__":
    survive()
    sys.stdout.write(f"{counts['tried']} {counts['loaded']}")
