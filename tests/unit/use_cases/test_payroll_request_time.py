"""Each request-time feature of payroll with numbers that can be checked by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
from countersign.features import request_time

from .payroll import USE_CASE

BODY: dict[str, Any] = {
    "worker_id": "W-1",
    "payslip": {
        "payslip_id": "P-8",
        "period_start": "2026-06-01",
        "period_end": "2026-06-30",
        "pay_date": "2026-06-30",
        "currency": "EUR",
        "gross_pay_minor": 310_000,
        "net_pay_minor": 186_000,
        "deductions_minor": 124_000,
        "bonus_minor": 0,
        "deduction_lines": 5,
    },
}
USUAL: dict[str, float | None] = {
    "worker_gross_pay_6m_mean": 300_000,
    "worker_gross_pay_6m_std": 20_000,
    "worker_regular_pay_6m_mean": 300_000,
    "worker_last_regular_pay": 300_000,
    "worker_net_to_gross_ratio_6m_mean": 0.65,
    "worker_deduction_lines_6m_mean": 4.5,
    "worker_bonus_13m_max": 100_000,
    "worker_days_since_last_payslip": 30,
    "worker_days_since_period_end": 30,
    "worker_days_since_change": 100,
    "worker_days_since_hire": 700,
    "worker_days_since_leave": None,
    "worker_days_since_raise": 100,
    "country_avg_gross_pay": 250_000,
}


def computed(usual: dict[str, float | None] | None = None, **payslip: Any) -> dict[str, Any]:
    body = {**BODY, "payslip": {**BODY["payslip"], **payslip}}
    row = request_time.row_of(USE_CASE, body)
    return request_time.compute(USE_CASE, row, {**USUAL, **(usual or {})})


CASES: list[tuple[str, dict[str, Any], dict[str, float | None], float | None]] = [
    ("current_payslip_gross_pay", {}, {}, 310_000),
    ("current_payslip_z_score", {}, {}, 0.5),
    # a spread below 2 % of the mean counts as 2 %: 10 000 / 6 000
    ("current_payslip_z_score", {}, {"worker_gross_pay_6m_std": 0}, 10 / 6),
    ("current_payslip_z_score", {"gross_pay_minor": 3_100_000}, {}, 20),
    ("current_payslip_z_score", {}, {"worker_gross_pay_6m_std": None}, None),
    ("has_change_this_period", {}, {}, 0),
    ("has_change_this_period", {}, {"worker_days_since_change": 29}, 1),
    ("has_change_this_period", {}, {"worker_days_since_change": None}, 0),
    ("days_since_last_payroll", {}, {}, 30),
    ("gross_to_usual_log_ratio", {}, {}, 0.04),  # log(31 / 30) = .0328, in steps of .02
    ("gross_to_usual_log_ratio", {"bonus_minor": 10_000}, {}, 0),
    ("gross_to_usual_log_ratio", {"gross_pay_minor": 0}, {}, -6),
    # paid once a year: no payslip of six months, the last one stands for what is usual
    ("gross_to_usual_log_ratio", {}, {"worker_regular_pay_6m_mean": None}, 0.04),
    ("net_to_gross_delta", {}, {}, -0.05),
    ("net_to_gross_delta", {"gross_pay_minor": 0}, {}, None),
    ("deduction_lines_delta", {}, {}, 0.5),
    ("bonus_over_largest", {}, {}, 0),
    ("bonus_over_largest", {"bonus_minor": 160_000}, {}, 0.2),
    ("pay_gap_periods", {}, {}, 1),
    ("pay_gap_periods", {}, {"worker_days_since_last_payslip": 3}, 0.1),
    ("period_overlap_share", {}, {}, 0),
    # the last payslip's period ended on 30 June too: the whole of June was paid
    ("period_overlap_share", {}, {"worker_days_since_period_end": 0}, 1),
    ("period_overlap_share", {}, {"worker_days_since_period_end": 15}, 0.5),
    ("raise_not_paid", {}, {"worker_days_since_raise": 20}, 0),
    ("raise_not_paid", {"gross_pay_minor": 300_000}, {"worker_days_since_raise": 20}, 1),
    ("raise_not_paid", {"gross_pay_minor": 300_000}, {}, 0),
    ("days_after_leaving", {}, {}, 0),
    ("days_after_leaving", {}, {"worker_days_since_leave": 40}, 11),
    ("days_after_leaving", {}, {"worker_days_since_leave": 20}, 0),
    ("days_after_leaving", {}, {"worker_days_since_leave": 40, "worker_days_since_hire": 5}, 0),
    ("pay_to_time_employed_log_ratio", {}, {}, 0.04),  # log(31 / 30) = .0328, in steps of .02
    # hired on 16 June: half of the period, so the full pay is twice what it should be
    ("pay_to_time_employed_log_ratio", {"gross_pay_minor": 300_000}, {"worker_days_since_hire": 14}, 0.70),  # log 2 = .6931
    # left on 16 June: fifteen days were worked
    ("pay_to_time_employed_log_ratio", {"gross_pay_minor": 150_000}, {"worker_days_since_leave": 14}, 0),
    ("gross_to_country_log_ratio", {"gross_pay_minor": 250_000}, {}, 0.02),  # log(30.4375 / 30) = .0145
    ("tenure_days", {}, {}, 700),
]  # fmt: skip


@pytest.mark.parametrize(("name", "payslip", "usual", "wanted"), CASES)
def test_worked_example(
    name: str, payslip: dict[str, Any], usual: dict[str, float | None], wanted: float | None
) -> None:
    assert computed(usual, **payslip)[name] == (
        None if wanted is None else pytest.approx(wanted, abs=1e-12)
    )


def test_every_request_feature_has_a_worked_example() -> None:
    assert {case[0] for case in CASES} == {f.name for f in USE_CASE.request_features}


def test_a_worker_without_history_can_be_scored() -> None:
    nothing: dict[str, float | None] = dict.fromkeys(USUAL)
    vector = request_time.vector(USE_CASE, computed(nothing))
    assert all(math.isfinite(value) for value in vector.inputs)
    assert "gross_to_usual_log_ratio" in vector.filled


def test_days_and_zoned_timestamps_mean_the_same() -> None:
    dates = {name: f"{BODY['payslip'][name]}T00:00:00.000000Z" for name in ("period_start", "period_end", "pay_date")}  # fmt: skip
    assert computed(**dates) == computed()


def test_published_earnings_have_no_net_and_no_lines() -> None:
    made = computed(net_pay_minor=None, deduction_lines=None)
    assert made["net_to_gross_delta"] is None
    assert made["deduction_lines_delta"] is None
