"""Whole deliveries: each odd one is flagged or refused with its reason, and an ordinary one is neither."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from countersign.steps import ingest

from tests.unit.use_cases.payroll import Row, slip

from .cloud import Cloud
from .store import Store

WORKERS = 40


def month(number: int, *, workers: int = WORKERS, **changes: Any) -> list[Row]:
    """A payroll of one month; pay differs a little between workers and months."""
    return [
        slip(
            1000 * number + n, f"2026-{number:02d}-28", 300_000 + 5_000 * (n % 9) + 100 * number,
            worker_id=f"W-{n}", **changes,
        )
        for n in range(workers)
    ]  # fmt: skip


@pytest.fixture
def store(aws: Cloud) -> Store:
    """Four ordinary months; the clock moves, as profiles are kept by time."""
    made = Store(aws)
    for number in range(1, 5):
        assert delivered(made, month(number)).reason == ""
    return made


def delivered(store: Store, rows: list[Row]) -> ingest.Result:
    return store.deliver("payslips", rows)


def reason_file(store: Store) -> dict[str, Any]:
    (key,) = [key for key in store.stores.raw.keys("quarantine/") if key.endswith(".reason.json")]
    found: dict[str, Any] = store.stores.raw.read_json(key)
    return found


def test_an_ordinary_month_is_not_worth_a_word(store: Store) -> None:
    result = delivered(store, month(5))
    assert (result.status, result.reason) == ("accepted", "")
    assert store.stores.raw.keys("quarantine/") == []


ODD: dict[str, tuple[Callable[[], list[Row]], str]] = {
    "three payrolls in one": (lambda: month(5, workers=3 * WORKERS), "volume"),
    "pay in another unit": (
        lambda: [row | {"gross_pay_minor": row["gross_pay_minor"] * 100} for row in month(5)],
        "mean",
    ),
    "no net pay any more": (lambda: month(5, net_pay_minor=None), "null rate"),
    "a few absurd payslips": (
        lambda: [row | ({"gross_pay_minor": 900_000} if n % 10 == 0 else {}) for n, row in enumerate(month(5))],
        "outliers",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_odd_delivery_is_accepted_and_flagged_with_its_reason(name: str, store: Store) -> None:
    make, check = ODD[name]
    result = delivered(store, make())
    assert result.status == "accepted"
    assert result.reason.startswith("flagged: ")
    warnings = reason_file(store)["warnings"]
    assert check in {warning["check"] for warning in warnings}
    (record,) = [
        item
        for item in store.aws.items("registry")
        if item["pk"]["S"].startswith("delivery#raw/") and item["warnings"]["L"]
    ]
    assert len(record["warnings"]["L"]) == len(warnings)


def test_payslips_again_under_other_ids_are_named_by_key(store: Store) -> None:
    again = [row | {"payslip_id": f"again-{n}"} for n, row in enumerate(month(4)[:5])]
    result = delivered(store, [*month(5), *again])
    assert result.status == "accepted"
    (warned,) = [w for w in reason_file(store)["warnings"] if w["check"] == "duplicates"]
    assert warned["keys"] == [f"again-{n}" for n in range(5)]
    assert "5 of 45 rows tell the facts of another payslip_id" in warned["text"]
    assert "300" not in warned["text"]  # no amounts


def test_a_whole_payroll_under_other_ids_is_put_aside(store: Store) -> None:
    again = [row | {"payslip_id": f"again-{n}"} for n, row in enumerate(month(4))]
    result = delivered(store, again)
    assert result.status == "quarantined"
    assert "40 of 40 rows tell the facts of another payslip_id" in result.reason
    assert len(store.stores.lake.keys("sources/payslips/")) == 4


def test_the_same_ids_again_are_corrections_and_no_duplicates(store: Store) -> None:
    corrected = [row | {"revision": 1, "known_at": "2026-05-20T00:00:00Z"} for row in month(4)]
    result = delivered(store, corrected)
    assert (result.status, result.reason) == ("accepted", "")


def test_the_first_deliveries_have_nothing_to_be_held_against(aws: Cloud) -> None:
    store = Store(aws)
    for number, workers in ((1, 40), (2, 400), (3, 25)):
        assert delivered(store, month(number, workers=workers)).reason == ""
