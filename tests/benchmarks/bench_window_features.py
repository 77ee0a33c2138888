"""`window_features`: fifteen windowed features of every transaction, as of that transaction.

From Parquet through the engine to Parquet: the stream of versions, values by the road that the engine
chooses, joined to the transactions. Linear: a row costs the processor as much at full size as at a quarter of
it (processor time, because a neighbour on the machine changes the other).
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from countersign.features import duck, engine, pointintime

from tests.benchmarks.data import SCRATCH, made
from tests.benchmarks.measure import Measurement, peak_megabytes, seconds
from tests.benchmarks.transaction_data import TRANSACTIONS, VIEWS, transactions

MEMORY_MB = 2000
REPEAT = 3
ROWS = 1_750_000
PROMISED_SECONDS = 20
PROMISED_PEAK_MB = 3000
LINEAR = 1.25
END = "TIMESTAMP '2027-01-01'"


def run() -> list[Measurement]:
    rows = int(ROWS * float(os.environ.get("BENCH_SCALE", "1")))
    SCRATCH.mkdir(parents=True, exist_ok=True)
    (quarter, _), (half, _), (full, spent) = (_cost(rows // part) for part in (4, 2, 1))
    return [
        Measurement(
            name="window_features",
            value=spent,
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
        *(
            Measurement(
                name=f"window_features_cpu_per_row_{name}",
                value=cost,
                unit="µs",
                reference="a row at a quarter of the rows",
                reference_value=quarter,
                at_most=LINEAR,
            )
            for name, cost in (("half", half), ("full", full))
        ),
    ]


def _cost(rows: int) -> tuple[float, float]:
    """Processor time per row in microseconds (mean), and wall time in seconds (the least: others only add)."""
    folder = made(transactions, rows=rows)
    started = time.process_time()
    spent = min(seconds(lambda: _compute(folder), repeat=1) for _ in range(REPEAT))
    return (time.process_time() - started) / REPEAT / rows * 1e6, spent


def _compute(folder: Path) -> None:
    with duck.connect(SCRATCH, memory_mb=MEMORY_MB) as connection:
        duck.register_source(connection, TRANSACTIONS, [folder / "transactions.parquet"])
        source = duck.source_relation(TRANSACTIONS)
        rows = (
            f"(SELECT transaction_id, customer_id, terminal_id, event_time AS as_of FROM {source})"
        )
        for view in VIEWS:
            stream = engine.create_stream(connection, view, known_by=END)
            values = pointintime.direct_sql(view, stream, rows)
            rows = f"with_{view.name}"
            connection.execute(f"CREATE TEMP TABLE {rows} AS {values}")
            connection.execute(f"DROP TABLE {stream}")
        connection.execute(f"COPY {rows} TO '{SCRATCH / 'window_features.parquet'}'")
