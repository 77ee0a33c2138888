"""`history_backfill`: two years of payroll from nothing, at three sizes: the cost grows with the payslips.

Every bucket of every payroll view, those of a worker as those of a country, which is one entity with tens
of thousands of payslips. The seconds are those of the builds; the payroll is generated and ingested before.
How the cost grows is told by processor time, which other work on the machine changes less.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from countersign.features import duck

from tests.benchmarks.bench_incremental_build import START, account, built, ingest_history
from tests.benchmarks.measure import Measurement
from tests.unit.features.cloud import Cloud

SMALL, MIDDLE, LARGE = 1_000, 3_000, 10_000
LINEAR = 1.5
WITHIN_SECONDS = 120.0


def run() -> list[Measurement]:
    took = {workers: backfill(workers) for workers in (SMALL, MIDDLE, LARGE)}
    share = {workers: worked / payslips * 1000 for workers, (_, worked, payslips) in took.items()}
    rows = [
        Measurement(
            name=f"history_backfill_{workers}_workers",
            value=share[workers],
            unit="processor s per 1 000 payslips",
            reference=f"the same of {SMALL} workers",
            reference_value=share[SMALL],
            at_most=LINEAR,
        )
        for workers in (MIDDLE, LARGE)
    ]
    seconds, _, payslips = took[LARGE]
    whole = Measurement(
        name="history_backfill",
        value=seconds,
        unit="s",
        reference=f"{payslips} payslips of {LARGE} workers within two minutes",
        reference_value=WITHIN_SECONDS,
        at_most=1.0,
    )
    return [whole, *rows]


def backfill(workers: int) -> tuple[float, float, int]:
    """Seconds and processor seconds to build all views of that many workers, and their payslips."""
    with account() as aws, tempfile.TemporaryDirectory() as folder:
        aws.clock.at = START
        ingest_history(aws, Path(folder), workers)
        payslips = count(aws, Path(folder))
        before = time.process_time()
        seconds, _ = built(aws)
        worked = time.process_time() - before
    return seconds, worked, payslips


def count(aws: Cloud, folder: Path) -> int:
    files = aws.stores.lake.download(aws.stores.lake.keys("sources/payslips/"), folder / "held")
    with duck.connect() as connection:
        (found,) = connection.execute(f"SELECT count(*) FROM {duck.parquet(files)}").fetchone()
    return int(found)
