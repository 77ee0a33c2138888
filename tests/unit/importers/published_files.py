"""Small published files for the importers' tests, and what became of them."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

DATA = Path(__file__).parents[4] / "shared" / "data"


def line(cells: Mapping[str, str], names: Sequence[str] | None = None) -> str:
    """One CSV line of the cells, quoted where it must be."""
    found = [cells[name] for name in (names or cells)]
    return ",".join(f'"{text}"' if "," in text else text for text in found)


def write(path: Path, *lines: str, zipped: bool = False, mark: bool = False) -> Path:
    """The file of these lines."""
    body = "\r\n".join([*lines, ""]).encode("utf-8-sig" if mark else "utf-8")
    path.write_bytes(gzip.compress(body) if zipped else body)
    return path


def delivered(out: Path, source: str) -> list[dict[str, Any]]:
    """The rows of a source in the delivery under `out`, in the order of its files."""
    return [
        row
        for file in sorted((out / "raw" / source).rglob("*.parquet"))
        for row in pq.read_table(file).to_pylist()
    ]


def refused(out: Path) -> list[dict[str, str]]:
    """The rows put aside under `out`: file, row, column, expected, cells."""
    return [
        row
        for file in sorted((out / "quarantine").rglob("*.rows.csv"))
        for row in csv.DictReader(file.read_text().splitlines())
    ]
