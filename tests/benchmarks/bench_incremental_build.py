"""`incremental_build`: a day's delivery built upon two years of history, against the same build from nothing.

Payroll of 24 months through ingestion, then every bucket of every payroll view: first a backfill, then a
day on which one worker in twenty is paid, one payslip in five hundred is corrected and a few are late.
The other is the turn of a month, when facts leave the windows of everybody.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from countersign import use_cases
from countersign.cli.payroll_generator import generate
from countersign.clock import iso
from countersign.features import duck
from countersign.steps import build_features, ingest
from countersign.steps.build_features.plan import buckets_for

from tests.benchmarks.measure import Measurement
from tests.unit.features.cloud import REGION, Cloud, cloud

START = datetime(2026, 11, 21, 6, tzinfo=UTC)
WORKERS = 1500
PAYROLL = use_cases.get("payroll_anomaly")
# The work itself: moments computed. Time cannot promise as much any more: a build from nothing takes
# seconds, and both pay the same for opening fourteen buckets.
PROMISED_POINTS = 0.02
PROMISED_TIME = 1.0


def run() -> list[Measurement]:
    workers = int(WORKERS * float(os.environ.get("BENCH_SCALE", "1")))
    with account() as aws, tempfile.TemporaryDirectory() as folder:
        aws.clock.at = START
        slips = deliver_history(aws, Path(folder), workers)
        full, points = built(aws)
        aws.clock.at += timedelta(days=1)
        deliver_day(aws, slips)
        day, of_day = built(aws)
        aws.clock.at = datetime(2026, 12, 1, 6, tzinfo=UTC)
        turn, of_turn = built(aws)
    return [
        measured("incremental_build", day, full, at_most=PROMISED_TIME),
        measured("incremental_build_month_turn", turn, full),
        measured(
            "incremental_build_points", of_day, points, at_most=PROMISED_POINTS, unit="points"
        ),
        measured("incremental_build_points_month_turn", of_turn, points, unit="points"),
    ]


def measured(
    name: str, value: float, reference: float, *, at_most: float | None = None, unit: str = "s"
) -> Measurement:
    return Measurement(
        name=name,
        value=value,
        unit=unit,
        reference="the same views from nothing",
        reference_value=reference,
        at_most=at_most,
    )


@contextmanager
def account() -> Iterator[Cloud]:
    """An empty account whose keys open nothing."""
    os.environ.update(
        AWS_DEFAULT_REGION=REGION, AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench"
    )
    with cloud() as made:
        yield made


def ingest_history(aws: Cloud, folder: Path, workers: int) -> None:
    """Two years of payroll, ingested."""
    generate(folder, seed=7, workers=workers, months=24, as_of=START, batch_months=3)
    for path in sorted((folder / "raw").rglob("*.*")):
        if path.parent.name.startswith("ingest_date="):
            take_in(aws, path.relative_to(folder).as_posix(), path.read_bytes())


def deliver_history(aws: Cloud, folder: Path, workers: int) -> list[dict[str, Any]]:
    """Two years of payroll, ingested; the newest payslip of each worker."""
    ingest_history(aws, folder, workers)
    source = next(s for s in PAYROLL.sources() if s.name == "payslips")
    texts = [
        f"strftime({c.name}, '%Y-%m-%d') AS {c.name}" if c.type == "date" else f"{c.name}::VARCHAR AS {c.name}"
        for c in source.columns
        if c.name != "known_at"
    ]  # fmt: skip
    with duck.connect() as connection:
        files = aws.stores.lake.download(aws.stores.lake.keys("sources/payslips/"), folder / "held")
        found = connection.execute(
            f"SELECT {', '.join(texts)}, strftime(known_at, '%Y-%m-%dT%H:%M:%SZ') AS known_at "
            f"FROM {duck.parquet(files)} "
            "QUALIFY row_number() OVER (PARTITION BY worker_id ORDER BY event_time DESC, payslip_id) = 1"
        )
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def deliver_day(aws: Cloud, slips: Sequence[dict[str, Any]]) -> None:
    """One worker in twenty is paid today, one in five hundred is corrected, one in a thousand was late."""
    now, today = iso(aws.clock.at - timedelta(hours=1)), f"{aws.clock.at:%Y-%m-%d}"
    rows = [another(slip, "D", 1) | {"pay_date": today, "known_at": now} for slip in slips[::20]]
    rows += [{**slip, "known_at": now, "gross_pay_minor": "1"} for slip in slips[3::500]]
    rows += [another(slip, "L", 2) for slip in slips[7::1000]]
    body = "".join(json.dumps(row) + "\n" for row in rows).encode()
    take_in(aws, f"raw/payslips/ingest_date={today}/day.jsonl", body)


def another(slip: dict[str, Any], mark: str, more: int) -> dict[str, Any]:
    """A payslip like `slip`, a little higher: the same twice would be refused as a duplicate."""
    gross = str(int(slip["gross_pay_minor"]) + more)
    return {**slip, "payslip_id": f"{slip['payslip_id']}-{mark}", "gross_pay_minor": gross}


def take_in(aws: Cloud, key: str, body: bytes) -> None:
    aws.stores.raw.put(key, body)
    taken = ingest.run(ingest.Request(key=key), aws.stores)
    assert isinstance(taken, ingest.Result)
    assert taken.status == "accepted", taken


def built(aws: Cloud) -> tuple[float, float]:
    """Seconds to build every bucket of every payroll view, and the points that were computed."""
    started, points = time.perf_counter(), 0
    for view in PAYROLL.views:
        buckets = buckets_for(view, 0)
        for bucket in range(buckets):
            request = build_features.Request(
                action="build", view=view.name, bucket=bucket, buckets=buckets,
                as_of=iso(aws.clock.at),
            )  # fmt: skip
            done = build_features.run(request, aws.stores)
            assert isinstance(done, build_features.Built)
            points += done.points
    return time.perf_counter() - started, float(points)
