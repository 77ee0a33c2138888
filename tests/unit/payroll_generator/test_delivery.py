"""What a payroll engine hands over: files, formats, clocks, the marker, and the taint."""

import csv
import gzip
import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from countersign.cli.payroll_generator import generate
from countersign.cli.payroll_generator.sources import COLUMNS

from tests.unit.payroll_generator.conftest import AS_OF, Delivered, read

CLOCKS = ("known_at", "pay_date", "effective_date", "occurred_at", "raised_at", "as_of_date")


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_seed_and_as_of_give_identical_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generate(tmp_path / name, seed=3, workers=80, months=6, as_of=AS_OF)
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")


def test_another_seed_gives_other_pay_and_other_identifiers(tmp_path: Path) -> None:
    ids = []
    for seed in (3, 4):
        made = generate(tmp_path / str(seed), seed=seed, workers=40, months=3, as_of=AS_OF)
        file = next(f for f in made.files if f.source == "payslips")
        ids.append(set(read(tmp_path / str(seed) / file.key)["worker_id"]))
    assert not ids[0] & ids[1]


def test_the_as_of_instant_is_the_same_in_any_time_zone(tmp_path: Path) -> None:
    for name, moment in (("utc", AS_OF), ("tokyo", AS_OF.astimezone(ZoneInfo("Asia/Tokyo")))):
        generate(tmp_path / name, seed=3, workers=30, months=3, as_of=moment)
    assert _bytes(tmp_path / "utc") == _bytes(tmp_path / "tokyo")


def test_the_marker_lists_every_file_with_its_rows_and_digest(delivered: Delivered) -> None:
    marker = json.loads(delivered.delivery.marker.read_text())
    on_disk = _bytes(delivered.out)
    listed = {f["key"]: (f["sha256"], f["bytes"]) for f in marker["files"]}
    data = {k: v for k, v in on_disk.items() if k.startswith("raw/") and "_COMPLETE" not in k}
    assert listed == {k: (hashlib.sha256(v).hexdigest(), len(v)) for k, v in data.items()}
    assert {f["key"]: f["rows"] for f in marker["files"]} == {
        key: len(read(delivered.out / key)) for key in listed
    }
    assert marker["synthetic"] is True


@pytest.mark.parametrize("source", COLUMNS)
def test_a_source_carries_the_columns_of_its_contract_and_the_taint(
    delivered: Delivered, source: str
) -> None:
    frame = delivered.sources[source]
    assert tuple(frame.columns) == (*COLUMNS[source], "_synthetic")
    assert set(frame["_synthetic"].astype(str).str.lower()) == {"true"}
    assert len(frame) == delivered.delivery.rows[source] > 0
    assert not frame.isna().any().any()


def test_files_parse_with_a_plain_csv_reader_and_with_pyarrow(delivered: Delivered) -> None:
    formats = set()
    for file in delivered.delivery.files:
        data = (delivered.out / file.key).read_bytes()
        formats.add(file.format)
        if file.format == "parquet":
            assert pq.read_table(pa.BufferReader(data)).num_rows == file.rows
            continue
        plain = gzip.decompress(data) if file.format == "csv.gz" else data
        header, *rows = list(csv.reader(plain.decode("ascii").splitlines()))
        assert header == [*COLUMNS[file.source], "_synthetic"]
        assert {len(row) for row in rows} == {len(header)}
        assert pa.csv.read_csv(pa.BufferReader(plain)).num_rows == file.rows == len(rows)
    assert formats == {"csv", "csv.gz", "parquet"}


def test_no_timestamp_is_naive(delivered: Delivered) -> None:
    for file in delivered.delivery.files:
        path = delivered.out / file.key
        if file.format == "parquet":
            types = [f.type for f in pq.read_schema(path) if pa.types.is_temporal(f.type)]
            assert set(types) == {pa.timestamp("us", tz="UTC")}
        else:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False)
            for name in set(CLOCKS) & set(frame.columns):
                assert frame[name].str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").all()


def test_nothing_is_delivered_before_it_was_known(delivered: Delivered) -> None:
    for file in delivered.delivery.files:
        day = file.key.split("ingest_date=")[1].split("/")[0]
        closing = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)
        assert (read(delivered.out / file.key)["known_at"] < min(closing, AS_OF)).all()


def test_a_later_delivery_holds_exactly_what_was_learned_since(tmp_path: Path) -> None:
    since = datetime(2026, 7, 31, tzinfo=UTC)
    whole = generate(tmp_path / "whole", seed=3, workers=60, months=6, as_of=AS_OF)
    later = generate(tmp_path / "later", seed=3, workers=60, months=6, as_of=AS_OF, since=since)
    for source in ("payslips", "worker_changes"):
        everything, fresh = (
            pd.concat([read(out / f.key) for f in made.files if f.source == source])
            for out, made in ((tmp_path / "whole", whole), (tmp_path / "later", later))
        )
        assert len(fresh) == (everything["known_at"] > since).sum() > 0
        assert (fresh["known_at"] > since).all()


def test_months_can_share_a_file_and_lose_no_row(delivered: Delivered, tmp_path: Path) -> None:
    backfill = generate(tmp_path, seed=7, workers=600, months=24, as_of=AS_OF, batch_months=6)
    assert backfill.rows == delivered.delivery.rows
    assert len(backfill.files) < len(delivered.delivery.files) / 4


def test_an_as_of_without_a_time_zone_is_refused(tmp_path: Path) -> None:
    naive = AS_OF.replace(tzinfo=None)
    with pytest.raises(ValueError, match="timezone-aware"):
        generate(tmp_path, seed=1, workers=5, months=1, as_of=naive)


def test_ten_thousand_workers_over_three_years_take_under_a_minute(tmp_path: Path) -> None:
    began = time.perf_counter()
    made = generate(tmp_path, seed=1, workers=10_000, months=36, as_of=AS_OF)
    assert made.rows["payslips"] > 300_000
    assert time.perf_counter() - began < 60
