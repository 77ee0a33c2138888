"""Materialize one bucket: from the watermark on, in the order of entities, a chunk at a time.

The progress of a run is kept beside the values: after each chunk the last entity written, at the end
the new watermark. A run that was killed is taken up where it stopped; writing again is harmless,
because a write never replaces a newer value.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign.aws.online import OnlineRow
from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.declare import FeatureView
from countersign.features import duck
from countersign.features.definition import definition_digest
from countersign.features.online_rows import latest_rows, newest_build
from countersign.features.parts import history_prefix, parts_with

CHUNK = 600


def materialize(
    stores: Stores, view: FeatureView, *, as_of: datetime, bucket: int, buckets: int, full: bool
) -> tuple[int, int, str]:
    """Returns (written, skipped because nothing older stood, watermark)."""
    part = f"{bucket}-of-{buckets}"
    done = stores.online.progress(view.name, part)
    known = stores.online.parts(view.name)
    untouched = part not in known and all(name.endswith(f"-of-{buckets}") for name in known)
    if full or done.get("definition") != definition_digest(view):
        done = {}
    keys = parts_with(stores.lake.keys(history_prefix(view.name)), bucket, buckets)
    since = str(done.get("watermark", ""))
    with tempfile.TemporaryDirectory() as scratch, duck.connect(Path(scratch)) as connection:
        files = stores.lake.download(keys, Path(scratch) / "held")
        history = duck.parquet(files) if files else ""
        until = newest_build(connection, view, history, as_of) if files else ""
        if not until or until <= since:
            return 0, 0, since
        resumed = str(done.get("cursor", "")) if done.get("run") == until else ""
        rows = latest_rows(
            connection, view, history, as_of=as_of, since=since, after=resumed,
            bucket=bucket, buckets=buckets,
        )  # fmt: skip
        if untouched:
            # None of these entities is online yet: what has expired need not go there to be hidden.
            now = stores.clock.now().timestamp()
            rows = (row for row in rows if row[1]["expires"] > now)
        progress = {"watermark": since, "run": until, "definition": definition_digest(view)}
        outcomes = _write(stores, view, part, rows, progress)
    stores.online.save_progress(
        view.name, part, {**progress, "watermark": until, "cursor": "", "as_of": iso(as_of)}
    )
    return sum(outcomes), len(outcomes) - sum(outcomes), until


def _write(
    stores: Stores, view: FeatureView, part: str, rows: Any, progress: dict[str, str]
) -> list[bool]:
    outcomes: list[bool] = []
    for chunk in _chunks(rows):
        named = [(identity, OnlineRow(**values)) for identity, values in chunk]
        outcomes += stores.online.write(view.entity.name, view.name, named)
        stores.online.save_progress(view.name, part, {**progress, "cursor": chunk[-1][0]})
    return outcomes


def _chunks(rows: Iterator[Any]) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
