"""Where a model was made: the part of its birth certificate that a re-run must match.

A layer carries `countersign/build.json`, written when it was built: commit, state of the tree, digests of
our code and of `uv.lock`. A checkout has none; there git, the code and the lock file are asked themselves.
"""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

TRAINING = ("numpy", "scipy", "scikit-learn", "xgboost", "duckdb")
EXPORT = ("numpy", "onnx", "onnxruntime")
BUILD = "build.json"
# What a build is made of, as `describe` names it.
BUILT = ("commit", "tree", "code_sha256", "lock_sha256", "built_with")
UNKNOWN = "unknown"
PACKAGE = Path(__file__).resolve().parent.parent
# The distributions that bring a module of this name, and the module itself.
_BROUGHT_BY = {"xgboost": ("xgboost-cpu", "xgboost")}
_MODULES = {"scikit-learn": "sklearn"}


def describe(packages: Iterable[str]) -> dict[str, str]:
    """Python, machine, the build, the versions of `packages`, and a digest of every installed distribution."""
    installed = sorted(
        {f"{d.metadata['Name'].lower()}=={d.version}" for d in metadata.distributions()}
    )
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "dependencies_sha256": hashlib.sha256("\n".join(installed).encode()).hexdigest(),
        **build_facts(),
        **{name: _version(name) for name in packages},
    }


@cache
def build_facts(package: Path = PACKAGE) -> dict[str, str]:
    """`commit`, `tree` (clean or dirty), `code_sha256`, `lock_sha256`, `built_with`; "unknown" where nobody knows."""
    try:
        known = json.loads((package / BUILD).read_bytes())
    except OSError:
        known = facts_of(package)
    return {name: str(known.get(name, UNKNOWN)) for name in BUILT}


def facts_of(package: Path, *, built_with: str = "a checkout") -> dict[str, str]:
    """The same of our package as it lies in a checkout: a function of its content alone, never of time."""
    root = _checkout(package)
    return {
        **({"commit": UNKNOWN, "tree": UNKNOWN} if root is None else _commit(root)),
        "code_sha256": code_digest(package),
        "lock_sha256": UNKNOWN if root is None else _digest(root / "uv.lock"),
        "built_with": built_with,
    }


def _checkout(package: Path) -> Path | None:
    """The checkout whose `layers/core/python/` holds the package; None where it is installed."""
    if package.parts[-4:-1] != ("layers", "core", "python"):
        return None
    root = package.parents[3]
    return root if (root / "uv.lock").is_file() else None


def _commit(root: Path) -> dict[str, str]:
    """The commit, and whether what functions run (code and lock) is as committed."""
    commit = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain", "--", "layers", "uv.lock")
    tree = UNKNOWN if changed is None else "dirty" if changed else "clean"
    return {"commit": commit or UNKNOWN, "tree": tree}


def _git(root: Path, *words: str) -> str | None:
    """What git says of the checkout; None when there is no git, or no repository."""
    try:
        answer = subprocess.run(  # noqa: S603 - our own words
            ["git", "-C", str(root), *words],  # noqa: S607 - whichever git the person has
            check=False,
            capture_output=True,
            text=True,
        )
    except OSError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def code_files(package: Path = PACKAGE) -> Iterator[Path]:
    """Our code as functions run it, in order: the command line stays at home."""
    for path in sorted(package.rglob("*")):
        parts = path.relative_to(package).parts
        if parts[0] not in ("cli", BUILD) and "__pycache__" not in parts and path.is_file():
            yield path


def code_digest(package: Path = PACKAGE) -> str:
    """SHA-256 over the name and bytes of every code file: what a commit alone does not say of a dirty tree."""
    digest = hashlib.sha256()
    for path in code_files(package):
        digest.update(
            path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0"
        )
    return digest.hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _version(name: str) -> str:
    """The installed version; a module that is loaded tells its own where a layer has no metadata."""
    for distribution in _BROUGHT_BY.get(name, (name,)):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return str(getattr(sys.modules.get(_MODULES.get(name, name)), "__version__", UNKNOWN))
