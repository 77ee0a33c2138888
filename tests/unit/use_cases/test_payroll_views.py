"""Each view feature of payroll with numbers that can be checked by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from .payroll import (
    Facts,
    change,
    error,
    exception,
    headcount,
    regulation,
    slip,
)

JUNE = "2026-06-30"


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    """Seven months of one worker: 3 000.00, then 3 100.00 from May with a bonus of 500.00 in June."""
    made = Facts(tmp_path)
    made.deliver(
        "payslips",
        [
            slip(1, "2025-12-31", 290_000, net_pay_minor=174_000),
            slip(2, "2026-01-31", 300_000, deduction_lines=4),
            slip(3, "2026-02-28", 300_000),
            slip(4, "2026-03-31", 300_000),
            slip(5, "2026-04-30", 300_000),
            slip(6, "2026-05-31", 310_000, net_pay_minor=217_000),
            slip(7, JUNE, 360_000, bonus_minor=50_000),
        ],
    )
    made.deliver(
        "worker_changes",
        [
            change(1, "hire", "2025-06-01"),
            change(2, "raise", "2026-05-01"),
            change(3, "address", "2026-06-10"),
            change(4, "leave", "2026-07-31"),
        ],
    )
    return made


def test_6m_mean_of_june_is_january_to_may_without_the_payslip_of_that_day(facts: Facts) -> None:
    # (4 x 300 000 + 310 000) / 5; December is a seventh month, June's own payslip is excluded
    assert facts.value("worker_gross_pay_6m_mean", JUNE) == 302_000


def test_6m_mean_after_june_was_paid_is_january_to_june(facts: Facts) -> None:
    # (4 x 300 000 + 310 000 + 360 000) / 6, from the moment it is known, six hours after pay day
    assert facts.value("worker_gross_pay_6m_mean", "2026-06-30T06:00:00") == pytest.approx(
        1_870_000 / 6, abs=1e-3
    )
    assert facts.value("worker_gross_pay_6m_mean", "2026-06-30T05:59:59.999999") == 302_000


def test_6m_std_is_of_the_sample(facts: Facts) -> None:
    # deviations from 302 000: four of -2 000 and one of 8 000: sqrt((4 x 4e6 + 64e6) / 4)
    assert facts.value("worker_gross_pay_6m_std", JUNE) == pytest.approx(math.sqrt(20e6), abs=1e-3)


def test_6m_std_of_one_payslip_is_null(facts: Facts) -> None:
    assert facts.value("worker_gross_pay_6m_std", "2026-01-31") is None
    assert facts.value("worker_gross_pay_6m_mean", "2026-01-31") == 290_000


def test_net_to_gross_mean(facts: Facts) -> None:
    # four of 0.6 and one of 0.7
    assert facts.value("worker_net_to_gross_ratio_6m_mean", JUNE) == pytest.approx(0.62, rel=1e-9)


def test_net_to_gross_trend_is_per_30_days(facts: Facts) -> None:
    # days since 31 January: 0, 28, 59, 89, 120; ratios 0.6 x 4 and 0.7; mean day 59.2, mean 0.62
    days, ratios = [0, 28, 59, 89, 120], [0.6, 0.6, 0.6, 0.6, 0.7]
    upper = sum((d - 59.2) * (r - 0.62) for d, r in zip(days, ratios, strict=True))
    slope = upper / sum((d - 59.2) ** 2 for d in days) * 30
    assert facts.value("worker_net_to_gross_ratio_trend", JUNE) == pytest.approx(slope, rel=1e-6)


def test_regular_pay_leaves_bonuses_out(facts: Facts) -> None:
    # July: February to June with June's 360 000 - 50 000: (3 x 300 000 + 2 x 310 000) / 5
    assert facts.value("worker_regular_pay_6m_mean", "2026-07-31") == 304_000


def test_last_regular_pay_and_largest_bonus(facts: Facts) -> None:
    assert facts.value("worker_last_regular_pay", "2026-07-31") == 310_000
    assert facts.value("worker_bonus_13m_max", "2026-07-31") == 50_000
    assert facts.value("worker_bonus_13m_max", JUNE) == 0


def test_usual_deduction_lines(facts: Facts) -> None:
    assert facts.value("worker_deduction_lines_6m_mean", JUNE) == pytest.approx(24 / 5)


def test_payslips_of_twelve_months(facts: Facts) -> None:
    assert facts.value("worker_payslip_count_12m", JUNE) == 6
    assert facts.value("worker_payslip_count_12m", "2026-12-01T00:00:00") == 6  # December 2025 left


def test_days_since_the_last_payslip_and_its_period(facts: Facts) -> None:
    assert facts.value("worker_days_since_last_payslip", JUNE) == 30
    assert facts.value("worker_days_since_last_payslip", "2026-06-12T12:00:00") == 12.5
    assert facts.value("worker_days_since_period_end", JUNE) == 30


def test_changes_of_six_months(facts: Facts) -> None:
    assert facts.value("worker_change_count_6m", JUNE) == 2  # the raise and the address
    assert facts.value("worker_change_count_6m", "2025-06-15") == 1  # hired, not paid yet
    assert facts.value("worker_gross_pay_6m_mean", "2025-06-15") is None


def test_days_since_hire_leave_raise_and_any_change(facts: Facts) -> None:
    assert facts.value("worker_days_since_hire", JUNE) == 394
    assert facts.value("worker_days_since_raise", JUNE) == 60
    assert facts.value("worker_days_since_change", JUNE) == 20
    assert facts.value("worker_days_since_leave", JUNE) is None
    assert facts.value("worker_days_since_leave", "2026-07-31") == 0  # it takes effect that day


def test_an_error_counts_once_it_is_confirmed(facts: Facts) -> None:
    facts.deliver("payroll_errors", [error(1, 6, "2026-05-31", "2026-06-20")])
    assert facts.value("error_count_rolling_3m", "2026-06-19") is None  # no row yet: nothing known
    assert facts.value("error_count_rolling_3m", JUNE) == 1
    assert facts.value("error_count_rolling_3m", "2026-08-01") == 0  # May is the fourth month


def test_exceptions_of_six_months_and_of_ten_days(facts: Facts) -> None:
    days = ["2026-01-10", "2026-06-19", "2026-06-20", "2026-06-29"]
    facts.deliver("payroll_exceptions", [exception(n, day) for n, day in enumerate(days)])
    assert facts.value("exception_count_rolling_6m", JUNE) == 4
    assert facts.value("exception_count_rolling_6m", "2026-07-01") == 3
    # ten days before midnight of the 30th begin at midnight of the 20th
    assert facts.value("exception_count_rolling_10d", JUNE) == 2


def test_error_rate_is_confirmed_errors_per_payslip(facts: Facts) -> None:
    facts.deliver("payroll_errors", [error(1, 6, "2026-05-31", "2026-06-20")])
    assert facts.value("client_error_rate_12m", JUNE) == pytest.approx(1 / 6)
    assert facts.value("client_error_rate_12m", "2026-06-19") == 0


def test_headcount_change_in_per_cent(facts: Facts) -> None:
    months = {"2026-03-01": 50, "2026-04-01": 40, "2026-05-01": 45, "2026-06-01": 44}
    facts.deliver("client_headcount", [headcount(day, n) for day, n in months.items()])
    assert facts.value("headcount_change_rolling_3m_pct", JUNE) == 10  # April's 40 to June's 44


def test_country_average_is_per_month_whatever_the_frequency(facts: Facts) -> None:
    weekly = slip(90, "2026-05-15", 60_000, worker_id="W-2", pay_frequency="weekly")
    facts.deliver("payslips", [weekly])
    # April 300 000, May 310 000 and 60 000 x 52 / 12 = 260 000
    assert facts.value("country_avg_gross_pay", JUNE) == pytest.approx(290_000)


def test_regulatory_changes_of_the_year_so_far(facts: Facts) -> None:
    days = {"a": "2025-12-31", "b": "2026-01-01", "c": JUNE, "d": "2026-07-01"}
    facts.deliver("country_facts", [regulation(name, day) for name, day in days.items()])
    assert facts.value("country_regulatory_change_count_ytd", JUNE) == 2  # that day's counts
    assert facts.value("country_regulatory_change_count_ytd", "2026-07-01") == 3


def test_a_worker_without_any_fact_has_only_nulls(facts: Facts) -> None:
    assert facts.value("worker_gross_pay_6m_mean", JUNE, worker_id="W-9") is None
    assert facts.value("worker_payslip_count_12m", JUNE, worker_id="W-9") is None
