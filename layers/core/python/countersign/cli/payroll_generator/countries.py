"""How twelve countries pay: currency and its minor units, frequency, extra months, deductions.

Levels are round figures of the right order of magnitude, for demonstration; no survey is quoted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

FREQUENCIES = ("monthly", "biweekly", "weekly")
PAYS_PER_YEAR: Mapping[str, int] = {"monthly": 12, "biweekly": 26, "weekly": 52}
CONTRACTS = ("permanent", "fixed_term", "part_time", "contractor")
CONTRACT_SHARES = (0.72, 0.12, 0.12, 0.04)
LAST_DAY = 31


@dataclass(frozen=True, slots=True)
class Country:
    """Pay rules of one country. Money in major units a month; rates are shares of gross."""

    code: str
    region: str
    currency: str
    minor_digits: int
    monthly_median: float
    usd_rate: float
    share: float
    deduction_rate: float
    deduction_slope: float
    deduction_lines: int
    raise_month: int
    raise_rate: float
    pay_day: int = LAST_DAY
    frequencies: Mapping[str, float] = field(default_factory=lambda: {"monthly": 1.0})
    extra_months: Mapping[int, float] = field(default_factory=dict)


COUNTRIES: tuple[Country, ...] = (
    Country("US", "americas", "USD", 2, 5_200, 1.0, 0.16, 0.24, 0.05, 5, 3, 0.035,
            frequencies={"biweekly": 0.75, "weekly": 0.12, "monthly": 0.13}),
    Country("BR", "americas", "BRL", 2, 4_800, 0.18, 0.09, 0.20, 0.05, 4, 5, 0.05, 30,
            extra_months={11: 0.5, 12: 0.5}),
    Country("MX", "americas", "MXN", 2, 19_000, 0.055, 0.08, 0.16, 0.04, 4, 1, 0.06,
            frequencies={"biweekly": 0.7, "monthly": 0.3}, extra_months={12: 0.5}),
    Country("GB", "emea", "GBP", 2, 3_100, 1.3, 0.12, 0.22, 0.05, 4, 4, 0.04, 28,
            frequencies={"monthly": 0.85, "weekly": 0.15}),
    Country("DE", "emea", "EUR", 2, 4_300, 1.1, 0.11, 0.36, 0.04, 6, 1, 0.03, 27,
            extra_months={11: 0.6}),
    Country("AT", "emea", "EUR", 2, 3_900, 1.1, 0.06, 0.31, 0.04, 5, 1, 0.035,
            extra_months={6: 1.0, 11: 1.0}),
    Country("ES", "emea", "EUR", 2, 2_400, 1.1, 0.07, 0.21, 0.05, 4, 1, 0.03, 28,
            extra_months={7: 1.0, 12: 1.0}),
    Country("PL", "emea", "PLN", 2, 7_800, 0.25, 0.06, 0.29, 0.03, 5, 1, 0.07, 28),
    Country("KW", "emea", "KWD", 3, 900, 3.25, 0.03, 0.04, 0.01, 2, 4, 0.02, 25),
    Country("IN", "apac", "INR", 2, 62_000, 0.012, 0.09, 0.15, 0.05, 4, 4, 0.08,
            extra_months={10: 0.5}),
    Country("PH", "apac", "PHP", 2, 42_000, 0.018, 0.07, 0.17, 0.05, 4, 7, 0.05,
            frequencies={"biweekly": 0.6, "monthly": 0.4}, extra_months={12: 1.0}),
    Country("JP", "apac", "JPY", 0, 330_000, 0.0067, 0.06, 0.22, 0.03, 6, 4, 0.02, 25,
            extra_months={7: 1.5, 12: 1.8}),
)  # fmt: skip
