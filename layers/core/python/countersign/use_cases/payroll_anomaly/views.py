"""Features of workers, clients and countries. All windows exclude the payslip that is being scored."""

from datetime import timedelta

from countersign.declare import Feature, FeatureView, Window

from .sources import (
    CLIENT,
    CLIENT_HEADCOUNT,
    COUNTRY,
    COUNTRY_FACTS,
    PAYROLL_ERRORS,
    PAYROLL_EXCEPTIONS,
    PAYSLIPS,
    WORKER,
    WORKER_CHANGES,
)

# A month's pay run may be four weeks after the last and a few days late.
PAY_SLA = timedelta(days=45)
QUIET_SLA = timedelta(days=3660)
SIX_MONTHS = Window(months=6)
REGULAR = "gross_pay_minor - bonus_minor"
NET_TO_GROSS = "net_pay_minor / nullif(gross_pay_minor, 0)::DOUBLE"
# Pay per month, so that weekly and monthly pay can be averaged.
MONTHLY_GROSS = (
    "gross_pay_minor * CASE pay_frequency WHEN 'weekly' THEN 52 WHEN 'biweekly' THEN 26 "
    "WHEN 'semimonthly' THEN 24 WHEN 'annual' THEN 1 ELSE 12 END / 12.0"
)

WORKER_PAY = FeatureView(
    name="worker_pay",
    entity=WORKER,
    source=PAYSLIPS,
    also=(WORKER_CHANGES,),
    carries=("client_id", "country"),
    description="What a worker is usually paid",
    owner="payroll-data",
    features=(
        Feature(
            name="worker_gross_pay_6m_mean",
            description="Mean gross pay of the payslips of six calendar months, minor units",
            aggregation="mean",
            expression="gross_pay_minor",
            window=SIX_MONTHS,
            sla=PAY_SLA,
            critical=True,
            valid=(0, 1e13),
        ),
        Feature(
            name="worker_gross_pay_6m_std",
            description="Sample standard deviation of the same payslips; null with fewer than two",
            aggregation="std",
            expression="gross_pay_minor",
            window=SIX_MONTHS,
            sla=PAY_SLA,
            valid=(0, 1e13),
        ),
        Feature(
            name="worker_net_to_gross_ratio_trend",
            description="Slope per 30 days of net to gross over six calendar months",
            aggregation="trend",
            expression=NET_TO_GROSS,
            window=SIX_MONTHS,
            sla=PAY_SLA,
            valid=(-10, 10),
        ),
        Feature(
            name="worker_net_to_gross_ratio_6m_mean",
            description="Mean of net to gross over six calendar months",
            aggregation="mean",
            expression=NET_TO_GROSS,
            window=SIX_MONTHS,
            sla=PAY_SLA,
            critical=True,
            valid=(0, 20),
        ),
        Feature(
            name="worker_regular_pay_6m_mean",
            description="Mean gross pay without bonuses over six calendar months, minor units",
            aggregation="mean",
            expression=REGULAR,
            window=SIX_MONTHS,
            sla=PAY_SLA,
            valid=(-1e13, 1e13),
        ),
        Feature(
            name="worker_last_regular_pay",
            description="Gross pay without bonuses of the last payslip within two years, minor units",
            aggregation="last",
            expression=REGULAR,
            window=Window(months=25),
            sla=PAY_SLA,
            valid=(-1e13, 1e13),
        ),
        Feature(
            name="worker_deduction_lines_6m_mean",
            description="Usual number of deduction lines",
            aggregation="mean",
            expression="deduction_lines",
            window=SIX_MONTHS,
            sla=PAY_SLA,
            valid=(0, 500),
        ),
        Feature(
            name="worker_bonus_13m_max",
            description="Largest bonus of thirteen calendar months, minor units",
            aggregation="max",
            expression="bonus_minor",
            window=Window(months=13),
            sla=PAY_SLA,
            valid=(0, 1e13),
        ),
        Feature(
            name="worker_payslip_count_12m",
            description="Payslips of twelve calendar months",
            aggregation="count",
            window=Window(months=12),
            sla=PAY_SLA,
            valid=(0, 200),
        ),
        Feature(
            name="worker_days_since_last_payslip",
            description="Days since the last pay date",
            aggregation="days_since",
            window=Window(months=13),
            sla=PAY_SLA,
            valid=(0, 400),
        ),
        Feature(
            name="worker_days_since_period_end",
            description="Days since the end of the last period that was paid",
            aggregation="days_since",
            expression="period_end",
            window=Window(months=13),
            sla=PAY_SLA,
            valid=(-60, 430),
        ),
        Feature(
            name="worker_change_count_6m",
            description="Changes of the worker's record over six calendar months",
            aggregation="count",
            source="worker_changes",
            window=SIX_MONTHS,
            sla=QUIET_SLA,
            valid=(0, 100),
        ),
    ),
)


