"""The delivery as a whole, held against the accepted ones before it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from countersign.aws.deliveries import Deliveries
from countersign.aws.lake import Lake
from countersign.features import delivery_checks, duck
from countersign.features.parts import source_prefix
from countersign.steps.ingest.file import Taken


def weigh(taken: Taken, lake: Lake, deliveries: Deliveries) -> None:
    """Flag what is odd about an acceptable file, or refuse it; the reason says which and why."""
    source = taken.declared
    if source is None or taken.connection is None:
        return
    taken.profile = delivery_checks.profile(taken.connection, source)
    stored = None
    if source.same:
        keys = lake.keys(source_prefix(source.name))
        files = lake.download(keys, taken.path.parent / "stored")
        stored = duck.parquet(files) if files else None
    earlier: list[Any] = [json.loads(text) for text in deliveries.profiles(source.name)]
    found = delivery_checks.weigh(taken.connection, source, taken.profile, earlier, stored)
    if not found:
        return
    taken.evidence["warnings"] = [asdict(warned) for warned in found]
    taken.warnings = [_told(warned) for warned in found]
    refused = [_told(warned) for warned in found if warned.refused]
    if refused:
        taken.status, taken.reason = "quarantined", "; ".join(refused)
    else:
        flagged = f"flagged: {'; '.join(taken.warnings)}"
        taken.reason = "; ".join(part for part in (taken.reason, flagged) if part)


def _told(warned: delivery_checks.Warned) -> str:
    return f"{warned.check} of {warned.column}: {warned.text}" if warned.column else warned.text
