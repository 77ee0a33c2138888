"""A scoring body against its declared fields: what is refused, and that no value is ever told."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from countersign.declare import RequestField
from countersign.errors import CountersignError, DataError, RequestError
from countersign.serving.validate import MAX_ERRORS, compile_fields, idempotency_key, read_body
from hypothesis import given
from hypothesis import strategies as st

TREE = compile_fields(
    (
        RequestField(path="worker_id", type="string", pattern=r"W-\d+", max_length=12),
        RequestField(path="payslip.gross_pay_minor", type="integer", minimum=0),
        RequestField(path="payslip.rate", type="number", minimum=0, maximum=1),
        RequestField(path="payslip.pay_date", type="date"),
        RequestField(path="payslip.sent_at", type="timestamp", required=False),
        RequestField(path="payslip.final", type="boolean", required=False),
    )
)
BODY: dict[str, Any] = {
    "worker_id": "W-1",
    "payslip": {"gross_pay_minor": 325_000, "rate": 0.25, "pay_date": "2026-11-30"},
    "idempotency_key": "k-1",
}


def changed(path: str, value: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(json.dumps(BODY))
    *parents, last = path.split(".")
    node = body
    for part in parents:
        node = node[part]
    node[last] = value
    return body


def refused(body: Any) -> CountersignError:
    with pytest.raises(CountersignError) as raised:
        read_body(TREE, body)
    return raised.value


def test_a_row_has_the_last_parts_of_the_paths_and_dates_as_one_kind_of_text() -> None:
    row = read_body(TREE, changed("payslip.sent_at", "2026-11-21T07:30:00+02:00"))
    assert row["gross_pay_minor"] == 325_000
    assert row["pay_date"] == "2026-11-30T00:00:00.000000Z"
    assert row["sent_at"] == "2026-11-21T05:30:00.000000Z"
    assert row["final"] is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("worker_id", 7),
        ("worker_id", ""),
        ("worker_id", "X-1"),
        ("worker_id", "W-" + "1" * 20),
        ("worker_id", "W-1\n"),
        ("worker_id", "W-\ud800"),
        ("worker_id", None),
        ("payslip", "gross"),
        ("payslip", None),
        ("payslip.gross_pay_minor", 1.5),
        ("payslip.gross_pay_minor", True),
        ("payslip.gross_pay_minor", "325000"),
        ("payslip.gross_pay_minor", -1),
        ("payslip.gross_pay_minor", 2**53 + 1),
        ("payslip.rate", float("nan")),
        ("payslip.rate", float("inf")),
        ("payslip.rate", 1e400),
        ("payslip.rate", 1.01),
        ("payslip.rate", [0.5]),
        ("payslip.pay_date", "2026-02-30"),
        ("payslip.pay_date", "30.11.2026"),
        ("payslip.pay_date", 20261130),
        ("payslip.sent_at", "2026-11-21T07:30:00"),
        ("payslip.sent_at", "2026-11-21"),
        ("payslip.final", 1),
        ("payslip.extra", 1),
        ("surprise", {}),
    ],
)
def test_a_wrong_value_is_named_by_its_field(path: str, value: Any) -> None:
    error = refused(changed(path, value))
    assert error.status == 422
    assert any(path.startswith(e.field) or e.field.startswith(path) for e in error.errors)


@pytest.mark.parametrize("body", [None, [], "text", 5, [BODY]])
def test_a_body_that_is_no_object_is_malformed(body: Any) -> None:
    error = refused(body)
    assert isinstance(error, RequestError)
    assert error.status == 400


def test_every_missing_field_is_named() -> None:
    assert {e.field for e in refused({}).errors} == {
        "worker_id",
        "payslip.gross_pay_minor",
        "payslip.rate",
        "payslip.pay_date",
    }


def test_there_is_an_end_to_the_errors_of_one_request() -> None:
    assert len(refused({f"f{n}": 1 for n in range(1000)}).errors) == MAX_ERRORS


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_is_sent_is_read_or_refused_and_nothing_else(body: Any) -> None:
    with suppress(DataError):  # 400 or 422; anything else fails the test
        read_body(TREE, body)


@given(st.sampled_from(["worker_id", "payslip.gross_pay_minor", "payslip.pay_date", "payslip"]))
def test_a_value_never_shows_in_an_error(path: str) -> None:
    error = refused(changed(path, "CANARY 4711"))
    assert "CANARY" not in json.dumps(error.problem("r-1"))
    assert "CANARY" not in json.dumps(refused({**BODY, "CANARY 4711": 1}).problem("r-1"))


def test_the_key_comes_from_the_body_or_the_header() -> None:
    assert idempotency_key(BODY, {}) == "k-1"
    assert idempotency_key({}, {"idempotency-key": "k-2"}) == "k-2"
    assert idempotency_key(BODY, {"idempotency-key": "k-1"}) == "k-1"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({}, {}),
        ({"idempotency_key": 5}, {}),
        ({"idempotency_key": ""}, {}),
        ({"idempotency_key": "k" * 129}, {}),
        ({"idempotency_key": "with space"}, {}),
        ({"idempotency_key": "a"}, {"idempotency-key": "b"}),
    ],
)
def test_a_request_without_one_readable_key_is_refused(
    body: dict[str, Any], headers: dict[str, str]
) -> None:
    with pytest.raises(DataError) as raised:
        idempotency_key(body, headers)
    assert raised.value.errors[0].field == "idempotency_key"


def test_two_fields_that_would_share_a_name_in_the_row_cannot_be_declared() -> None:
    with pytest.raises(DataError):
        compile_fields(
            (
                RequestField(path="a.amount", type="integer"),
                RequestField(path="b.amount", type="integer"),
            )
        )
