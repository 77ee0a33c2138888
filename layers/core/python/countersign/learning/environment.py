"""Where a model was made: the part of its birth certificate that a re-run must match."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from importlib import metadata

TRAINING = ("numpy", "scikit-learn", "duckdb")
EXPORT = ("numpy", "onnx", "onnxruntime")


def describe(packages: Iterable[str]) -> dict[str, str]:
    """Python, machine, the versions of `packages`, and a digest of every installed distribution."""
    installed = sorted(
        {f"{d.metadata['Name'].lower()}=={d.version}" for d in metadata.distributions()}
    )
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "dependencies_sha256": hashlib.sha256("\n".join(installed).encode()).hexdigest(),
        **{name: _version(name) for name in packages},
    }


def _version(name: str) -> str:
    """The installed version; a layer may have been stripped of its metadata."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"
