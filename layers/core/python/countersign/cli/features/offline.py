"""One entity's history, read straight from the lake's Parquet by whoever may read it there.

The operations API carries no query engine: a person's own rights on `offline/` decide.
"""

# ruff: noqa: S608 - SQL is made of declarations and quoted literals
from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign.aws.lake import Lake
from countersign.cli import printing
from countersign.clock import parse_iso
from countersign.declare import FeatureView
from countersign.features import duck
from countersign.features.buckets import bucket_of
from countersign.features.definition import definition_digest
from countersign.features.engine import LATEST, stored_columns
from countersign.features.packing import Unpacked, serve
from countersign.features.parts import history_prefix, parts_with
from countersign.features.pointintime import latest_sql

_ISO = "%Y-%m-%dT%H:%M:%S.%fZ"
_CLOCKS = ("event_time", "known_at", "_built_at")


@dataclass(frozen=True, slots=True)
class Standing:
    """The row that stands at a moment: stored values, and the clocks as ISO-8601 UTC."""

    unpacked: Unpacked
    event_time: str
    known_at: str
    built_at: str


def standing_row(lake: Lake, view: FeatureView, entity_id: str, at: datetime) -> Standing | None:
    """What training would be given of this entity at `at`; None when nothing was known then."""
    with _history(lake, view, entity_id) as (connection, history):
        if not history:
            return None
        moment = f"({duck.timestamp(at)} AT TIME ZONE 'UTC')"
        rows = _fetch(connection, view, latest_sql(view, history, moment))
    if not rows:
        return None
    (row,) = rows
    return Standing(_unpacked(view, row), row["event_time"], row["known_at"], row["_built_at"])


def history_rows(
    lake: Lake,
    view: FeatureView,
    entity_id: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[dict[str, Any]]:
    """Rows {event_time, known_at, built_at, status, values} by event time, then by what was known.

    `status`: `first` of an event time, `restated` when it became known that a value had been another,
    `rebuilt` when the same clocks were computed again. Values are as served at their event time.
    """
    wanted = [f"_definition = '{definition_digest(view)}'"]
    wanted += [f"event_time >= {_moment(since)}"] if since else []
    wanted += [f"event_time < {_moment(until)}"] if until else []
    with _history(lake, view, entity_id) as (connection, history):
        if not history:
            return []
        rows = _fetch(
            connection,
            view,
            f"SELECT * FROM {history} WHERE {' AND '.join(wanted)}",
        )
    found: list[dict[str, Any]] = []
    for row in rows:
        before = found[-1] if found else None
        found.append(
            {
                "event_time": row["event_time"],
                "known_at": row["known_at"],
                "built_at": row["_built_at"],
                "status": _status(row, before),
                "values": serve(view, _unpacked(view, row), parse_iso(row["event_time"])),
            }
        )
    return found


def _unpacked(view: FeatureView, row: Mapping[str, Any]) -> Unpacked:
    stored = {f.name: row[f.name] for f in view.features}
    return Unpacked(stored, {s.name: row[f"{LATEST}{s.name}"] for s in view.sources()})


def _status(row: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    if before is None or before["event_time"] != row["event_time"]:
        return "first"
    return "restated" if before["known_at"] != row["known_at"] else "rebuilt"


@contextmanager
def _history(lake: Lake, view: FeatureView, entity_id: str) -> Iterator[tuple[Any, str]]:
    """A session and the relation of this entity's rows; an empty name when nothing is held."""
    buckets = view.entity.buckets
    keys = parts_with(lake.keys(history_prefix(view.name)), bucket_of(entity_id, buckets), buckets)
    with tempfile.TemporaryDirectory() as scratch, duck.connect(Path(scratch)) as connection:
        files: list[Path] = []
        with printing.progress() as bars:
            for number, key in enumerate(bars.track(keys, description="Reading history")):
                files += lake.download([key], Path(scratch) / f"{number:06d}")
        if files:
            connection.execute(
                f"CREATE TEMP TABLE mine AS SELECT * FROM {duck.parquet(files)} "
                f"WHERE entity_id = {duck.quote(entity_id)}"
            )
        yield connection, "mine" if files else ""


def _fetch(connection: Any, view: FeatureView, sql: str) -> list[dict[str, Any]]:
    names = [*_CLOCKS, *stored_columns(view)]
    clocks = ", ".join(f"strftime({clock}, '{_ISO}')" for clock in _CLOCKS)
    values = ", ".join(f'"{name}"' for name in stored_columns(view))
    rows = connection.execute(
        f"SELECT {clocks}, {values} FROM ({sql}) ORDER BY event_time, known_at, _built_at, _digest"
    ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


def _moment(moment: datetime) -> str:
    return f"({duck.timestamp(moment)} AT TIME ZONE 'UTC')"
