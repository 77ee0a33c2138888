"""`pit_join`: a million spine rows, three views of five million rows, thirty features, in Parquet.

The reference is an ASOF join as one writes it by hand, on the same files and with the same columns
out. It looks at `event_time` alone, so it may take a value that was not known yet and any one of
several versions; ours keeps both clocks and the order of versions. Both write Parquet, in turns.
"""

from __future__ import annotations

import os
from pathlib import Path

from countersign.features import asof, duck

from tests.benchmarks.data import SCRATCH, made
from tests.benchmarks.history_data import VIEWS, histories
from tests.benchmarks.measure import Measurement, peak_megabytes, seconds

MEMORY_MB = 2000
PROMISED_RATIO = 1.3
PROMISED_PEAK_MB = 2500
ROUNDS = 3


def run() -> list[Measurement]:
    folder = made(histories, scale=float(os.environ.get("BENCH_SCALE", "1")))
    SCRATCH.mkdir(parents=True, exist_ok=True)
    _ours(folder)
    peak = peak_megabytes()
    _by_hand(folder)
    ours, by_hand = [], []
    for _ in range(ROUNDS):
        ours.append(seconds(lambda: _ours(folder), repeat=1))
        by_hand.append(seconds(lambda: _by_hand(folder), repeat=1))
    return [
        Measurement(
            name="pit_join",
            value=sorted(ours)[ROUNDS // 2],
            unit="s",
            reference="ASOF join by hand, one clock",
            reference_value=sorted(by_hand)[ROUNDS // 2],
            at_most=PROMISED_RATIO,
        ),
        Measurement(
            name="pit_join_peak_memory",
            value=peak,
            unit="MB",
            reference="promise: 2.5 GB",
            reference_value=PROMISED_PEAK_MB,
            at_most=1.0,
        ),
    ]


def _ours(folder: Path) -> None:
    pairs = [(view, _history(folder, view.name)) for view, *_ in VIEWS]
    with duck.connect(SCRATCH, memory_mb=MEMORY_MB) as connection:
        rows = asof.join_sql(connection, _spine(folder), pairs)
        connection.execute(f"COPY ({rows}) TO '{SCRATCH / 'joined.parquet'}'")


def _by_hand(folder: Path) -> None:
    rows = f"SELECT * FROM {_spine(folder)}"
    for view, *_ in VIEWS:
        alive = f"as_of - _newest_fact_at <= to_seconds({view.ttl.total_seconds()})"
        values = ", ".join(
            f"CASE WHEN {alive} THEN {f.name} END AS {f.name}" for f in view.features
        )
        latest = f"_latest_{view.source.name}"
        rows = (
            f"SELECT s.*, {values}, {latest} AS {view.name}_{latest}, "
            f"event_time AS {view.name}__event_time, known_at AS {view.name}__known_at "
            f"FROM ({rows}) s ASOF LEFT JOIN {_history(folder, view.name)} h "
            f"ON s.{view.name} = h.entity_id AND s.as_of >= h.event_time"
        )
    with duck.connect(SCRATCH, memory_mb=MEMORY_MB) as connection:
        connection.execute(f"COPY ({rows}) TO '{SCRATCH / 'by_hand.parquet'}'")


def _spine(folder: Path) -> str:
    return f"read_parquet('{folder / 'spine.parquet'}')"


def _history(folder: Path, view: str) -> str:
    return duck.parquet(sorted(folder.glob(f"{view}_*.parquet")))
