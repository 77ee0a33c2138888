"""Features made of the payslip at hand and of what is usual. One function each, for one row.

A row has the payslip's fields; `usual` has the features of the views, None where there is no value.
Ratios and differences to the worker's own past, so that currencies and frequencies compare.
"""

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from countersign.declare import RequestFeature

Row = Mapping[str, Any]
Usual = Mapping[str, float | None]

_OWNER = "payroll-data"
_CAP = 6.0
_LEAST_SPREAD = 0.02
# Finer differences are noise of payroll that everybody in a country shares (a new tax table); quantile
# bins would take such a shift, too small to matter, for drift.
_RATIO_STEP, _SHARE_STEP, _BONUS_STEP = 0.02, 0.01, 0.1
_DAYS_A_MONTH = 365.25 / 12


def gross_pay(row: Row, usual: Usual) -> float | None:
    """Gross pay of the payslip, minor units."""
    return float(row["gross_pay_minor"])


def z_score(row: Row, usual: Usual) -> float | None:
    """Deviations of gross pay from the six-month mean; a deviation is at least 2 % of the mean."""
    mean, std = usual["worker_gross_pay_6m_mean"], usual["worker_gross_pay_6m_std"]
    if mean is None or std is None or mean <= 0:
        return None
    return _clip((row["gross_pay_minor"] - mean) / max(std, _LEAST_SPREAD * mean), 20.0)


def has_change(row: Row, usual: Usual) -> float | None:
    """1 when a change of the worker took effect since the period began, else 0."""
    since = usual["worker_days_since_change"]
    return float(since is not None and since <= _days(row["period_start"], row["pay_date"]))


def days_since_last_payroll(row: Row, usual: Usual) -> float | None:
    """Days from the last pay date to this one."""
    return usual["worker_days_since_last_payslip"]


def gross_to_usual(row: Row, usual: Usual) -> float | None:
    """Log of gross pay without bonus to its six-month mean, or to the last where that is older; steps of 0.02."""
    return _log_ratio(_regular(row), _usual_pay(usual))


def net_to_gross(row: Row, usual: Usual) -> float | None:
    """Net to gross less its six-month mean, in whole percent of gross."""
    mean, gross = usual["worker_net_to_gross_ratio_6m_mean"], row["gross_pay_minor"]
    net = row["net_pay_minor"]
    return (
        None
        if mean is None or net is None or gross <= 0
        else _clip(_to_step(net / gross - mean, _SHARE_STEP), 2.0)
    )


def deduction_lines(row: Row, usual: Usual) -> float | None:
    """Deduction lines more or fewer than usual."""
    mean, lines = usual["worker_deduction_lines_6m_mean"], row["deduction_lines"]
    return None if mean is None or lines is None else lines - mean


def bonus_over_largest(row: Row, usual: Usual) -> float | None:
    """How far the bonus exceeds the largest of thirteen months, in tenths of a usual pay; 0 within."""
    mean, largest = _usual_pay(usual), usual["worker_bonus_13m_max"]
    if mean is None or mean <= 0:
        return None
    over = max(row["bonus_minor"] - (largest or 0.0), 0.0) / mean
    return _clip(_to_step(over, _BONUS_STEP), _CAP)


def pay_gap(row: Row, usual: Usual) -> float | None:
    """Days since the last pay date in lengths of this period: 1 is usual, near 0 is a second pay."""
    days = usual["worker_days_since_last_payslip"]
    return None if days is None else min(days / _period(row), _CAP)


def period_overlap(row: Row, usual: Usual) -> float | None:
    """The share of the period that an earlier payslip paid already: 1 for a duplicate."""
    since_end = usual["worker_days_since_period_end"]
    if since_end is None:
        return None
    paid = _days(row["period_start"], row["pay_date"]) + 1 - since_end
    return min(max(paid / _period(row), 0.0), 1.0)


def raise_not_paid(row: Row, usual: Usual) -> float | None:
    """1 when a raise took effect since the last pay date and pay is not above the last, else 0."""
    since, last = usual["worker_days_since_raise"], usual["worker_last_regular_pay"]
    gap = usual["worker_days_since_last_payslip"]
    if since is None or last is None or gap is None or since > gap:
        return 0.0
    return float(_regular(row) <= 1.004 * last)


