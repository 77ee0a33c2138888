"""The quality log of a day: features/quality over the standing values of every view."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign.aws.stores import Stores
from countersign.clock import iso
from countersign.declare import FeatureView
from countersign.features import duck, quality
from countersign.features.parts import history_prefix


def log_quality(
    stores: Stores, views: Iterable[FeatureView], as_of: datetime
) -> tuple[dict[str, Any], list[str]]:
    """Write `quality/<view>/date=…/quality.json` for each view; returns a summary and the alerts."""
    summary: dict[str, Any] = {}
    every: list[str] = []
    for view in views:
        rows = _rows(stores, view, as_of)
        found = quality.alerts(rows)
        every += found
        day = iso(as_of)[:10]
        stores.lake.write_json(
            f"quality/{view.name}/date={day}/quality.json",
            {"view": view.name, "as_of": iso(as_of), "features": rows, "alerts": found},
        )
        summary[view.name] = {
            "features": len(rows),
            "entities": max((row["rows"] for row in rows), default=0),
            "alerts": len(found),
        }
    return summary, every


def _rows(stores: Stores, view: FeatureView, as_of: datetime) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as scratch, duck.connect(Path(scratch)) as connection:
        files = stores.lake.download(
            stores.lake.keys(history_prefix(view.name)), Path(scratch) / "held"
        )
        if not files:
            return []
        return quality.quality_rows(connection, view, duck.parquet(files), as_of)
