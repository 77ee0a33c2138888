"""Pay runs: which period is paid on which day, by country and frequency."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from countersign.cli.payroll_generator.countries import LAST_DAY, Country

Days = npt.NDArray[np.datetime64]

_A_FRIDAY = np.datetime64("2010-01-08", "D")
_STEP_DAYS = {"biweekly": 14, "weekly": 7}


@dataclass(frozen=True, slots=True)
class PayRuns:
    """Consecutive pay runs. Arrays of datetime64[D], shape (n_runs,)."""

    period_start: Days
    period_end: Days
    pay_date: Days

    def __len__(self) -> int:
        return len(self.pay_date)


def pay_runs(
    country: Country, frequency: str, first: np.datetime64, last: np.datetime64
) -> PayRuns:
    """Every run of a country and frequency whose pay date lies in [first, last]."""
    runs = (
        _monthly(country, first, last)
        if frequency == "monthly"
        else _stepped(frequency, first, last)
    )
    kept = (runs.pay_date >= first) & (runs.pay_date <= last)
    return PayRuns(runs.period_start[kept], runs.period_end[kept], runs.pay_date[kept])


def _monthly(country: Country, first: np.datetime64, last: np.datetime64) -> PayRuns:
    months = np.arange(first.astype("M8[M]"), last.astype("M8[M]") + 1)
    start = months.astype("M8[D]")
    end = (months + 1).astype("M8[D]") - 1
    day = end if country.pay_day == LAST_DAY else np.minimum(start + (country.pay_day - 1), end)
    return PayRuns(start, end, np.busday_offset(day, 0, roll="backward"))


def _stepped(frequency: str, first: np.datetime64, last: np.datetime64) -> PayRuns:
    """Paid on a Friday for the 7 or 14 days that ended the Sunday before."""
    step = _STEP_DAYS[frequency]
    skipped = -(-(first - _A_FRIDAY).astype(int) // step)
    pay_date = np.arange(_A_FRIDAY + int(skipped) * step, last + 1, step)
    end = pay_date - 5
    return PayRuns(end - (step - 1), end, pay_date)