def days_after_leaving(row: Row, usual: Usual) -> float | None:
    """Days from the last leave to the start of the period; 0 for who has not left, or came back."""
    left, hired = usual["worker_days_since_leave"], usual["worker_days_since_hire"]
    if left is None or (hired is not None and hired <= left):
        return 0.0
    return min(max(left - _days(row["period_start"], row["pay_date"]), 0.0), 90.0)


def pay_to_time_employed(row: Row, usual: Usual) -> float | None:
    """Log of pay without bonus to what the employed days of the period are worth."""
    mean = _usual_pay(usual)
    started = _days(row["period_start"], row["pay_date"])
    length, first = _period(row), 0.0
    hired, left = usual["worker_days_since_hire"], usual["worker_days_since_leave"]
    if hired is not None and hired < started:
        first = started - hired
    last = length
    if left is not None and left < started and (hired is None or hired > left):
        last = min(started - left, length)
    share = max(last - first, 1.0) / length
    return None if mean is None else _log_ratio(_regular(row), share * mean)


def gross_to_country(row: Row, usual: Usual) -> float | None:
    """Log of pay without bonus per month to the country's mean."""
    monthly = _regular(row) * _DAYS_A_MONTH / _period(row)
    return _log_ratio(monthly, usual["country_avg_gross_pay"])


def tenure_days(row: Row, usual: Usual) -> float | None:
    """Days since the worker was hired, as far as the record goes."""
    return usual["worker_days_since_hire"]


def _usual_pay(usual: Usual) -> float | None:
    """Pay without bonus that is usual: the six-month mean; for who is paid rarely, the last."""
    mean = usual["worker_regular_pay_6m_mean"]
    return usual["worker_last_regular_pay"] if mean is None else mean


def _regular(row: Row) -> float:
    return float(row["gross_pay_minor"] - row["bonus_minor"])


def _period(row: Row) -> float:
    """Days of the period, both ends included."""
    return max(_days(row["period_start"], row["period_end"]) + 1, 1.0)


def _days(first: str, last: str) -> float:
    return float((date.fromisoformat(last[:10]) - date.fromisoformat(first[:10])).days)


def _log_ratio(value: float, usual: float | None) -> float | None:
    if usual is None or usual <= 0:
        return None
    return -_CAP if value <= 0 else _clip(_to_step(math.log(value / usual), _RATIO_STEP), _CAP)


def _to_step(value: float, step: float) -> float:
    return round(round(value / step) * step, 6)


def _clip(value: float, cap: float) -> float:
    return min(max(value, -cap), cap)


def _feature(
    name: str, compute: Any, *, low: float = -_CAP, high: float = _CAP, fill: float = 0.0
) -> RequestFeature:
    return RequestFeature(
        name=name,
        description=str(compute.__doc__),
        owner=_OWNER,
        compute=compute,
        nulls="fill",
        fill=fill,
        valid=(low, high),
    )


REQUEST_FEATURES = (
    _feature("current_payslip_gross_pay", gross_pay, low=0, high=1e13),
    _feature("current_payslip_z_score", z_score, low=-20, high=20),
    _feature("has_change_this_period", has_change, low=0, high=1),
    _feature("days_since_last_payroll", days_since_last_payroll, low=0, high=400, fill=30.0),
    _feature("gross_to_usual_log_ratio", gross_to_usual),
    _feature("net_to_gross_delta", net_to_gross, low=-2, high=2),
    _feature("deduction_lines_delta", deduction_lines, low=-500, high=500),
    _feature("bonus_over_largest", bonus_over_largest, low=0),
    _feature("pay_gap_periods", pay_gap, low=0, fill=1.0),
    _feature("period_overlap_share", period_overlap, low=0, high=1),
    _feature("raise_not_paid", raise_not_paid, low=0, high=1),
    _feature("days_after_leaving", days_after_leaving, low=0, high=90),
    _feature("pay_to_time_employed_log_ratio", pay_to_time_employed),
    _feature("gross_to_country_log_ratio", gross_to_country),
    _feature("tenure_days", tenure_days, low=0, high=36_600, fill=1_000.0),
)
