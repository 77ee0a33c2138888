"""The files that a build reads of its sources; many small ones are read as few large ones.

Accepted files stay where ingestion put them. When a source has many, the plan copies their rows into one
file below `compacted/<source>/`, named by its content, and then writes the manifest that says which files
it stands for. A run that dies in between leaves a file that no manifest names, and no reader takes it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from countersign.aws.lake import Lake
from countersign.declare import FeatureView, Source
from countersign.errors import NotFoundError
from countersign.features import duck
from countersign.features.parts import compacted_prefix, source_prefix

MANY = 48
ROWS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFiles:
    """`accepted`: every file that ingestion accepted; `read`: those that hold the same rows now."""

    accepted: tuple[str, ...]
    read: tuple[str, ...]


def source_files(lake: Lake, source: Source) -> SourceFiles:
    """What there is of `source`."""
    large = _manifest(lake, source)
    accepted = lake.keys(source_prefix(source.name))
    covered = {key for part in large for key in part["files"]}
    read = [*(part["key"] for part in large), *(key for key in accepted if key not in covered)]
    return SourceFiles(accepted=tuple(sorted({*accepted, *covered})), read=tuple(read))


def load_sources(
    connection: Any, lake: Lake, view: FeatureView, files: Mapping[str, SourceFiles], place: Path
) -> None:
    """Make every source of `view` readable in the session."""
    for source in view.sources():
        paths = lake.download(files[source.name].read, place / source.name)
        duck.register_source(connection, source, paths)


def load_news(
    connection: Any, lake: Lake, view: FeatureView, news: Mapping[str, Sequence[str]], place: Path
) -> dict[str, str]:
    """Make files that the last build had not read readable by themselves; the relations by source."""
    relations = {}
    for source in view.sources():
        if news.get(source.name):
            apart = replace(source, name=f"{source.name}_news")
            paths = lake.download(news[source.name], place / apart.name)
            duck.register_source(connection, apart, paths)
            relations[source.name] = duck.source_relation(apart)
    return relations


def compact(lake: Lake, source: Source) -> int:
    """Copy the rows of small files into one when there are many; returns how many files it stands for.

    Rows, versions and tombstones stay as they are, a row that was delivered twice stays twice.
    """
    large = _manifest(lake, source)
    covered = {key for part in large for key in part["files"]}
    small = [key for key in lake.keys(source_prefix(source.name)) if key not in covered]
    if len(small) < MANY:
        return 0
    merged = [part for part in large if part["rows"] < ROWS]
    kept = [part for part in large if part["rows"] >= ROWS]
    files = sorted({*small, *(key for part in merged for key in part["files"])})
    key, rows = _merge(lake, source, [*small, *(part["key"] for part in merged)])
    parts = [*kept, {"key": key, "files": files, "rows": rows}]
    lake.write_json(_manifest_key(source), {"parts": parts})
    return len(files)


def _merge(lake: Lake, source: Source, keys: Sequence[str]) -> tuple[str, int]:
    """Write one file with the rows of all of `keys`; returns its key and its rows."""
    with tempfile.TemporaryDirectory() as scratch, duck.connect(Path(scratch)) as connection:
        paths = lake.download(sorted(keys), Path(scratch) / "small")
        target = Path(scratch) / "large.parquet"
        (rows,) = connection.execute(
            f"COPY (SELECT * FROM {duck.parquet(paths)}) TO {duck.quote(str(target))} "  # noqa: S608
            "(FORMAT parquet, COMPRESSION zstd)"
        ).fetchone()
        digest = hashlib.sha256(target.read_bytes()).hexdigest()
        key = f"{compacted_prefix(source.name)}{digest[:12]}.parquet"
        lake.put_file(key, target)
    return key, int(rows)


def _manifest(lake: Lake, source: Source) -> list[dict[str, Any]]:
    """The large files: {key, files it stands for, rows}."""
    try:
        found: list[dict[str, Any]] = lake.read_json(_manifest_key(source))["parts"]
    except NotFoundError:
        return []
    return found


def _manifest_key(source: Source) -> str:
    return f"{compacted_prefix(source.name)}manifest.json"
