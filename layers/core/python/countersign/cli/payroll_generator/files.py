"""Files of a delivery: one encoding per format with stable bytes, and the marker that closes it."""

import gzip
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """One file of a delivery. `key` is its place under the output folder and in the raw bucket."""

    key: str
    source: str
    format: str
    rows: int
    bytes: int
    sha256: str


def write_file(out: Path, key: str, source: str, kind: str, table: pa.Table) -> DeliveredFile:
    """Write a table as `csv`, `csv.gz` or `parquet` and say what was written."""
    data = encoded(table, kind)
    save(out / key, data)
    digest = hashlib.sha256(data).hexdigest()
    return DeliveredFile(key, source, kind, table.num_rows, len(data), digest)


def encoded(table: pa.Table, kind: str) -> bytes:
    """The file's bytes: no timestamp of writing, so equal tables are equal files."""
    sink = io.BytesIO()
    if kind == "parquet":
        pq.write_table(table, sink, compression="zstd")
        return sink.getvalue()
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            whole = table[field.name].cast(pa.timestamp("s", tz="UTC"))
            table = table.set_column(index, field.name, pc.strftime(whole, "%Y-%m-%dT%H:%M:%SZ"))
    pa_csv.write_csv(table, sink, pa_csv.WriteOptions(quoting_style="none", quoting_header="none"))
    plain = sink.getvalue()
    return gzip.compress(plain, compresslevel=6, mtime=0) if kind == "csv.gz" else plain


def save(path: Path, data: bytes) -> None:
    """Write bytes, with the folders above them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_marker(
    out: Path,
    name: str,
    files: Sequence[DeliveredFile],
    *,
    created_at: datetime,
    synthetic: bool,
    facts: Mapping[str, Any],
) -> Path:
    """Close the delivery. Uploaded last, it starts the features workflow."""
    marker = out / "raw" / "_COMPLETE" / f"{name}.json"
    body = {
        "delivery": name,
        "created_at": created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "synthetic": synthetic,
        **facts,
        "files": [asdict(file) for file in files],
    }
    save(marker, (json.dumps(body, indent=1) + "\n").encode())
    return marker
