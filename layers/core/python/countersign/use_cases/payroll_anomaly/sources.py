"""What payroll delivers: six contracts. Money is integer minor units of the row's currency."""

from datetime import timedelta

from countersign.declare import Column, DeliveryPolicy, Entity, Source

FREQUENCIES = ("weekly", "biweekly", "semimonthly", "monthly", "annual")
CONTRACTS = ("permanent", "fixed_term", "part_time", "contractor")
A_QUARTER_AHEAD = timedelta(days=100)
LARGEST_PAY_MINOR = 1e13

WORKER = Entity(name="worker", key="worker_id")
CLIENT = Entity(name="client", key="client_id", buckets=1)
COUNTRY = Entity(name="country", key="country", buckets=1)


def _id(name: str, *, personal: bool = False) -> Column:
    return Column(name=name, type="string", personal=personal)


def _money(name: str, *, minimum: float = 0, nullable: bool = False) -> Column:
    return Column(
        name=name,
        type="integer",
        minimum=minimum,
        maximum=LARGEST_PAY_MINOR,
        unit="minor",
        nullable=nullable,
    )


KNOWN_AT = Column(name="known_at", type="timestamp")

PAYSLIPS = Source(
    name="payslips",
    description="Gross to net of one worker and pay run; a correction is a later version of its id",
    owner="payroll-engine",
    columns=(
        _id("payslip_id"),
        _id("worker_id", personal=True),
        _id("client_id"),
        _id("country"),
        _id("currency"),
        Column(name="pay_frequency", type="string", allowed=FREQUENCIES),
        Column(name="contract_type", type="string", allowed=CONTRACTS, nullable=True),
        Column(name="period_start", type="date"),
        Column(name="period_end", type="date"),
        Column(name="pay_date", type="date"),
        # Published earnings state gross only, and a bonus that is taken back is negative.
        _money("gross_pay_minor"),
        _money("net_pay_minor", nullable=True),
        _money("deductions_minor", nullable=True),
        _money("bonus_minor", minimum=-LARGEST_PAY_MINOR),
        Column(
            name="deduction_lines",
            type="integer",
            minimum=0,
            maximum=500,
            unit="lines",
            nullable=True,
        ),
        Column(name="revision", type="integer", minimum=0, maximum=1000),
        KNOWN_AT,
    ),
    key=("payslip_id",),
    event_time="pay_date",
    ahead=timedelta(days=45),
    same=(
        "worker_id",
        "period_start",
        "period_end",
        "gross_pay_minor",
        "net_pay_minor",
        "deductions_minor",
        "bonus_minor",
    ),
    # Half a payroll under new ids is a delivery that came twice.
    delivery=DeliveryPolicy(repeats_refuse=0.5),
)
WORKER_CHANGES = Source(
    name="worker_changes",
    description="Hires, leaves, raises and smaller changes of a worker, by the day they take effect",
    owner="hris",
    columns=(
        _id("change_id"),
        _id("worker_id", personal=True),
        _id("client_id"),
        Column(
            name="kind",
            type="string",
            allowed=("hire", "leave", "rehire", "raise", "contract", "address", "bank"),
        ),
        Column(name="effective_date", type="date"),
        KNOWN_AT,
    ),
    key=("change_id",),
    event_time="effective_date",
    ahead=timedelta(days=400),
)
PAYROLL_ERRORS = Source(
    name="payroll_errors",
    description="Errors of payslips that somebody confirmed, weeks after pay day: the labels",
    owner="payroll-operations",
    columns=(
        _id("error_id"),
        _id("payslip_id"),
        _id("worker_id", personal=True),
        _id("client_id"),
        _id("kind"),
        Column(name="severity", type="string", allowed=("low", "medium", "high", "critical")),
        Column(name="occurred_at", type="date"),
        KNOWN_AT,
    ),
    key=("error_id",),
    event_time="occurred_at",
)
PAYROLL_EXCEPTIONS = Source(
    name="payroll_exceptions",
    description="What stood in the way of a pay run: late input, a rejected bank account",
    owner="payroll-operations",
    columns=(
        _id("exception_id"),
        _id("worker_id", personal=True),
        _id("client_id"),
        _id("kind"),
        Column(name="raised_at", type="timestamp"),
        KNOWN_AT,
    ),
    key=("exception_id",),
    event_time="raised_at",
)
COUNTRY_FACTS = Source(
    name="country_facts",
    description="Regulatory changes of a country, mostly announced ahead",
    owner="compliance",
    columns=(
        _id("country"),
        _id("regulatory_change"),
        Column(name="effective_date", type="date"),
        KNOWN_AT,
    ),
    key=("country", "regulatory_change"),
    event_time="effective_date",
    ahead=timedelta(days=800),
)
CLIENT_HEADCOUNT = Source(
    name="client_headcount",
    description="Employed workers of a client on the first of a month",
    owner="client-platform",
    columns=(
        _id("client_id"),
        Column(name="headcount", type="integer", minimum=0, maximum=5e6, unit="workers"),
        Column(name="as_of_date", type="date"),
        KNOWN_AT,
    ),
    key=("client_id", "as_of_date"),
    event_time="as_of_date",
    ahead=A_QUARTER_AHEAD,
)
