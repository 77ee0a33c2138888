"""Histories of three views and a spine, for `pit_join`: a tenth of the rows late, ties everywhere."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from countersign.declare import Column, Entity, Feature, FeatureView, Source
from countersign.features import duck
from countersign.features.definition import definition_digest

from tests.benchmarks.data import uniform

DAYS = 180
FILES = 6
FEATURES = 10
START = "TIMESTAMPTZ '2026-01-01'"


def view(name: str, *, ttl_days: int) -> FeatureView:
    columns = [Column(name=f"{name}_{n}", type="number", nullable=True) for n in range(FEATURES)]
    source = Source(
        name=f"{name}_events",
        description="generated",
        owner="bench",
        columns=(*columns, Column(name="at", type="timestamp")),
        key=("at",),
        event_time="at",
    )
    return FeatureView(
        name=name,
        entity=Entity(name=name, key=name),
        source=source,
        description="generated",
        owner="bench",
        ttl=timedelta(days=ttl_days),
        features=tuple(
            Feature(name=c.name, description="", aggregation="last", expression=c.name)
            for c in columns
        ),
    )


# View, rows of its history, entities.
VIEWS = (
    (view("customer", ttl_days=30), 3_000_000, 60_000),
    (view("terminal", ttl_days=20), 1_500_000, 30_000),
    (view("region", ttl_days=10), 500_000, 2_000),
)
SPINE_ROWS = 1_000_000


def histories(folder: Path, *, scale: float) -> None:
    """`spine.parquet` and `<view>_<n>.parquet`, in the order of event time."""
    with duck.connect(folder, memory_mb=768) as connection:
        for feature_view, full_rows, full_entities in VIEWS:
            rows, entities = int(full_rows * scale), int(full_entities * scale)
            for part in range(FILES):
                span = rows * part // FILES, rows * (part + 1) // FILES
                target = folder / f"{feature_view.name}_{part}.parquet"
                content = _history(feature_view, rows, entities, span)
                connection.execute(f"COPY ({content}) TO '{target}'")
        keys = ", ".join(
            f"{_entity(v, int(entities * scale), salt)} AS {v.name}"
            for salt, (v, _, entities) in enumerate(VIEWS, start=50)
        )
        spine = (
            f"SELECT i AS row, {keys}, {uniform(60)} AS amount, "
            f"{START} + to_minutes(({uniform(61)} * {(DAYS + 5) * 1440})::INTEGER) AS as_of "
            f"FROM range({int(SPINE_ROWS * scale)}) r(i)"
        )
        connection.execute(f"COPY ({spine}) TO '{folder / 'spine.parquet'}'")


def _history(feature_view: FeatureView, rows: int, entities: int, span: tuple[int, int]) -> str:
    """Events on full hours. One row in ten is known up to five days late, one in a hundred comes in
    several versions of one event, and one in two hundred was built twice."""
    values = ", ".join(
        f"CASE WHEN {uniform(20 + n)} >= 0.02 THEN 1000 * {uniform(40 + n)} END AS {f.name}"
        for n, f in enumerate(feature_view.features)
    )
    hour = f"(fact * {DAYS * 24} // {rows})::INTEGER"
    late = (
        f"CASE WHEN {uniform(2)} < 0.1 THEN to_hours(({uniform(3)} * 120)::INTEGER) "
        f"ELSE INTERVAL 0 SECOND END"
    )
    return f"""
    WITH facts AS (
        SELECT i, CASE WHEN {uniform(4)} < 0.01 THEN i - 1 ELSE i END AS fact,
            {uniform(5)} < 0.005 AS twice FROM range({span[0]}, {span[1]}) r(i)
    ), clocks AS (
        SELECT *, {_entity(feature_view, entities, 1, "fact")} AS entity_id,
            {START} + to_hours({hour}) AS event_time, event_time + {late} AS known_at FROM facts
    ), built AS (
        SELECT *, known_at AS built FROM clocks WHERE NOT twice
        UNION ALL
        SELECT *, unnest([known_at, known_at + INTERVAL 1 DAY]) AS built FROM clocks WHERE twice
    )
    SELECT entity_id, event_time, known_at, {values},
        epoch_us(event_time)::DOUBLE AS _latest_{feature_view.source.name},
        event_time - to_hours(({uniform(6)} * 72)::INTEGER) AS _newest_fact_at,
        built AS _built_at, '{definition_digest(feature_view)}' AS _definition,
        md5(concat_ws('|', i, built)) AS _digest
    FROM built ORDER BY event_time, i, built
    """


def _entity(feature_view: FeatureView, entities: int, salt: int, row: str = "i") -> str:
    number = f"floor({uniform(salt, row)} * {entities})::INTEGER::VARCHAR"
    return f"'{feature_view.name[0]}' || lpad({number}, 7, '0')"
