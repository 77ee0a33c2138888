"""Where sources, feature history and the state of builds lie in the lake, and which files a bucket needs.

`offline/<view>/year=…/month=…/day=…/<bucket>-of-<buckets>-<sha12>.parquet`: the day is that of the
build that appended the file, so a day's build is one file a bucket and no file is ever rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

_PART = re.compile(r"/(\d+)-of-(\d+)-[0-9a-f]{12}\.parquet$")


def history_prefix(view: str) -> str:
    """Every part of `view` lies below."""
    return f"offline/{view}/"


def history_key(view: str, built_at: datetime, bucket: int, buckets: int, sha256: str) -> str:
    """The key of a new part."""
    day = built_at.astimezone(UTC)
    return (
        f"{history_prefix(view)}year={day:%Y}/month={day:%m}/day={day:%d}/"
        f"{bucket}-of-{buckets}-{sha256[:12]}.parquet"
    )


def parts_with(keys: Iterable[str], bucket: int, buckets: int) -> list[str]:
    """The parts that may hold entities of a bucket; those of another division all do."""
    chosen = []
    for key in keys:
        found = _PART.search(key)
        if found is None:
            continue
        same = int(found[2]) == buckets
        if not same or int(found[1]) == bucket:
            chosen.append(key)
    return chosen


def source_prefix(source: str) -> str:
    """Every accepted file of `source` lies below."""
    return f"sources/{source}/"


def compacted_prefix(source: str) -> str:
    """Larger files with the rows of many accepted ones, and the manifest that says of which."""
    return f"compacted/{source}/"


def build_key(view: str, bucket: int, buckets: int) -> str:
    """What is said of the last complete build of a bucket."""
    return f"builds/{view}/{bucket}-of-{buckets}.json"
