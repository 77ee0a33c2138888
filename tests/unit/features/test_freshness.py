"""The freshness gate: which ages pass, which block, and what the refusal says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from countersign import use_cases
from countersign.errors import StaleFeatureError
from countersign.features import packing
from countersign.features.engine import stored_columns
from countersign.features.freshness import gate

NOW = datetime(2026, 11, 21, 5, 47, tzinfo=UTC)
VIEWS = {view.name: view for view in use_cases.get("payroll_anomaly").views}
PAY = VIEWS["worker_pay"]
MEAN = "worker_gross_pay_6m_mean"
DAY = 86_400.0


@dataclass(frozen=True)
class Row:
    packed: bytes


def row(**ages: timedelta | None) -> Row:
    """A value of worker_pay whose newest fact of each source is so old; every feature is 1."""
    stored = [1.0] * len(PAY.features)
    for source in PAY.sources():
        age = ages.get(source.name)
        stored.append(None if age is None else float(packing.microseconds(NOW - age)))  # type: ignore[arg-type]
    assert len(stored) == len(stored_columns(PAY))
    return Row(packing.pack(PAY, stored))


def check(held: Row | None) -> dict[str, float]:
    return gate([PAY], {"worker_pay": held}, NOW).ages


def test_fresh_values_pass_and_tell_their_ages() -> None:
    ages = check(row(payslips=timedelta(days=20), worker_changes=timedelta(days=90)))
    assert ages["worker_pay"] == 20 * DAY
    assert ages[MEAN] == 20 * DAY


@pytest.mark.parametrize(
    ("age", "passes"),
    [
        (timedelta(days=45), True),
        (timedelta(days=45, microseconds=1), False),
        (timedelta(0), True),
        (timedelta(seconds=-60), True),
        (timedelta(seconds=-61), False),
    ],
)
def test_the_bounds_are_exact(age: timedelta, passes: bool) -> None:
    if passes:
        check(row(payslips=age))
        return
    with pytest.raises(StaleFeatureError) as caught:
        check(row(payslips=age))
    assert {error.field for error in caught.value.errors} == {
        MEAN,
        "worker_net_to_gross_ratio_6m_mean",
    }


def test_the_refusal_names_feature_age_and_sla() -> None:
    with pytest.raises(
        StaleFeatureError, match=f"{MEAN}: at most 45 days old; it is 60.00 days old"
    ):
        check(row(payslips=timedelta(days=60)))


def test_a_changed_address_does_not_make_old_pay_fresh() -> None:
    with pytest.raises(StaleFeatureError):
        check(row(payslips=timedelta(days=60), worker_changes=timedelta(days=1)))


def test_somebody_new_is_not_stale_until_pay_is_overdue() -> None:
    assert check(row(payslips=None, worker_changes=timedelta(days=5)))[MEAN] == 5 * DAY
    with pytest.raises(StaleFeatureError):
        check(row(payslips=None, worker_changes=timedelta(days=50)))


@pytest.mark.parametrize(
    "held", [None, Row(bytes(8) + b"x" * 112)], ids=["no row", "another definition"]
)
def test_what_is_missing_blocks(held: Row | None) -> None:
    with pytest.raises(StaleFeatureError, match="it is missing"):
        check(held)


def test_a_view_without_critical_features_never_blocks() -> None:
    assert gate([VIEWS["worker_issues"]], {}, NOW) == ({}, ())


COUNTRY = VIEWS["country_pay"]
AVERAGE = "country_avg_gross_pay"


def overdue(held: Row | None) -> tuple[str, ...]:
    """Of a view in which nothing is critical."""
    assert not any(feature.critical for feature in COUNTRY.features)
    return gate([COUNTRY], {"country_pay": held}, NOW).overdue


def country(**ages: timedelta) -> Row:
    stored: list[float | None] = [1.0] * len(COUNTRY.features)
    for source in COUNTRY.sources():
        at = NOW - ages[source.name] if source.name in ages else None
        stored.append(None if at is None else float(packing.microseconds(at)))
    return Row(packing.pack(COUNTRY, stored))


def test_what_is_overdue_and_not_critical_is_told_and_blocks_nothing() -> None:
    fresh = {"payslips": timedelta(days=45), "country_facts": timedelta(days=400)}
    assert overdue(country(**fresh)) == ()
    late = {**fresh, "payslips": timedelta(days=45, microseconds=1)}
    assert overdue(country(**late)) == (f"stale:{AVERAGE}",)
    early = {**fresh, "payslips": timedelta(seconds=-61)}
    assert f"future:{AVERAGE}" in overdue(country(**early))


def test_rows_of_another_definition_are_told_and_absent_ones_are_nothing() -> None:
    assert overdue(Row(bytes(8) + b"x" * 112)) == ("redefined:country_pay",)
    assert overdue(None) == ()


def test_served_days_grow_with_the_asking_moment() -> None:
    days = "worker_days_since_last_payslip"
    stored: list[float | None] = [None] * len(stored_columns(PAY))
    names = list(stored_columns(PAY))
    paid = float(packing.microseconds(NOW - timedelta(days=10)))
    stored[names.index(days)] = paid
    stored[names.index("_latest_payslips")] = paid
    held = packing.unpack(PAY, packing.pack(PAY, stored))
    assert packing.serve(PAY, held, NOW)[days] == 10
    assert packing.serve(PAY, held, NOW + timedelta(hours=12))[days] == 10.5
    assert (
        packing.serve(PAY, held, NOW + timedelta(days=391))[days] is None
    )  # past its time to live
    assert packing.serve(PAY, None, NOW)[days] is None
