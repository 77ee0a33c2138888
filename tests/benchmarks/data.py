"""Generated data, written once and found again by the digest of what it was made from."""

from __future__ import annotations

import hashlib
import inspect
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path("build/bench/data")
SCRATCH = Path("build/bench/scratch")


def made(make: Callable[..., None], **parameters: Any) -> Path:
    """The folder that `make(folder, **parameters)` fills, made now or found from an earlier run."""
    source = inspect.getsource(inspect.getmodule(make) or make)
    meaning = json.dumps([source, parameters], sort_keys=True, default=str)
    folder = ROOT / f"{make.__name__}-{hashlib.sha256(meaning.encode()).hexdigest()[:12]}"
    if not folder.exists():
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        make(partial, **parameters)
        partial.rename(folder)
    return folder


def uniform(salt: int, row: str = "i") -> str:
    """SQL: a number in [0, 1) that depends on the row and the salt only."""
    return f"(hash({row}, {salt}) / 18446744073709551616.0)"
