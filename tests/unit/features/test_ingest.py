"""Deliveries: what is accepted, what is put aside, and what is said about it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from countersign.errors import ContractError, RequestError
from countersign.features import duck
from countersign.steps import ingest

from .cloud import Cloud

FOLDER = "raw/country_facts/ingest_date=2026-11-20"
HEADER = "country,regulatory_change,effective_date,known_at"
ROW = "DE,DE-2026-01,2026-01-01,2025-11-02T08:00:00Z"


def rows(count: int) -> list[str]:
    return [f"DE,DE-{n:04},2026-01-01,2025-11-02T08:00:00Z" for n in range(count)]


def deliver(aws: Cloud, name: str, body: bytes | str) -> ingest.Result:
    key = f"{FOLDER}/{name}"
    aws.stores.raw.put(key, body.encode() if isinstance(body, str) else body)
    result = ingest.run(ingest.Request(key=key), aws.stores)
    assert isinstance(result, ingest.Result)
    return result


def accepted(aws: Cloud, tmp_path: Any, source: str = "country_facts") -> list[tuple[Any, ...]]:
    files = aws.stores.lake.download(aws.stores.lake.keys(f"sources/{source}/"), tmp_path)
    with duck.connect() as connection:
        found: list[tuple[Any, ...]] = connection.execute(
            "SELECT country, regulatory_change, epoch_us(event_time), epoch_us(known_at), _synthetic, _deleted "
            f"FROM {duck.parquet(files)} ORDER BY ALL"
        ).fetchall()
    return found


def reason(aws: Cloud, name: str) -> dict[str, Any]:
    place = f"quarantine/country_facts/ingest_date=2026-11-20/{name}.reason.json"
    document: dict[str, Any] = aws.stores.raw.read_json(place)
    return document


DELIVERIES = {
    "plain.csv": f"{HEADER}\n{ROW}\n".encode(),
    "bom-crlf.csv": f"\ufeff{HEADER}\r\n{ROW}\r\n".encode(),
    "padded.csv": b" country , regulatory_change,effective_date , known_at \n DE ,DE-2026-01, 2026-01-01 ,2025-11-02T08:00:00Z\n",
    "reordered.csv": b"known_at,effective_date,country,regulatory_change\n2025-11-02T08:00:00Z,2026-01-01,DE,DE-2026-01\n",
    "zipped.csv.gz": gzip.compress(f"{HEADER}\n{ROW}\n".encode()),
    "elsewhere.csv": f"{HEADER}\nDE,DE-2026-01,2026-01-01T01:00:00+01:00,2025-11-02 10:00:00.000+02\n".encode(),
    "objects.jsonl": b'{"country":"DE","regulatory_change":"DE-2026-01","effective_date":"2026-01-01","known_at":"2025-11-02T08:00:00Z"}\n',
}  # fmt: skip


@pytest.mark.parametrize("name", DELIVERIES)
def test_every_spelling_of_a_row_is_the_same_row(name: str, aws: Cloud, tmp_path: Any) -> None:
    assert deliver(aws, name, DELIVERIES[name]).status == "accepted"
    event_time, known_at = 1_767_225_600_000_000, 1_762_070_400_000_000
    assert accepted(aws, tmp_path) == [("DE", "DE-2026-01", event_time, known_at, False, False)]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_of_any_precision_is_read(unit: str, aws: Cloud, tmp_path: Any) -> None:
    utc = pa.timestamp(unit, tz="UTC")
    table = pa.table(
        {
            "country": ["DE"],
            "regulatory_change": pa.array(["x"]).dictionary_encode(),
            "effective_date": pa.array([1_767_225_600], pa.timestamp("s", tz="UTC")).cast(utc),
            "known_at": pa.array([1_762_070_400], pa.timestamp("s", tz="UTC")).cast(utc),
            "_synthetic": [True],
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    assert deliver(aws, "x.parquet", (tmp_path / "x.parquet").read_bytes()).status == "accepted"
    event_time, known_at = 1_767_225_600_000_000, 1_762_070_400_000_000
    assert accepted(aws, tmp_path / "out") == [("DE", "x", event_time, known_at, True, False)]


REFUSED = {
    "empty.csv": (b"", "no header"),
    "header-only.csv": (f"{HEADER}\n".encode(), "no rows"),
    "missing.csv": (b"country,effective_date,known_at\nDE,2026-01-01,2025-11-02T08:00:00Z\n", "columns are not those"),
    "twice.csv": (f"{HEADER},country\n{ROW},DE\n".encode(), "same name"),
    "extra.csv": (f"{HEADER},salary\n{ROW},1\n".encode(), "columns are not those"),
    "not.parquet": (f"{HEADER}\n{ROW}\n".encode(), "Not a readable parquet"),
    "not.csv.gz": (f"{HEADER}\n{ROW}\n".encode(), "Not a readable csv.gz"),
    "broken.csv.gz": (gzip.compress(f"{HEADER}\n{ROW}\n".encode())[:-9], "Not a readable csv.gz"),
    "workbook.xlsx": (b"PK", "no known format"),
    "naive.csv": (f"{HEADER}\nDE,a,2026-01-01,2025-11-02T08:00:00\n".encode(), "1 of 1 rows are bad"),
    "latin.csv": (f"{HEADER}\nD\u00c9,a,2026-01-01,2025-11-02T08:00:00Z\n".encode("latin-1"), "1 of 1 rows are bad"),
    "lines.jsonl": (b'{"country":\n[1]\n', "no header"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_malformed_file_is_put_aside_whole_with_its_reason(name: str, aws: Cloud) -> None:
    body, said = REFUSED[name]
    result = deliver(aws, name, body)
    assert result.status == "quarantined"
    assert said in result.reason
    assert said in reason(aws, name)["reason"]
    assert aws.stores.raw.get(f"quarantine/country_facts/ingest_date=2026-11-20/{name}") == body
    assert aws.stores.lake.keys("") == []


BAD = {
    "DE,bad,2026-01-01,2025-11-02T08:00:00": ("known_at", "a timestamp with its time zone"),
    "DE,bad,2026-01-01,": ("known_at", "a value"),
    ",bad,2026-01-01,2025-11-02T08:00:00Z": ("country", "a value"),
    "DE,bad,2026-02-30,2025-11-02T08:00:00Z": ("effective_date", "a day"),
    "DE,bad,01/02/2026,2025-11-02T08:00:00Z": ("effective_date", "a day"),
    "DE,bad,2026-01-01,2026-11-22T08:00:00Z": ("known_at", "not after the ingestion"),
    "DE,bad,2030-01-01,2025-11-02T08:00:00Z": ("effective_date", "at most 800 days after"),
    "DE,bad,1026-01-01,2025-11-02T08:00:00Z": ("effective_date", "after 1900"),
    "DE,bad,2026-01-01": ("(line)", "as many values"),
    "DE,bad,2026-01-01,2025-11-02T08:00:00Z,more": ("(line)", "as many values"),
}  # fmt: skip


@pytest.mark.parametrize("line", BAD)
def test_a_bad_row_is_put_aside_and_the_others_are_accepted(
    line: str, aws: Cloud, tmp_path: Any
) -> None:
    result = deliver(aws, "facts.csv", "\n".join([HEADER, *rows(30), line, *rows(60)[30:]]))
    assert (result.status, result.rows, result.bad_rows) == ("accepted", 61, 1)
    assert len(accepted(aws, tmp_path)) == 60
    told = reason(aws, "facts.csv")
    name, expected = BAD[line]
    (finding,) = told["findings"]
    assert finding["column"] == name
    assert expected in finding["expected"]
    assert finding["rows"] == 1
    assert "bad" not in json.dumps(told["findings"])  # never the value
    put_aside = "quarantine/country_facts/ingest_date=2026-11-20/facts.csv.bad-rows.csv"
    assert aws.stores.raw.exists(put_aside)


def test_a_file_with_too_many_bad_rows_is_refused_whole(aws: Cloud) -> None:
    body = "\n".join([HEADER, *rows(90), *["DE,bad,never,never"] * 10])
    result = deliver(aws, "facts.csv", body)
    assert (result.status, result.bad_rows) == ("quarantined", 10)
    assert "10 of 100 rows are bad, more than 5%" in result.reason
    assert aws.stores.lake.keys("") == []


def test_a_row_delivered_twice_is_stored_once(aws: Cloud, tmp_path: Any) -> None:
    deliver(aws, "facts.csv", "\n".join([HEADER, *rows(10), *rows(10)]))
    assert len(accepted(aws, tmp_path)) == 10


def test_an_object_is_ingested_once(aws: Cloud) -> None:
    first = deliver(aws, "facts.csv", f"{HEADER}\n{ROW}\n")
    again = ingest.run(ingest.Request(key=first.key), aws.stores)
    assert isinstance(again, ingest.Result)
    assert (first.status, again.status) == ("accepted", "duplicate")
    assert len(aws.stores.lake.keys("sources/")) == 1


def test_the_same_content_under_another_name_is_a_duplicate(aws: Cloud) -> None:
    deliver(aws, "facts.csv", f"{HEADER}\n{ROW}\n")
    again = deliver(aws, "facts-copy.csv", f"{HEADER}\n{ROW}\n")
    assert again.status == "duplicate"
    assert len(aws.stores.lake.keys("sources/")) == 1


def test_a_replaced_object_is_ingested_again(aws: Cloud) -> None:
    deliver(aws, "facts.csv", f"{HEADER}\n{ROW}\n")
    assert deliver(aws, "facts.csv", "\n".join([HEADER, *rows(3)])).status == "accepted"
    assert len(aws.stores.lake.keys("sources/")) == 2


def test_pending_lists_what_has_no_record(aws: Cloud) -> None:
    deliver(aws, "done.csv", f"{HEADER}\n{ROW}\n")
    for name in ("b.csv", "a.csv"):
        aws.stores.raw.put(f"{FOLDER}/{name}", f"{HEADER}\n{ROW}\n".encode())
    aws.stores.raw.put("raw/_COMPLETE/november.json", b"{}")
    pending = ingest.run(ingest.Request(action="pending"), aws.stores)
    assert pending == ingest.Pending(keys=[f"{FOLDER}/a.csv", f"{FOLDER}/b.csv"])


def test_an_undeclared_source_is_put_aside(aws: Cloud) -> None:
    key = "raw/lottery/ingest_date=2026-11-20/draw.csv"
    aws.stores.raw.put(key, b"a\n1\n")
    result = ingest.run(ingest.Request(key=key), aws.stores)
    assert isinstance(result, ingest.Result)
    assert result.status == "quarantined"
    assert "lottery" in result.reason


@pytest.mark.parametrize("key", ["quarantine/x/y.csv", "raw/_COMPLETE/x.json"])
def test_what_is_no_delivery_is_an_error(key: str, aws: Cloud) -> None:
    aws.stores.raw.put(key, b"{}")
    with pytest.raises(ContractError):
        ingest.run(ingest.Request(key=key), aws.stores)


def test_an_unknown_action_is_refused(aws: Cloud) -> None:
    with pytest.raises(RequestError):
        ingest.run(ingest.Request(action="erase"), aws.stores)


def test_a_tombstone_and_the_taint_are_kept(aws: Cloud, tmp_path: Any) -> None:
    deliver(aws, "facts.csv", f"{HEADER},_deleted,_synthetic\n{ROW},true,1\n")
    assert [row[4:] for row in accepted(aws, tmp_path)] == [(True, True)]
