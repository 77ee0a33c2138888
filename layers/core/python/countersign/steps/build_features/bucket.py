"""Build one bucket of one view: compute its history, append what is new."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign.aws.lake import Lake
from countersign.aws.stores import Stores
from countersign.declare import FeatureView
from countersign.features import duck
from countersign.features.history import create_history, fresh_rows_sql
from countersign.features.parts import history_key, history_prefix, parts_with, source_prefix


def build(
    stores: Stores, view: FeatureView, *, as_of: datetime, bucket: int, buckets: int
) -> tuple[int, int]:
    """Append the history rows that the lake lacks; returns (rows, parts).

    The same facts give no row a second time, so a second run, or one after a kill, adds nothing.
    """
    built_at = max(stores.clock.now(), as_of)
    with tempfile.TemporaryDirectory() as scratch, duck.connect(Path(scratch)) as connection:
        place = Path(scratch)
        load_sources(connection, stores.lake, view, place)
        computed = create_history(
            connection, view, as_of=as_of, built_at=built_at, bucket=bucket, buckets=buckets
        )
        keys = parts_with(stores.lake.keys(history_prefix(view.name)), bucket, buckets)
        held = stores.lake.download(keys, place / "held")
        fresh = fresh_rows_sql(view, computed, duck.parquet(held) if held else None)
        target = place / "part.parquet"
        (rows,) = connection.execute(
            f"COPY ({fresh} ORDER BY entity_id, event_time, known_at) TO "
            f"{duck.quote(str(target))} (FORMAT parquet, COMPRESSION zstd)"
        ).fetchone()
        if rows:
            digest = hashlib.sha256(target.read_bytes()).hexdigest()
            key = history_key(view.name, built_at, bucket, buckets, digest)
            stores.lake.put_file(key, target)
    return int(rows), int(rows > 0)


def load_sources(connection: Any, lake: Lake, view: FeatureView, place: Path) -> None:
    """Make every source of `view` readable in the session."""
    for source in view.sources():
        files = lake.download(lake.keys(source_prefix(source.name)), place / source.name)
        duck.register_source(connection, source, files)
