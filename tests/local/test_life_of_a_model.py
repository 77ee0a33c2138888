"""A model on duty answers, logs, refuses and is watched: the deployed system, from outside."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pyarrow import csv, parquet

from tests.local.life import MODEL, USE_CASE, Life, text

PAY_SLA_DAYS = 45
FEATURE = "worker_gross_pay_6m_mean"


def test_every_answer_stands_in_the_log_as_it_was_given(life: Life) -> None:
    for answer in life.answers:
        logged = life.logged(answer["prediction_id"])
        assert logged["answer"] == text(answer)
        assert logged["version"] == answer["model"]["version"]
        assert logged["epoch"] == answer["model"]["epoch"]


def test_every_answer_replays_bit_for_bit(life: Life) -> None:
    for answer in life.answers:
        path = f"/v1/predictions/{answer['prediction_id']}/replay"
        replayed = life.told("auditor", "GET", path)
        assert replayed["identical"], replayed
        assert replayed["replayed"]["score"] == answer["score"]


def test_the_same_key_gives_the_same_answer_however_many_ask_at_once(life: Life) -> None:
    body = life.draft()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(life.score, [body] * 6))
    assert {a.status for a in answers} == {200}
    assert len({text(a.body) for a in answers}) == 1
    key = body["idempotency_key"]
    held = [i for i in life.items("predictions") if i.get("idempotency_key", {}).get("S") == key]
    assert len(held) == 1


def test_another_body_under_a_used_key_is_a_conflict_and_changes_nothing(life: Life) -> None:
    body = life.draft()
    first = life.score(body).body
    payslip = {**body["payslip"], "bonus_minor": body["payslip"]["bonus_minor"] + 1}
    status, headers, problem = life.score({**body, "payslip": payslip})
    assert status == 409
    assert headers["Content-Type"].startswith("application/problem+json")
    assert problem["type"] == "urn:countersign:problem:idempotency-conflict"
    assert text(life.score(body).body) == text(first)


def test_an_unknown_worker_is_not_found_and_not_logged(life: Life) -> None:
    body = life.draft(worker_id=f"W-{uuid.uuid4().hex}")
    status, _, problem = life.score(body)
    assert (status, problem["status"]) == (404, 404)
    keys = {i.get("idempotency_key", {}).get("S") for i in life.items("predictions")}
    assert body["idempotency_key"] not in keys


SECRET = "4815162342"


@pytest.mark.parametrize(
    ("payslip", "field"),
    [
        ({"gross_pay_minor": SECRET}, "payslip.gross_pay_minor"),
        ({"net_pay_minor": -int(SECRET)}, "payslip.net_pay_minor"),
        ({"pay_date": SECRET}, "payslip.pay_date"),
        ({"surprise": SECRET}, "payslip.surprise"),
        ({"currency": None}, "payslip.currency"),
    ],
)
def test_a_malformed_payslip_is_refused_by_the_names_of_its_fields(
    life: Life, payslip: dict[str, Any], field: str
) -> None:
    body = life.draft()
    status, headers, problem = life.score({**body, "payslip": {**body["payslip"], **payslip}})
    assert status == 422
    assert headers["Content-Type"].startswith("application/problem+json")
    assert [error["field"] for error in problem["errors"]] == [field]
    assert SECRET not in text(problem)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'"pay"', b"\xff\xfe"])
def test_what_is_no_json_object_is_a_bad_request(life: Life, data: bytes) -> None:
    api = life.cloud.api("scoring-client")
    status, headers, problem = api.request("POST", "/v1/payroll/anomaly/score", data=data)
    assert status in (400, 422)
    assert headers["Content-Type"].startswith("application/problem+json")
    assert problem["status"] == status


def last_paid(life: Life) -> dict[str, datetime]:
    """The newest pay day of each worker in the delivery."""
    assert life.delivery
    newest: dict[str, datetime] = {}
    for file in life.delivery.files:
        if file.source != "payslips":
            continue
        path = life.folder / file.key
        read = parquet.read_table if path.suffix == ".parquet" else csv.read_csv
        table = read(path).select(["worker_id", "pay_date"]).to_pylist()
        for row in table:
            paid = datetime.fromisoformat(str(row["pay_date"])).replace(tzinfo=UTC)
            newest[row["worker_id"]] = max(paid, newest.get(row["worker_id"], paid))
    return newest


def test_who_was_paid_too_long_ago_is_not_scored_and_told_which_feature_and_how_old(
    life: Life,
) -> None:
    limit = life.as_of - timedelta(days=PAY_SLA_DAYS + 1)
    worker, paid = max(
        ((w, at) for w, at in last_paid(life).items() if at < limit), key=lambda found: found[1]
    )
    body = life.draft(worker_id=worker)
    body = {k: v for k, v in body.items() if k not in ("client_id", "country")}
    status, headers, problem = life.score(body)
    assert status == 424, problem
    assert headers["Content-Type"].startswith("application/problem+json")
    told = next(e["expected"] for e in problem["errors"] if e["field"] == FEATURE)
    assert f"at most {PAY_SLA_DAYS} days old" in told
    age = float(told.split("it is ")[1].split()[0])
    assert age == pytest.approx((datetime.now(UTC) - paid) / timedelta(days=1), abs=1.1)


def test_a_shadow_scores_beside_the_answer_and_never_changes_it(life: Life) -> None:
    challenger = life.versions[1]

    def shadowed() -> list[dict[str, Any]] | None:
        logged = [life.logged(a["prediction_id"]) for a in life.answers]
        return logged if all(challenger in entry["shadow_scores"] for entry in logged) else None

    logged = life.wait("the shadow", shadowed)
    digest = life.told("auditor", "GET", f"{MODEL}/versions/{challenger}")["digest"]
    for answer, entry in zip(life.answers, logged, strict=True):
        assert entry["answer"] == text(answer)
        assert (entry["version"], entry["score"]) == (life.versions[0], answer["score"])
        assert entry["shadow_scores"][challenger]["digest"] == digest != entry["artifact_digest"]


def test_two_trainings_on_the_same_data_are_two_versions_that_score_alike_bit_for_bit(
    life: Life,
) -> None:
    first, second = (life.told("auditor", "GET", f"{MODEL}/versions/{v}") for v in life.versions)
    assert first["version"] != second["version"]
    assert first["digest"] != second["digest"]

    def pairs() -> list[tuple[float, float]] | None:
        logged = [life.logged(a["prediction_id"]) for a in life.answers]
        found = [(e["score"], e["shadow_scores"].get(second["version"])) for e in logged]
        return [(own, s["score"]) for own, s in found if s] if all(s for _, s in found) else None

    for answered, shadowed in life.wait("the shadow", pairs):
        assert answered == shadowed


def test_an_outcome_joins_its_prediction_and_a_later_one_stands_beside_it(life: Life) -> None:
    prediction = life.score(life.draft()).body["prediction_id"]
    for label in (1, 0):
        known_at = datetime.now(UTC).isoformat()
        body = {"prediction_id": prediction, "label": label, "known_at": known_at}
        life.told("operator", "POST", "/v1/outcomes", body)
        assert life.logged(prediction)["outcome"]["label"] == label
    assert [o["label"] for o in life.logged(prediction)["outcomes"]] == [1, 0]


def test_an_outcome_of_nothing_is_not_found(life: Life) -> None:
    known_at = datetime.now(UTC).isoformat()
    body = {"prediction_id": "0" * 32, "label": 1, "known_at": known_at}
    assert life.call("operator", "POST", "/v1/outcomes", body).status == 404


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("columns.csv", b"payslip_id,worker\nP1,W1\n"),
        ("broken.parquet", b"PAR1 this is no parquet PAR1"),
        ("empty.csv", b""),
    ],
)
def test_a_malformed_file_is_put_aside_with_its_reason_and_nothing_else_changes(
    life: Life, name: str, content: bytes
) -> None:
    lake, online = life.keys("lake", "sources/"), life.items("online")
    place = f"payslips/ingest_date={life.as_of.date()}/{uuid.uuid4().hex[:8]}-{name}"
    life.upload(f"raw/{place}", content)
    held = life.wait(
        "the quarantine",
        lambda: [k for k in life.keys("raw", f"quarantine/{place}") if "reason" in k],
    )
    raw = life.cloud.outputs["buckets"]["raw"]
    read = life.cloud.client("s3", "operator").get_object(Bucket=raw, Key=held[0])["Body"].read()
    assert json.loads(read)["reason"]
    assert f"quarantine/{place}" in life.keys("raw", "quarantine/")
    assert life.keys("lake", "sources/") == lake
    assert life.items("online") == online


def test_the_weekly_schedule_reports_once_however_often_it_fires(life: Life) -> None:
    life.archived()

    def week() -> tuple[Any, Any, Any, int]:
        (arn,) = life.cloud.fire("weekly-psi", identity="operator")
        results = life.ended(arn).output["results"]
        triggers = life.told("auditor", "GET", f"{MODEL}/retraining")["triggers"]
        entries = life.told("auditor", "GET", f"/v1/audit/{USE_CASE}/verify")["entries"]
        return results, life.keys("lake", "reports/"), triggers, entries

    first = week()
    assert first[0][0]["use_case"] == USE_CASE
    assert first[0][0]["report_key"] in first[1]
    lake = life.cloud.outputs["buckets"]["lake"]
    found = life.cloud.client("s3", "auditor").get_object(
        Bucket=lake, Key=first[0][0]["report_key"]
    )
    assert b"<html" in found["Body"].read().lower()
    assert week() == first


def test_a_file_is_scored_as_requests_are_and_its_bad_row_is_reported(life: Life) -> None:
    good = [life.draft(), life.draft(), life.draft()]
    bad = {**good[1], "payslip": {**good[1]["payslip"], "gross_pay_minor": SECRET}}
    lines = "".join(json.dumps(row) + "\n" for row in (good[0], bad, good[2]))
    lake, key = life.cloud.outputs["buckets"]["lake"], f"batch/{uuid.uuid4().hex}/payroll.jsonl"
    s3 = life.cloud.client("s3", "operator")
    s3.put_object(Bucket=lake, Key=key, Body=lines.encode())

    def run() -> tuple[bytes, bytes]:
        payload = {"use_case": USE_CASE, "input_key": key}
        arn = life.cloud.start_machine("batch-scoring", payload, identity="operator")
        (part,) = life.ended(arn).output["parts"]
        assert (part["rows"], part["scored"], part["refused"]) == (3, 2, 1)
        names = (part["results_key"], part["refused_key"])
        scored, refused = (s3.get_object(Bucket=lake, Key=n)["Body"].read() for n in names)
        return scored, refused

    scored, refused = run()
    for line in scored.splitlines():
        assert life.logged(json.loads(line)["prediction_id"])["answer"] == line.decode()
    (problem,) = (json.loads(line) for line in refused.splitlines())
    assert (problem["row"], problem["status"]) == (1, 422)
    assert problem["errors"][0]["field"] == "payslip.gross_pay_minor"
    assert SECRET not in refused.decode()
    assert run() == (scored, refused)
