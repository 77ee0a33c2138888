"""Write the history as the payment platform delivers it: files per source and month, closed by a marker."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from countersign.cli.payments_generator.history import facts, history
from countersign.cli.payments_generator.world import World, build_world
from countersign.cli.payroll_generator.files import DeliveredFile, write_file, write_marker

# A platform's export, a desk's spreadsheet, an archive: as they come.
FORMATS: Mapping[str, str] = {
    "payments": "parquet",
    "chargebacks": "csv",
    "customers": "csv.gz",
    "merchants": "csv",
    "account_reviews": "parquet",
    "payment_failures": "csv.gz",
    "retry_attempts": "parquet",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was written. `facts` are shares by name."""

    name: str
    marker: Path
    files: tuple[DeliveredFile, ...]
    rows: Mapping[str, int]
    facts: Mapping[str, float]


def generate(
    out: Path,
    *,
    seed: int,
    as_of: datetime,
    customers: int = 4000,
    merchants: int = 120,
    months: int = 15,
    batch_months: int = 1,
) -> Delivery:
    """Write `months` of payments known at `as_of` under `out/raw`; same arguments, same bytes.

    `customers` have an account, and as many guests come besides. `months` counts the complete months
    before as_of's own, 3 to 36. `batch_months` above 1 puts several months into one file, as a backfill does.

    Raises
    ------
    ValueError      a naive instant, or a number out of its range
    """
    if customers < 20 or merchants < 4 or batch_months < 1:
        raise ValueError("a world has at least 20 customers, 4 merchants and a month in a file")
    world = build_world(
        seed=seed, customers=customers, merchants=merchants, months=months, as_of=as_of
    )
    tables = history(world)
    files = [
        file
        for source, table in tables.items()
        for file in _write_source(out, source, table, world, batch_months)
    ]
    rows = {source: table.num_rows for source, table in tables.items()}
    size = {"seed": seed, "customers": customers, "merchants": merchants, "months": months}
    name = f"payments-{world.end.astype('M8[D]')}-s{seed}-c{customers}"
    marker = write_marker(
        out,
        name,
        files,
        created_at=as_of.astimezone(UTC),
        synthetic=True,
        facts={"generator": size},
    )
    return Delivery(name, marker, tuple(files), rows, facts(tables))


def _write_source(
    out: Path, source: str, table: pa.Table, world: World, batch_months: int
) -> list[DeliveredFile]:
    """A file per batch of months in which the rows became known; what was known before is in the first."""
    known = table["known_at"].to_numpy().astype("M8[M]")
    slot = np.maximum((known - world.months[0]).astype(np.int64), 0) // batch_months
    inner = np.flatnonzero(slot[1:] != slot[:-1]) + 1
    edges = [0, *inner.tolist(), len(slot)] if len(slot) else [0]
    kind = FORMATS.get(source, "csv")
    written = []
    for first, last in pairwise(edges):
        following = world.months[0] + (int(slot[first]) + 1) * batch_months
        day = min(following.astype("M8[D]") - 1, world.end.astype("M8[D]"))
        key = (
            f"raw/{source}/ingest_date={day}/{source}-s{world.seed}-c{len(world.customers)}.{kind}"
        )
        written.append(write_file(out, key, source, kind, table.slice(first, last - first)))
    return written
