"""Write the history as a payroll engine delivers it: files per source and month, closed by a marker."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from countersign.cli.payroll_generator.countries import COUNTRIES
from countersign.cli.payroll_generator.files import (
    DeliveredFile,
    encoded,
    save,
    write_file,
    write_marker,
)
from countersign.cli.payroll_generator.sources import Part, history
from countersign.cli.payroll_generator.world import Clock, build_world

# Each regional engine delivers its own format; the small sources follow the first of their list.
REGIONS = tuple(sorted({country.region for country in COUNTRIES}))
FORMATS: Mapping[str, tuple[str, ...]] = {
    "payslips": ("parquet", "csv", "csv.gz"),
    "worker_changes": ("csv", "parquet", "csv.gz"),
    "payroll_errors": ("csv",),
    "payroll_exceptions": ("parquet",),
    "country_facts": ("csv",),
    "client_headcount": ("csv.gz",),
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was written. `anomalies` counts the spoiled payslips by kind, found or not."""

    name: str
    marker: Path
    files: tuple[DeliveredFile, ...]
    rows: Mapping[str, int]
    anomalies: Mapping[str, int]


def generate(
    out: Path,
    *,
    seed: int,
    workers: int,
    months: int,
    as_of: datetime,
    anomalies: float = 0.02,
    since: datetime | None = None,
    batch_months: int = 1,
) -> Delivery:
    """Write `months` of payroll that was known at `as_of` under `out/raw`; same arguments, same bytes.

    `workers` counts everyone ever employed; `months` the complete months before as_of's own.
    `anomalies` is the share of payslips that are wrong, 0 to 0.2. With `since`, only rows known
    after that instant are delivered: a later delivery of the same world. `batch_months` above 1
    puts several months into one file, as a backfill does.

    Raises
    ------
    ValueError      a naive instant, or a number out of its range
    """
    if not 0 <= anomalies <= 0.2:
        raise ValueError("anomalies must lie between 0 and 0.2")
    if since is not None and since.tzinfo is None:
        raise ValueError("since must be timezone-aware")
    world = build_world(seed=seed, workers=workers, months=months, as_of=as_of)
    made = history(world, anomalies=anomalies)
    files: list[DeliveredFile] = []
    for source, part in made.sources.items():
        files += _write_source(out, source, _known_after(part, since), world.clock, batch_months)
    save(out / "truth" / f"anomalies-{world.clock.tag}.csv", encoded(made.truth, "csv"))
    rows = {source: sum(f.rows for f in files if f.source == source) for source in made.sources}
    name = _name(world.clock, since)
    made_with = {"generator": {"seed": seed, "workers": workers, "months": months}}
    marker = write_marker(out, name, files, created_at=as_of, synthetic=True, facts=made_with)
    kinds = {row["values"]: row["counts"] for row in made.truth["kind"].value_counts().to_pylist()}
    return Delivery(name, marker, tuple(files), rows, dict(sorted(kinds.items())))


def _name(clock: Clock, since: datetime | None) -> str:
    after = f"-since-{since.astimezone(UTC):%Y-%m-%d}" if since else ""
    return f"payroll-{clock.today}-{clock.tag}{after}"


def _known_after(part: Part, since: datetime | None) -> Part:
    if since is None:
        return part
    instant = np.datetime64(since.astimezone(UTC).replace(tzinfo=None), "s")
    fresh = part.known_at > instant
    return Part(part.table.filter(pa.array(fresh)), part.known_at[fresh], part.region[fresh])


def _write_source(
    out: Path, source: str, part: Part, clock: Clock, batch_months: int
) -> list[DeliveredFile]:
    formats = FORMATS[source]
    regional = len(formats) > 1
    batch = clock.month_of(part.known_at) // batch_months
    slot = batch * len(REGIONS) + (part.region if regional else 0)
    order = np.lexsort((part.known_at, slot))
    table, slots = part.table.take(pa.array(order)), slot[order]
    inner = np.flatnonzero(slots[1:] != slots[:-1]) + 1
    edges = [0, *inner.tolist(), len(slots)] if len(slots) else [0]
    written = []
    for first, last in pairwise(edges):
        month, region = divmod(int(slots[first]), len(REGIONS))
        day = _ingest_day(clock, (month + 1) * batch_months)
        kind = formats[region if regional else 0]
        place = f"-{REGIONS[region]}" if regional else ""
        key = f"raw/{source}/ingest_date={day}/{source}{place}-{clock.tag}.{kind}"
        written.append(write_file(out, key, source, kind, table.slice(first, last - first)))
    return written


def _ingest_day(clock: Clock, months: int) -> str:
    """The last day of the batch, or the as-of day when that comes first."""
    last = (clock.start.astype("M8[M]") + months).astype("M8[D]") - 1
    return str(min(last, clock.today))
