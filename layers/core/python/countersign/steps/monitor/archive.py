"""Archived predictions as columns: one small Parquet file each, fetched side by side, read at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from countersign.aws.lake import Lake

FEATURE_PREFIX = "f_"
FETCHERS = 16
FACTS = ("version", "degraded", "score", "decision", "outcome", "outcome_class", "at")


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns of one length. `features` by name; NaN where null. `facts`: the columns of FACTS."""

    features: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    count: int = 0

    def scores_of(self, version: str) -> Any:
        """Final scores that this version gave by itself: not degraded, not another version's."""
        if not self.count:
            return []
        own = (self.facts["version"] == version) & ~self.facts["degraded"]
        return self.facts["score"][own]


def keys_of(lake: Lake, use_case: str, days: Iterable[date]) -> list[str]:
    """Keys of the predictions answered on these days, in order."""
    return [
        key
        for day in days
        for key in lake.keys(f"predictions/use_case={use_case}/date={day.isoformat()}/")
        if key.endswith(".parquet")
    ]


def digest_of(keys: Iterable[str], *more: str) -> str:
    """SHA-256 of which predictions a check rests on; a prediction's features never change."""
    return hashlib.sha256("\n".join([*more, *sorted(keys)]).encode()).hexdigest()


def read(lake: Lake, keys: list[str]) -> Rows:
    """The rows of these keys. A feature that only some rows have is null in the others."""
    if not keys:
        return Rows()
    with TemporaryDirectory() as folder, ThreadPoolExecutor(FETCHERS) as pool:
        shares = [keys[start::FETCHERS] for start in range(min(FETCHERS, len(keys)))]
        folders = [Path(folder) / f"{number:02d}" for number in range(len(shares))]
        list(pool.map(lake.download, shares, folders))
        return _columns(f"{folder}/*/*.parquet")


def _columns(pattern: str) -> Rows:
    import duckdb

    with duckdb.connect(config={"threads": 2}) as connection:
        table = connection.sql(
            f"SELECT * FROM read_parquet('{pattern}', union_by_name=true, hive_partitioning=false)"  # noqa: S608 - our own folder
        )
        features = [name for name in table.columns if name.startswith(FEATURE_PREFIX)]
        chosen = [
            *(f'coalesce("{name}"::DOUBLE, \'nan\'::DOUBLE) AS "{name}"' for name in features),
            "version",
            "coalesce(degraded, false) AS degraded",
            "score",
            "decision",
            "coalesce(outcome::DOUBLE, 'nan'::DOUBLE) AS outcome",
            # Rows archived before there were classes have no such column.
            "coalesce(outcome_class, '') AS outcome_class"
            if "outcome_class" in table.columns
            else "'' AS outcome_class",
            'epoch("at") AS "at"',
        ]
        columns = table.select(*map(duckdb.SQLExpression, chosen)).fetchnumpy()
    facts = {name: columns[name] for name in FACTS}
    count = len(facts["version"])
    return Rows(
        {name.removeprefix(FEATURE_PREFIX): columns[name] for name in features}, facts, count
    )