def _since(name: str, kinds: str, description: str) -> Feature:
    return Feature(
        name=name,
        description=description,
        aggregation="days_since",
        where=f"kind IN ({kinds})" if kinds else "",
        window=Window(include_current=True),
        sla=QUIET_SLA,
        valid=(0, 36_600),
    )


WORKER_EVENTS = FeatureView(
    name="worker_changes",
    entity=WORKER,
    source=WORKER_CHANGES,
    description="When a worker joined, left, and was last changed",
    owner="payroll-data",
    ttl=QUIET_SLA,
    features=(
        _since("worker_days_since_change", "", "Days since any change took effect"),
        _since("worker_days_since_hire", "'hire', 'rehire'", "Days since the last hire: tenure"),
        _since("worker_days_since_leave", "'leave'", "Days since the last leave took effect"),
        _since("worker_days_since_raise", "'raise'", "Days since the last raise took effect"),
    ),
)
WORKER_ISSUES = FeatureView(
    name="worker_issues",
    entity=WORKER,
    source=PAYROLL_ERRORS,
    also=(PAYROLL_EXCEPTIONS,),
    description="What went wrong with a worker's pay; a worker without a row had nothing",
    owner="payroll-operations",
    features=(
        Feature(
            name="error_count_rolling_3m",
            description="Confirmed errors of three calendar months, as far as known",
            aggregation="count",
            window=Window(months=3),
            sla=QUIET_SLA,
            nulls="zero",
            valid=(0, 100),
        ),
        Feature(
            name="exception_count_rolling_6m",
            description="Exceptions of six calendar months",
            aggregation="count",
            source="payroll_exceptions",
            window=SIX_MONTHS,
            sla=QUIET_SLA,
            nulls="zero",
            valid=(0, 200),
        ),
        Feature(
            name="exception_count_rolling_10d",
            description="Exceptions of the ten days before pay day",
            aggregation="count",
            source="payroll_exceptions",
            window=Window(duration=timedelta(days=10)),
            sla=QUIET_SLA,
            nulls="zero",
            valid=(0, 50),
        ),
    ),
)
CLIENT_QUALITY = FeatureView(
    name="client_quality",
    entity=CLIENT,
    source=PAYSLIPS,
    also=(PAYROLL_ERRORS, CLIENT_HEADCOUNT),
    description="How error-prone a client's payroll is, and how its workforce moves",
    owner="payroll-operations",
    features=(
        Feature(
            name="client_error_rate_12m",
            description="Confirmed errors per payslip of twelve calendar months, as far as known",
            aggregation="rate",
            source="*",
            where="_source <> 'client_headcount'",
            expression="_source = 'payroll_errors'",
            denominator="_source = 'payslips'",
            window=Window(months=12),
            sla=PAY_SLA,
            valid=(0, 1),
        ),
        Feature(
            name="headcount_change_rolling_3m_pct",
            description="Change from the first to the last headcount of three calendar months, per cent",
            aggregation="percent_change",
            source="client_headcount",
            expression="headcount",
            window=Window(months=3),
            sla=timedelta(days=100),
            valid=(-100, 10_000),
        ),
    ),
)
COUNTRY_PAY = FeatureView(
    name="country_pay",
    entity=COUNTRY,
    source=PAYSLIPS,
    also=(COUNTRY_FACTS,),
    description="What is usual in a country",
    owner="payroll-data",
    features=(
        Feature(
            name="country_avg_gross_pay",
            description="Mean gross pay per month of three calendar months, minor units",
            aggregation="mean",
            expression=MONTHLY_GROSS,
            window=Window(months=3),
            sla=PAY_SLA,
            valid=(0, 1e13),
        ),
        Feature(
            name="country_regulatory_change_count_ytd",
            description="Regulatory changes that took effect since 1 January",
            aggregation="count",
            source="country_facts",
            window=Window(year_to_date=True, include_current=True),
            sla=QUIET_SLA,
            valid=(0, 500),
        ),
    ),
)
VIEWS = (WORKER_PAY, WORKER_EVENTS, WORKER_ISSUES, CLIENT_QUALITY, COUNTRY_PAY)
