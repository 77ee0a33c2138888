"""What a Telco churn file states: customers as of one moment, and which of them left."""

from datetime import timedelta

from countersign.declare import Column, Entity, Source

GENDERS = ("female", "male")
YES_NO = ("yes", "no")
WITH_PHONE = ("no", "yes", "no_phone_service")
WITH_INTERNET = ("no", "yes", "no_internet_service")
INTERNET = ("no", "dsl", "fiber_optic")
CONTRACTS = ("month_to_month", "one_year", "two_year")
PAYMENTS = (
    "electronic_check",
    "mailed_check",
    "bank_transfer_automatic",
    "credit_card_automatic",
)
LONGEST_TENURE = 1_200
LARGEST_MINOR = 1e11
# The file says who left, not when. A month after the snapshot is what the importer states unless told otherwise.
LABEL_DELAY = timedelta(days=30)

CUSTOMER = Entity(name="telco_customer", key="customer_id")
_KNOWN_AT = Column(name="known_at", type="timestamp")


def _word(name: str, allowed: tuple[str, ...], *, personal: bool = False) -> Column:
    return Column(name=name, type="string", allowed=allowed, personal=personal)


def _flag(name: str) -> Column:
    return Column(name=name, type="boolean")


def _money(name: str, *, nullable: bool = False) -> Column:
    return Column(
        name=name, type="integer", minimum=0, maximum=LARGEST_MINOR, unit="minor", nullable=nullable
    )


CUSTOMERS = Source(
    name="telco_customers",
    description="A customer's contract and services as of the one moment that the file describes",
    owner="customer-data",
    columns=(
        Column(name="customer_id", type="string", personal=True),
        _word("gender", GENDERS, personal=True),
        _word("senior_citizen", YES_NO, personal=True),
        _flag("partner"),
        _flag("dependents"),
        Column(
            name="tenure_months", type="integer", minimum=0, maximum=LONGEST_TENURE, unit="months"
        ),
        _flag("phone_service"),
        _word("multiple_lines", WITH_PHONE),
        _word("internet_service", INTERNET),
        _word("online_security", WITH_INTERNET),
        _word("online_backup", WITH_INTERNET),
        _word("device_protection", WITH_INTERNET),
        _word("tech_support", WITH_INTERNET),
        _word("streaming_tv", WITH_INTERNET),
        _word("streaming_movies", WITH_INTERNET),
        _word("contract", CONTRACTS),
        _flag("paperless_billing"),
        _word("payment_method", PAYMENTS),
        _money("monthly_charges_minor"),
        # Blank for who was not billed yet (tenure 0): unknown, and not zero.
        _money("total_charges_minor", nullable=True),
        Column(name="observed_at", type="timestamp"),
        _KNOWN_AT,
    ),
    key=("customer_id",),
    event_time="observed_at",
)
CHURN_LABELS = Source(
    name="telco_churn_labels",
    description="Customers who left, by the day somebody knew",
    owner="customer-data",
    columns=(
        Column(name="customer_id", type="string", personal=True),
        Column(name="occurred_at", type="timestamp"),
        _KNOWN_AT,
    ),
    key=("customer_id",),
    event_time="occurred_at",
)
