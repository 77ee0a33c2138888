"""Payroll anomaly: which payslips of a pay run should a person look at before money moves?"""

from datetime import timedelta

from countersign.declare import (
    CostMatrix,
    FairnessGroup,
    Gate,
    Hybrid,
    Label,
    ModelSpec,
    RequestField,
    Rollout,
    Rule,
    Split,
    UseCase,
)

from .request_time import REQUEST_FEATURES
from .sources import CLIENT, COUNTRY, LARGEST_PAY_MINOR, PAYROLL_ERRORS, PAYSLIPS, WORKER
from .views import VIEWS

_OPERATIONS, _COMPLIANCE = "payroll-operations", "compliance"
# Lowest risk first: where wages are few, in one currency, or nobody is paid through extra months.
_COHORTS = ("KW", "PL", "AT", "ES", "PH", "MX", "BR", "IN", "JP", "GB", "DE", "US")


def _money(name: str, description: str) -> RequestField:
    return RequestField(
        path=f"payslip.{name}",
        type="integer",
        minimum=0,
        maximum=LARGEST_PAY_MINOR,
        description=description,
    )


def _text(path: str, description: str, pattern: str = "^[A-Za-z0-9._:-]+$") -> RequestField:
    return RequestField(path=path, type="string", pattern=pattern, description=description)


def _stated(path: str, description: str, pattern: str) -> RequestField:
    """An id that the worker's record carries; a request may state it, and then it must agree."""
    return RequestField(
        path=path, type="string", required=False, pattern=pattern, description=description
    )


def _date(name: str, description: str) -> RequestField:
    return RequestField(path=f"payslip.{name}", type="date", description=description)


USE_CASE = UseCase(
    name="payroll_anomaly",
    title="Payroll anomaly",
    owner="payroll-data",
    description="Scores a payslip before it is paid: how unlike this worker's pay it is, and why",
    api_path="/v1/payroll/anomaly/score",
    spine=PAYSLIPS,
    entities=(WORKER, CLIENT, COUNTRY),
    views=VIEWS,
    request_features=REQUEST_FEATURES,
    request_fields=(
        _text("worker_id", "The worker, as the payroll engine names them"),
        _stated(
            "client_id", "The worker's client; the one on record when absent", "^[A-Za-z0-9._:-]+$"
        ),
        _stated("country", "ISO 3166 code; the one on record when absent", "^[A-Z]{2}$"),
        _text("payslip.payslip_id", "The payslip that is about to be paid"),
        _date("period_start", "First day of the period"),
        _date("period_end", "Last day of the period"),
        _date("pay_date", "The day the money moves: the as-of moment of the score"),
        _text("payslip.currency", "ISO 4217 code", "^[A-Z]{3}$"),
        _money("gross_pay_minor", "Gross pay, minor units"),
        _money("net_pay_minor", "Net pay, minor units"),
        _money("deductions_minor", "Deductions, minor units"),
        _money("bonus_minor", "Bonuses within gross pay, minor units"),
        RequestField(path="payslip.deduction_lines", type="integer", minimum=0, maximum=500),
        RequestField(
            path="idempotency_key",
            type="string",
            required=False,
            max_length=128,
            description="Or the Idempotency-Key header; the same key gives the same answer",
        ),
    ),
    inputs=(
        "gross_to_usual_log_ratio",
        "pay_to_time_employed_log_ratio",
        "net_to_gross_delta",
        "deduction_lines_delta",
        "bonus_over_largest",
        "period_overlap_share",
        "raise_not_paid",
        "days_after_leaving",
        "gross_to_country_log_ratio",
        "exception_count_rolling_10d",
    ),
    label=Label(
        name="confirmed_error",
        source=PAYROLL_ERRORS,
        join="payslip_id",
        matures=timedelta(days=45),
    ),
    model=ModelSpec(
        trainer="isolation_forest",
        hyperparameters={"n_estimators": 200, "max_samples": 2048},
    ),
    split=Split(train=0.6, validate=0.2, min_rows=500, min_positives=10),
    gates=(
        Gate("auc", at_least=0.80),
        Gate("average_precision", at_least=0.20),
        Gate("recall", at_least=0.50),
        Gate("latency_p95_ms", at_most=200.0),
    ),
    fairness=(
        FairnessGroup(column="country"),
        FairnessGroup(column="contract_type"),
    ),
    costs=CostMatrix(
        false_negative_minor=40_000, false_positive_minor=1_500, true_positive_minor=1_500
    ),
    rules=(
        Rule(
            code="GROSS_FAR_FROM_USUAL",
            text="Gross pay is more than double the usual",
            owner=_OPERATIONS,
            when=("gross_to_usual_log_ratio", ">", 0.7),
            points=0.7,
        ),
        Rule(
            code="GROSS_FAR_BELOW_USUAL",
            text="Gross pay is less than a quarter of the usual",
            owner=_OPERATIONS,
            when=("gross_to_usual_log_ratio", "<", -1.4),
            points=0.6,
        ),
        Rule(
            code="PERIOD_PAID_ALREADY",
            text="An earlier payslip has paid most of this period",
            owner=_OPERATIONS,
            when=("period_overlap_share", ">=", 0.5),
            points=0.9,
        ),
        Rule(
            code="NET_SHARE_UNUSUAL",
            text="Net pay is a far larger share of gross than usual",
            owner=_COMPLIANCE,
            when=("net_to_gross_delta", ">", 0.1),
            points=0.7,
        ),
        Rule(
            code="PAID_AFTER_LEAVING",
            text="The worker left before this period began",
            owner=_OPERATIONS,
            when=("days_after_leaving", ">", 0.0),
            points=0.8,
        ),
        Rule(
            code="RAISE_NOT_PAID",
            text="A raise took effect and the pay did not rise",
            owner=_OPERATIONS,
            when=("raise_not_paid", "==", 1.0),
            points=0.5,
        ),
    ),
    hybrid=Hybrid(model_weight=0.7, rules_weight=0.3),
    rollout=Rollout(
        cohort_column="country",
        cohorts=_COHORTS,
        steps=(0.1, 0.3, 0.6, 1.0),
        wait=timedelta(days=7),
        soak=timedelta(days=7),
        guards=(
            Gate("error_rate", at_most=0.01),
            Gate("latency_p95_ms", at_most=200.0),
            Gate("review_rate", at_most=0.20),
        ),
    ),
    autonomy="advisory",
    approval_class="standard",
)
