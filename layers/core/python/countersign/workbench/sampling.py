"""A seeded sample of a file's rows, in their order, read once however large the file is."""

from __future__ import annotations

import csv
import gzip
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign.errors import ContractError
from countersign.features import duck


@dataclass(frozen=True, slots=True)
class Sampled:
    """`path` holds `rows` of `rows_in` rows; it is the file itself when that has no more than were asked for."""

    path: Path
    rows: int
    rows_in: int


def sample(path: Path, size: int, place: Path, *, seed: int) -> Sampled:
    """At most `size` rows of a CSV (plain or gzip) or Parquet file, each equally likely, in their order.

    Raises ContractError when the file cannot be read.
    """
    if path.suffix.lower() == ".parquet":
        return _of_parquet(path, size, place, seed)
    try:
        return _of_csv(path, size, place, seed)
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise ContractError(f"{path.name} cannot be read ({type(error).__name__})") from error


def header_of(path: Path) -> tuple[str, ...]:
    """The names in the first line of a CSV, plain or gzip; none when it has no first line.

    Raises ContractError when the file cannot be read.
    """
    try:
        with _opened(path) as lines:
            return tuple(next(csv.reader(lines), []))
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise ContractError(f"{path.name} cannot be read ({type(error).__name__})") from error


def _opened(path: Path) -> Any:
    """A CSV as text, whatever its name says of packing; bytes that are no UTF-8 are kept as they are."""
    with path.open("rb") as start:
        zipped = start.read(2) == b"\x1f\x8b"
    opened: Any = gzip.open if zipped else open
    return opened(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")


def _of_csv(path: Path, size: int, place: Path, seed: int) -> Sampled:
    """Reservoir sampling: Vitter's algorithm R."""
    kept: list[tuple[int, list[str]]] = []
    drawn = random.Random(seed)  # noqa: S311 - a sample, not a secret
    with _opened(path) as lines:
        rows = _rows(csv.reader(lines))
        header = next(rows, None)
        if header is None:
            raise ContractError(f"{path.name} is empty")
        count = 0
        for count, row in enumerate(rows, 1):
            if len(kept) < size:
                kept.append((count, row))
            elif (at := drawn.randrange(count)) < size:
                kept[at] = (count, row)
    if count <= size:
        return Sampled(path, count, count)
    target = place / f"{path.name.removesuffix('.gz').removesuffix('.csv')}.csv"
    with target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header)
        writer.writerows(row for _, row in sorted(kept))
    return Sampled(target, len(kept), count)


def _rows(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """Without wholly blank lines."""
    return (row for row in reader if row)


def _of_parquet(path: Path, size: int, place: Path, seed: int) -> Sampled:
    import duckdb

    target = place / path.name
    rows = (
        f"read_parquet({duck.quote(str(path))}, hive_partitioning = false, file_row_number = true)"
    )
    try:
        with duck.connect(place) as connection:
            (count,) = connection.execute(f"SELECT count(*) FROM {rows}").fetchone()  # noqa: S608
            if count <= size:
                return Sampled(path, int(count), int(count))
            # By a hash and not by DuckDB's sampling, whose draw depends on how threads share the file.
            connection.execute(
                f"COPY (SELECT * EXCLUDE (file_row_number) FROM (SELECT * FROM {rows} "  # noqa: S608
                f"ORDER BY sha256({duck.quote(str(seed))} || '-' || file_row_number::VARCHAR) LIMIT {size}) "
                f"ORDER BY file_row_number) TO {duck.quote(str(target))} (FORMAT parquet)"
            )
    except duckdb.Error:
        raise ContractError(f"{path.name} is no readable Parquet file") from None
    return Sampled(target, size, int(count))
