"""Whether the generated payroll is like payroll: countries, careers, corrections, errors."""

import numpy as np
import pandas as pd
import pytest
from countersign.cli.payroll_generator import COUNTRIES, KINDS

from tests.unit.payroll_generator.conftest import AS_OF, Delivered


def test_every_country_pays_in_its_own_currency(delivered: Delivered) -> None:
    paid = delivered.first.drop_duplicates(["country", "currency"])
    assert dict(zip(paid["country"], paid["currency"], strict=True)) == {
        country.code: country.currency for country in COUNTRIES
    }
    assert len(COUNTRIES) >= 8


def test_money_is_whole_minor_units_of_the_currency(delivered: Delivered) -> None:
    """A median month's pay, read with the currency's decimals, is near the country's level."""
    monthly = delivered.first[delivered.first["pay_frequency"] == "monthly"]
    medians = monthly.groupby("country")["gross_pay_minor"].median()
    for country in COUNTRIES:
        major = medians[country.code] / 10**country.minor_digits
        assert country.monthly_median * 0.5 < major < country.monthly_median * 2
    for name in ("gross_pay_minor", "net_pay_minor", "deductions_minor", "bonus_minor"):
        assert delivered.first[name].dtype == np.int64


def test_a_right_payslip_adds_up(delivered: Delivered) -> None:
    payslips = delivered.sources["payslips"]
    swapped = delivered.truth[delivered.truth["kind"] == "net_gross_swapped"]["payslip_id"]
    fine = payslips[~payslips["payslip_id"].isin(swapped)]
    assert (fine["gross_pay_minor"] - fine["deductions_minor"] == fine["net_pay_minor"]).all()
    assert (fine["gross_pay_minor"] >= fine["bonus_minor"]).mean() > 0.99


def test_extra_months_are_paid_where_the_country_has_them(delivered: Delivered) -> None:
    """Two Austrian permanent workers in three get a bonus of about a month in June; no Pole does."""
    june = delivered.first[
        (delivered.first["pay_date"].dt.month == 6)
        & (delivered.first["contract_type"] == "permanent")
    ]
    share = (june["bonus_minor"] > 0.25 * june["gross_pay_minor"]).groupby(june["country"]).mean()
    assert share["AT"] > 0.66
    assert share["PL"] < 0.34


def test_workers_join_leave_return_and_get_raises(delivered: Delivered) -> None:
    kinds = set(delivered.sources["worker_changes"]["kind"])
    assert kinds == {"hire", "leave", "rehire", "raise", "contract", "address", "bank"}
    assert set(delivered.first["pay_frequency"]) == {"monthly", "biweekly", "weekly"}
    assert set(delivered.first["contract_type"]) == {
        "permanent", "fixed_term", "part_time", "contractor",
    }  # fmt: skip


def test_nobody_is_paid_after_leaving_except_by_mistake(delivered: Delivered) -> None:
    changes = delivered.sources["worker_changes"]
    left = changes[changes["kind"] == "leave"].set_index("worker_id")["effective_date"]
    gone = left[~left.index.isin(changes[changes["kind"] == "rehire"]["worker_id"])]
    slips = delivered.first[delivered.first["worker_id"].isin(gone.index)]
    after = slips[slips["period_start"] >= slips["worker_id"].map(gone)]
    mistakes = delivered.truth[delivered.truth["kind"].isin(["paid_after_leaving"])]
    assert set(after["payslip_id"]) <= set(mistakes["payslip_id"])
    assert len(after) > 0


def test_corrections_are_known_later_than_what_they_correct(delivered: Delivered) -> None:
    payslips = delivered.sources["payslips"]
    revised = payslips[payslips["revision"] == 1].set_index("payslip_id")
    first = delivered.first.set_index("payslip_id").loc[revised.index]
    waited = revised["known_at"] - first["known_at"]
    assert len(revised) > 150
    assert (waited > pd.Timedelta(0)).all()
    assert waited.median() > pd.Timedelta(days=7)
    assert (revised["pay_date"] == first["pay_date"]).all()


def test_late_raises_are_corrected_upwards_without_being_errors(delivered: Delivered) -> None:
    payslips = delivered.sources["payslips"]
    revised = payslips[(payslips["revision"] == 1)].set_index("payslip_id")
    retro = revised[~revised.index.isin(delivered.truth["payslip_id"])]
    first = delivered.first.set_index("payslip_id").loc[retro.index]
    assert len(retro) > 30
    assert (retro["gross_pay_minor"] > first["gross_pay_minor"]).all()


def test_about_two_payslips_in_a_hundred_are_wrong(delivered: Delivered) -> None:
    rate = len(delivered.truth) / len(delivered.first)
    assert rate == pytest.approx(0.02, abs=0.003)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_error_occurs_and_is_labelled(delivered: Delivered, kind: str) -> None:
    errors = delivered.sources["payroll_errors"]
    assert (delivered.truth["kind"] == kind).sum() >= 5
    assert (errors["kind"] == kind).sum() >= 3


def test_labels_name_wrong_payslips_and_come_weeks_later(delivered: Delivered) -> None:
    errors = delivered.sources["payroll_errors"].set_index("payslip_id")
    truth = delivered.truth.set_index("payslip_id")["kind"]
    assert errors.index.is_unique
    assert (errors["kind"] == truth[errors.index]).all()
    waited = errors["known_at"] - errors["occurred_at"]
    assert waited.min() > pd.Timedelta(days=1)
    assert waited.median() > pd.Timedelta(days=10)
    assert (errors["known_at"] <= AS_OF).all()


def test_some_errors_are_never_found(delivered: Delivered) -> None:
    missing = set(delivered.truth["payslip_id"]) - set(
        delivered.sources["payroll_errors"]["payslip_id"]
    )
    assert 0 < len(missing) < 0.25 * len(delivered.truth)


def test_a_naive_z_score_finds_some_errors_but_not_all(delivered: Delivered) -> None:
    slips = delivered.first.sort_values(["worker_id", "pay_date"])
    before = slips.groupby("worker_id")["gross_pay_minor"]
    mean = before.transform(lambda pay: pay.shift().rolling(6, min_periods=3).mean())
    std = before.transform(lambda pay: pay.shift().rolling(6, min_periods=3).std())
    far = (slips["gross_pay_minor"] - mean).abs() > 3 * std.clip(lower=0.02 * mean)
    wrong = slips["payslip_id"].isin(delivered.truth["payslip_id"])
    assert 0.2 < far[wrong].mean() < 0.7
    assert 0.01 < far[~wrong].mean() < 0.15


def test_a_duplicate_is_a_second_payslip_of_the_same_period(delivered: Delivered) -> None:
    doubles = delivered.truth[delivered.truth["kind"] == "duplicate_payment"]["payslip_id"]
    period = ["worker_id", "period_start"]
    twice = delivered.first[delivered.first.duplicated(period, keep=False)]
    assert set(doubles) <= set(twice["payslip_id"])
    assert len(twice) == 2 * len(doubles)


def test_headcounts_follow_joiners_and_leavers(delivered: Delivered) -> None:
    counts = delivered.sources["client_headcount"]
    assert counts.duplicated(["client_id", "as_of_date"]).sum() == 0
    assert counts.groupby("as_of_date")["headcount"].sum().between(350, 600).all()


def test_regulatory_changes_are_mostly_announced_and_sometimes_retroactive(
    delivered: Delivered,
) -> None:
    facts = delivered.sources["country_facts"]
    ahead = facts["known_at"] < facts["effective_date"]
    assert 0.6 < ahead.mean() < 1
    assert facts["regulatory_change"].is_unique
