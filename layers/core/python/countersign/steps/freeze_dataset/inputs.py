"""Which files a dataset was frozen from: the end of its lineage, by key and SHA-256."""
# ruff: noqa: S608 - paths are ours

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign.features.duck import quote

_PIECE = 1 << 20


def read_by(
    connection: Any, files: Mapping[str, Mapping[str, Path]], as_of: datetime
) -> dict[str, Any]:
    """By source {files: {key: {sha256, bytes}}}, of those files that hold a row known by `as_of`.

    `files` has for each source the local copy of each key. What arrived later is not among them: it was
    read, and not a row of it was seen.
    """
    return {
        source: {
            "files": {
                key: {"sha256": digest(path), "bytes": path.stat().st_size}
                for key, path in copies.items()
                if known_by(connection, path, as_of)
            }
        }
        for source, copies in files.items()
    }


def known_by(connection: Any, path: Path, as_of: datetime) -> bool:
    """Whether any row of the file was known by then."""
    asked = f"SELECT min(known_at) <= ? FROM read_parquet({quote(str(path))})"
    return bool(connection.execute(asked, [as_of]).fetchone()[0])


def digest(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()
