"""The stream of a view: every version of every fact of its sources, with the time it stood.

A fact is (source, key). Its versions are ordered by (known_at, digest); a version stands from its
own `known_at` until that of the next. A tombstone ends the one before it and never stands itself.

Columns: `_source`, `_fact`, `_entity`, `_t`, `_known`, `_until`, `_digest`, then the sources' own.
"""

# ruff: noqa: S608 - SQL is made of declarations, never of what a request or a file says
from __future__ import annotations

from collections.abc import Mapping

from countersign.declare import FeatureView, Source
from countersign.features.buckets import bucket_sql
from countersign.features.duck import source_relation

FOREVER = "TIMESTAMP 'infinity'"


def stream_sql(view: FeatureView, *, known_by: str, bucket: int = 0, buckets: int = 1) -> str:
    """The versions known by the moment `known_by` (SQL TIMESTAMP) of the entities of one bucket."""
    sources = versions_sql(
        view, {source.name: source_relation(source) for source in view.sources()}
    )
    kept = f" AND {bucket_sql('_entity', buckets)} = {bucket}" if buckets > 1 else ""
    return (
        f"SELECT * EXCLUDE (_tombstone) FROM ("
        f"SELECT *, lead(_known, 1, {FOREVER}) OVER "
        f"(PARTITION BY _source, _fact ORDER BY _known, _digest) AS _until "
        f"FROM ({sources}) WHERE _known <= {known_by}"
        f") WHERE NOT _tombstone AND _until > _known AND _entity IS NOT NULL{kept}"
    )


def versions_sql(view: FeatureView, relations: Mapping[str, str]) -> str:
    """Every delivered version, tombstones too, of the sources that `relations` has rows of, by name."""
    return " UNION ALL BY NAME ".join(
        _rows(view, source, relations[source.name])
        for source in view.sources()
        if source.name in relations
    )


def _rows(view: FeatureView, source: Source, relation: str) -> str:
    """One source's rows under the stream's names."""
    key = ", ".join(f'"{column}"::VARCHAR' for column in source.key)
    columns = ", ".join(f'"{column.name}"' for column in source.columns)
    return (
        f"SELECT '{source.name}' AS _source, concat_ws(chr(31), {key}) AS _fact, "
        f'"{view.entity.key}"::VARCHAR AS _entity, '
        f"(event_time AT TIME ZONE 'UTC') AS _t, (known_at AT TIME ZONE 'UTC') AS _known, "
        f"_digest, coalesce(_deleted, false) AS _tombstone, {columns} "
        f"FROM {relation}"
    )
