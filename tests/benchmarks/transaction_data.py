"""Card transactions for `window_features`, every one known at once, and the views over them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from countersign.declare import Column, Entity, Feature, FeatureView, Source, Window
from countersign.features import duck

from tests.benchmarks.data import uniform

DAYS = 180
SPANS = (1, 7, 30)
DELAY = timedelta(days=7)
TRANSACTIONS = Source(
    name="transactions",
    description="generated",
    owner="bench",
    columns=(
        Column(name="transaction_id", type="integer"),
        Column(name="customer_id", type="string"),
        Column(name="terminal_id", type="string"),
        Column(name="amount_minor", type="integer"),
        Column(name="fraud", type="boolean"),
        Column(name="at", type="timestamp"),
    ),
    key=("transaction_id",),
    event_time="at",
)


def _view(entity: str, *features: Feature) -> FeatureView:
    return FeatureView(
        name=entity,
        entity=Entity(name=entity, key=f"{entity}_id"),
        source=TRANSACTIONS,
        description="generated",
        owner="bench",
        ttl=timedelta(days=60),
        features=features,
    )


def _window(days: int, delay: timedelta = timedelta(0)) -> Window:
    """The scored transaction counts for its customer, and no fraud counts before it can be known."""
    return Window(duration=timedelta(days=days), include_current=not delay, delay=delay)


CUSTOMER = _view(
    "customer",
    *(Feature(name=f"customer_count_{d}d", description="", aggregation="count", window=_window(d)) for d in SPANS),
    *(Feature(name=f"customer_mean_{d}d", description="", aggregation="mean", expression="amount_minor", window=_window(d)) for d in SPANS),
)  # fmt: skip
TERMINAL = _view(
    "terminal",
    *(Feature(name=f"terminal_count_{d}d", description="", aggregation="count", window=_window(d)) for d in SPANS),
    *(Feature(name=f"terminal_known_{d}d", description="", aggregation="count", window=_window(d, DELAY)) for d in SPANS),
    *(Feature(name=f"terminal_fraud_{d}d", description="", aggregation="rate", expression="fraud", window=_window(d, DELAY)) for d in SPANS),
)  # fmt: skip
VIEWS = (CUSTOMER, TERMINAL)


def transactions(folder: Path, *, rows: int) -> None:
    """`transactions.parquet` over half a year: 350 rows a customer, 175 a terminal, at whole seconds."""
    seconds = DAYS * 86_400
    entities = {"customer_id": max(rows // 350, 1), "terminal_id": max(rows // 175, 1)}
    keys = ", ".join(
        f"'{name[0]}' || floor({uniform(salt)} * {count})::INTEGER AS {name}"
        for salt, (name, count) in enumerate(entities.items())
    )
    content = (
        f"SELECT i AS transaction_id, {keys}, (100 + {uniform(5)} * 20000)::BIGINT AS amount_minor, "
        f"{uniform(6)} < 0.01 AS fraud, i * {seconds} // {rows} AS second, "
        f"TIMESTAMPTZ '2026-01-01' + to_seconds(second) AS event_time, event_time AS known_at, "
        f"md5(i::VARCHAR) AS _digest FROM range({rows}) r(i)"
    )
    with duck.connect(folder, memory_mb=768) as connection:
        connection.execute(
            f'COPY (SELECT * EXCLUDE (second), event_time AS "at" FROM ({content})) '
            f"TO '{folder / 'transactions.parquet'}'"
        )
