"""What materialization writes: the row of each entity that stands, packed."""
# ruff: noqa: S608 - SQL is made of declarations

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from countersign.declare import FeatureView
from countersign.features.buckets import bucket_sql
from countersign.features.definition import definition_digest
from countersign.features.duck import quote, timestamp
from countersign.features.engine import carried_columns, stored_columns
from countersign.features.packing import pack
from countersign.features.pointintime import latest_sql

_ISO = "%Y-%m-%dT%H:%M:%S.%fZ"
_FETCH = 2000


def newest(connection: Any, view: FeatureView, part: str, as_of: datetime) -> tuple[str, bool]:
    """When the newest row of `part` known by `as_of` was built (ISO-8601 UTC, empty when there is
    none), and whether a row of it is known only later.
    """
    known = f"known_at <= {_moment(as_of)}"
    built, later = connection.execute(
        f"SELECT strftime(max(_built_at) FILTER ({known}), '{_ISO}'), count(*) FILTER (NOT {known}) "
        f"FROM {part} WHERE _definition = '{definition_digest(view)}'"
    ).fetchone()
    return str(built or ""), bool(later)


def latest_rows(
    connection: Any,
    view: FeatureView,
    history: str,
    *,
    as_of: datetime,
    grown: str = "",
    after: str = "",
    bucket: int = 0,
    buckets: int = 1,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(entity id, fields of an online row) of the entities with a row in `grown`, by default all.

    In the order of ids, only those greater than `after`.
    """
    news = (
        f"(SELECT entity_id FROM {grown or history} WHERE _definition = '{definition_digest(view)}' "
        f"AND known_at <= {_moment(as_of)} AND entity_id > {quote(after)} "
        f"AND {bucket_sql('entity_id', buckets)} = {bucket})"
    )
    mine = f"(SELECT * FROM {history} SEMI JOIN {news} USING (entity_id))"
    numbers = ", ".join(f'"{name}"' for name in stored_columns(view))
    ids = ", ".join(f'"{name}"' for name in carried_columns(view))
    cursor = connection.execute(
        f"SELECT entity_id, strftime(event_time, '{_ISO}'), strftime(known_at, '{_ISO}'), "
        f"strftime(_built_at, '{_ISO}'), _digest, epoch_us(_newest_fact_at), [{ids}], {numbers} "
        f"FROM ({latest_sql(view, mine, _moment(as_of))}) ORDER BY entity_id"
    )
    while batch := cursor.fetchmany(_FETCH):
        for row in batch:
            yield str(row[0]), _fields(view, row)


def _fields(view: FeatureView, row: tuple[Any, ...]) -> dict[str, Any]:
    _, event_time, known_at, built_at, digest, newest, ids, *numbers = row
    born = int(newest or 0) // 1_000_000
    return {
        "packed": pack(view, numbers),
        "event_at": event_time,
        "known": known_at,
        "built": built_at,
        "digest": digest,
        "expires": born + int(view.ttl.total_seconds()),
        "ids": {name: value for name, value in zip(view.carries, ids, strict=True) if value},
    }


def _moment(moment: datetime) -> str:
    return f"({timestamp(moment)} AT TIME ZONE 'UTC')"
