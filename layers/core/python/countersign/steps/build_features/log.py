"""The quality log of a day: features/quality over the standing values of every view."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign.aws.lake import Lake
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
        day = iso(as_of)[:10]
        rows, facts = _rows(stores, view, as_of, day_before(stores.lake, view.name, day))
        findings = quality.findings(rows, facts)
        found = [finding["text"] for finding in findings]
        every += found
        stores.lake.write_json(
            f"quality/{view.name}/date={day}/quality.json",
            {
                "view": view.name,
                "as_of": iso(as_of),
                **facts,
                "features": rows,
                "alerts": found,
                "findings": findings,
            },
        )
        summary[view.name] = {
            "features": len(rows),
            "entities": max((row["rows"] for row in rows), default=0),
            "alerts": len(found),
        }
    return summary, every


def day_before(lake: Lake, view: str, day: str) -> dict[str, Any] | None:
    """The document of the last day on record before `day`, or None."""
    prefix = f"quality/{view}/date="
    earlier = [key for key in lake.keys(prefix) if key[len(prefix) :][:10] < day]
    return lake.read_json(earlier[-1]) if earlier else None


def _rows(
    stores: Stores, view: FeatureView, as_of: datetime, before: dict[str, Any] | None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    with tempfile.TemporaryDirectory() as scratch, duck.connect(Path(scratch)) as connection:
        files = stores.lake.download(
            stores.lake.keys(history_prefix(view.name)), Path(scratch) / "held"
        )
        if not files:
            return [], {}
        rows = quality.quality_rows(connection, view, duck.parquet(files), as_of)
        return rows, quality.view_facts(connection, view, as_of, before)
