"""Annual earnings: payroll anomaly as far as published annual files can carry it. Trained, never served.

Such files state gross pay and a bonus once a year. Every other input of `payroll_anomaly` is null or the
same in each of their rows, and from those nothing is learned, by rule; so they are not inputs here.
"""

from dataclasses import replace

from .payroll_anomaly import USE_CASE as PAYROLL

_INPUTS = ("gross_to_usual_log_ratio", "bonus_over_largest", "current_payslip_gross_pay")

TRAINED_ONLY = replace(
    PAYROLL,
    name="annual_earnings",
    title="Annual earnings",
    description="Judges a year's pay against the year before; a candidate at most, never on duty",
    inputs=_INPUTS,
    rules=tuple(rule for rule in PAYROLL.rules if rule.when[0] in _INPUTS),
    fairness=tuple(group for group in PAYROLL.fairness if group.column == "country"),
)
