"""`window_features`: fifteen windowed features of every transaction, as of that transaction.

From Parquet through the engine to Parquet: the stream of versions, values by the road that the engine
chooses, joined to the transactions. Linear: a row costs no more at full size than at a quarter of it.
"""

from __future__ import annotations

import os
from pathlib import Path

from countersign.features import duck, engine, pointintime

from tests.benchmarks.data import SCRATCH, made
from tests.benchmarks.measure import Measurement, peak_megabytes, seconds
from tests.benchmarks.transaction_data import TRANSACTIONS, VIEWS, transactions

MEMORY_MB = 1536
ROWS = 1_750_000
PROMISED_SECONDS = 20
PROMISED_PEAK_MB = 3000
LINEAR = 1.25
END = "TIMESTAMP '2027-01-01'"


def run() -> list[Measurement]:
    rows = int(ROWS * float(os.environ.get("BENCH_SCALE", "1")))
    SCRATCH.mkdir(parents=True, exist_ok=True)
    quarter, half, full = (_seconds(rows // part) for part in (4, 2, 1))
    return [
        Measurement(
            name="window_features",
            value=full,
            unit="s",
            reference="promise: 20 s",
            reference_value=PROMISED_SECONDS,
            at_most=1.0,
        ),
        Measurement(
            name="window_features_peak_memory",
            value=peak_megabytes(),
            unit="MB",
            reference="promise: 3 GB",
            reference_value=PROMISED_PEAK_MB,
            at_most=1.0,
        ),
        Measurement(
            name="window_features_half_per_row",
            value=half / (rows // 2) * 1e6,
            unit="µs/row",
            reference="a row at a quarter of the rows",
            reference_value=quarter / (rows // 4) * 1e6,
            at_most=LINEAR,
        ),
        Measurement(
            name="window_features_full_per_row",
            value=full / rows * 1e6,
            unit="µs/row",
            reference="a row at a quarter of the rows",
            reference_value=quarter / (rows // 4) * 1e6,
            at_most=LINEAR,
        ),
    ]


def _seconds(rows: int) -> float:
    folder = made(transactions, rows=rows)
    return seconds(lambda: _compute(folder), repeat=3)


def _compute(folder: Path) -> None:
    with duck.connect(SCRATCH, memory_mb=MEMORY_MB) as connection:
        duck.register_source(connection, TRANSACTIONS, [folder / "transactions.parquet"])
        source = duck.source_relation(TRANSACTIONS)
        rows = (
            f"(SELECT transaction_id, customer_id, terminal_id, event_time AS as_of FROM {source})"
        )
        for view in VIEWS:
            stream = engine.create_stream(connection, view, known_by=END)
            rows = f"({pointintime.direct_sql(view, stream, rows)})"
        connection.execute(f"COPY {rows} TO '{SCRATCH / 'window_features.parquet'}'")
