"""What a run builds: every bucket of every view, in as many buckets as the data of the view ask for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from countersign.aws.lake import Lake
from countersign.clock import iso
from countersign.declare import FeatureView
from countersign.features.parts import history_prefix, source_prefix
from countersign.steps.build_features.sources import compact

# What one function builds from nothing within its time and memory, of sources and history as they are
# held: compressed, some tenfold of it in memory.
BUCKET_BYTES = 96 * 2**20
# More items than this travel as an object, and each is an execution of its own.
INLINE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One as-of for the whole run, its day, and `items` of {view, bucket, buckets}.

    `spread`: the items lie at `items_key` of the lake bucket as a JSON list, and `items` is empty.
    """

    as_of: str
    day: str
    items: list[dict[str, Any]]
    spread: bool = False
    items_key: str = ""


def plan(
    lake: Lake, views: Iterable[FeatureView], *, as_of: datetime, asked: Mapping[str, Any]
) -> Plan:
    """Read many small source files as few large ones from now on, and list what is to be built."""
    views = list(views)
    for source in {s.name: s for view in views for s in view.sources()}.values():
        compact(lake, source)
    items = [
        {"view": view.name, "bucket": bucket, "buckets": buckets}
        for view in views
        for buckets in [buckets_for(view, _bytes(lake, view))]
        for bucket in range(buckets)
    ]
    moment = iso(as_of)
    if len(items) <= INLINE and asked.get("distribute") is not True:
        return Plan(as_of=moment, day=moment[:10], items=items)
    key = f"builds/plans/{moment}.json"
    lake.write_json(key, items)
    return Plan(as_of=moment, day=moment[:10], items=[], spread=True, items_key=key)


def buckets_for(view: FeatureView, held: int) -> int:
    """Buckets for `held` bytes: as declared, doubled until each has its fill.

    By doubling, because another division makes every bucket start from nothing; what is held only grows,
    so a division never comes back.
    """
    declared = view.entity.buckets
    needed = held / (declared * BUCKET_BYTES)
    return declared * 2 ** max(0, math.ceil(math.log2(needed))) if needed > 0 else declared


def _bytes(lake: Lake, view: FeatureView) -> int:
    prefixes = [history_prefix(view.name), *(source_prefix(s.name) for s in view.sources())]
    return sum(size for prefix in prefixes for size in lake.sizes(prefix).values())
