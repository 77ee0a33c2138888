"""From the stream to the queues to the archive, from the payloads in events/."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from countersign.aws.session import client
from countersign.clock import iso
from countersign.errors import StoreUnavailableError
from countersign.steps import archive_predictions, forward_predictions

from tests.unit.predictions.cloud import NOW, Cloud, prediction

EVENTS = Path(__file__).parents[3] / "events"
KEY = f"predictions/use_case=payroll_anomaly/date=2026-11-21/{prediction().prediction_id}.parquet"


def event(name: str) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads((EVENTS / f"{name}.json").read_text())["Records"]
    return records


def queued(*identities: str) -> list[dict[str, Any]]:
    return [
        {
            "messageId": f"m-{number}",
            "body": json.dumps({"prediction_id": identity, "use_case": "payroll_anomaly"}),
        }
        for number, identity in enumerate(identities)
    ]


def rows(aws: Cloud, key: str = KEY) -> list[dict[str, Any]]:
    table = pq.read_table(io.BytesIO(aws.stores.lake.get(key)))  # type: ignore[no-untyped-call]
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def test_a_new_prediction_goes_to_both_queues_and_no_pay_data_with_it(aws: Cloud) -> None:
    settings = aws.stores.settings
    assert forward_predictions.run(event("forward_predictions"), aws.stores) == []
    (shadow,) = aws.messages(settings.shadow_queue_url)
    assert json.loads(shadow).keys() == {"prediction_id", "use_case"}
    assert shadow in aws.messages(settings.archive_queue_url)


def test_an_outcome_goes_to_the_archive_alone(aws: Cloud) -> None:
    settings = aws.stores.settings
    forward_predictions.run(event("forward_predictions__outcome"), aws.stores)
    assert aws.messages(settings.shadow_queue_url) == []
    assert len(aws.messages(settings.archive_queue_url)) == 1


def test_shadow_scores_archive_marks_and_removals_are_not_forwarded(aws: Cloud) -> None:
    (record,) = event("forward_predictions__outcome")
    record["dynamodb"]["OldImage"]["outcome"] = record["dynamodb"]["NewImage"]["outcome"]
    removal = {"eventName": "REMOVE", "dynamodb": {"Keys": record["dynamodb"]["Keys"]}}
    forward_predictions.run([record, removal], aws.stores)
    for url in (aws.stores.settings.shadow_queue_url, aws.stores.settings.archive_queue_url):
        assert aws.messages(url) == []


def test_a_batch_that_cannot_be_queued_raises_so_that_the_stream_delivers_it_again(
    aws: Cloud,
) -> None:
    client("sqs").delete_queue(QueueUrl=aws.stores.settings.archive_queue_url)
    with pytest.raises((StoreUnavailableError, client("sqs").exceptions.QueueDoesNotExist)):
        forward_predictions.run(event("forward_predictions"), aws.stores)


def test_an_archived_prediction_is_one_row_with_every_bit_of_its_vector(aws: Cloud) -> None:
    logged = prediction()
    aws.stores.predictions.append(logged)
    assert archive_predictions.run(queued(logged.prediction_id), aws.stores) == []
    (row,) = rows(aws)
    assert row["at"] == NOW
    assert row["outcome"] is None
    assert {name.removeprefix("f_"): v for name, v in row.items() if name.startswith("f_")} == (
        logged.features
    )
    for name in ("score", "model_score", "rule_score", "threshold", "version", "epoch", "cohort"):
        assert row[name] == getattr(logged, name)


def test_the_archive_types_are_those_of_the_contract(aws: Cloud) -> None:
    aws.stores.predictions.append(prediction())
    archive_predictions.run(queued(prediction().prediction_id), aws.stores)
    content = io.BytesIO(aws.stores.lake.get(KEY))
    types = {f.name: str(f.type) for f in pq.read_schema(content)}  # type: ignore[no-untyped-call]
    assert types["at"] == "timestamp[us, tz=UTC]"
    assert types["outcome"] == "int32"
    assert types["degraded"] == "bool"
    assert types["f_trend"] == types["score"] == "double"


def test_archiving_twice_is_archiving_once_and_an_outcome_replaces_the_row(aws: Cloud) -> None:
    identity = prediction().prediction_id
    aws.stores.predictions.append(prediction())
    for _ in range(2):
        assert archive_predictions.run(queued(identity), aws.stores) == []
    known_at = NOW + timedelta(days=1)
    aws.stores.predictions.add_outcome(identity, {"label": 1, "known_at": iso(known_at)})
    assert archive_predictions.run(queued(identity), aws.stores) == []
    assert aws.stores.lake.keys("predictions/") == [KEY]
    (row,) = rows(aws)
    assert (row["outcome"], row["outcome_known_at"]) == (1, known_at)


def test_poison_messages_are_returned_and_their_neighbours_are_archived(aws: Cloud) -> None:
    aws.stores.predictions.append(prediction())
    batch = [
        {"messageId": "not-json", "body": "{"},
        {"messageId": "no-id", "body": "{}"},
        *queued(prediction().prediction_id, "f" * 32),
    ]
    failed = archive_predictions.run(batch, aws.stores)
    assert sorted(failed) == ["m-1", "no-id", "not-json"]
    assert len(rows(aws)) == 1


def test_predictions_of_different_features_share_a_batch(aws: Cloud) -> None:
    aws.stores.predictions.append(prediction(1))
    aws.stores.predictions.append(prediction(2, features={"other": 1.5}, model_score=None))
    archive_predictions.run(queued(f"{1:032x}", f"{2:032x}"), aws.stores)
    (row,) = rows(aws, KEY.replace(f"{1:032x}", f"{2:032x}"))
    assert row["f_other"] == 1.5
    assert row["model_score"] is None
    assert "f_gross" not in row


def test_duckdb_reads_the_archive_by_its_partitions(aws: Cloud, tmp_path: Path) -> None:
    import duckdb

    for number in (1, 2):
        aws.stores.predictions.append(prediction(number))
    archive_predictions.run(queued(f"{1:032x}", f"{2:032x}"), aws.stores)
    for key in aws.stores.lake.keys("predictions/"):
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(aws.stores.lake.get(key))
    (count,) = duckdb.sql(
        f"SELECT count(*), max(date)::VARCHAR, any_value(use_case) FROM read_parquet("
        f"'{tmp_path}/predictions/**/*.parquet', hive_partitioning = true, union_by_name = true)"
    ).fetchall()
    assert count == (2, "2026-11-21", "payroll_anomaly")
