"""Issue-sized promises by simulation: at most 1 % false alarms, at least 95 % of a planted 0.25 PSI found."""

from collections.abc import Callable

import numpy as np
import pytest
from countersign.statistics.psi import ALERT_AT, laplace_shares, null_critical_value, psi_test
from numpy.typing import NDArray

M = 5_000
RUNS = 4_000
Floats = NDArray[np.float64]


def true_psi(p: Floats, q: Floats) -> float:
    return float(np.sum((q - p) * np.log(q / p)))


def tilt(p: Floats) -> Callable[[float], Floats]:
    """A smooth shift along the bins, as a raise for everybody gives."""
    along = np.linspace(-1, 1, p.size)
    return lambda amount: p * np.exp(amount * along) / np.sum(p * np.exp(amount * along))


def swell(p: Floats) -> Callable[[float], Floats]:
    """One bin takes from all others, as a default value gives."""

    def moved(amount: float) -> Floats:
        q = p * (1 - amount)
        q[0] += amount
        return q

    return moved


def planted(shape: Callable[[float], Floats], p: Floats, target: float = 0.25) -> Floats:
    low, high = 0.0, 0.999
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if true_psi(p, shape(middle)) < target else (low, middle)
    return shape(high)


def alert_rate(p: Floats, q: Floats, n: int, seed: int) -> float:
    generator = np.random.default_rng(seed)
    reference, current = generator.multinomial(M, p, RUNS), generator.multinomial(n, q, RUNS)
    a, b = laplace_shares(reference), laplace_shares(current)
    psi = np.sum((b - a) * np.log(b / a), axis=1)
    critical = null_critical_value(n, M, p.size)
    alerts = (psi >= ALERT_AT) & (psi > critical)
    for run in range(0, RUNS, 400):
        assert (psi_test(reference[run], current[run]).verdict == "alert") == bool(alerts[run])
    return float(alerts.mean())


DECILES = np.full(10, 0.1)
SKEWED = np.array([0.55, 0.2, 0.1, 0.06, 0.04, 0.03, 0.02])


@pytest.mark.parametrize("n", [200, 300, 500, 1_000, 5_000])
@pytest.mark.parametrize("p", [DECILES, SKEWED, np.full(20, 0.05)], ids=["deciles", "skew", "20"])
def test_without_drift_at_most_one_percent_alert(p: Floats, n: int) -> None:
    assert alert_rate(p, p, n, seed=n) <= 0.01


# With seven uneven bins chance itself puts 5 % of true 0.25s under the 0.2 line, whatever the test.
@pytest.mark.parametrize("shape", [tilt, swell])
@pytest.mark.parametrize(
    ("p", "at_least"),
    [(DECILES, 0.95), (np.full(20, 0.05), 0.95), (SKEWED, 0.94)],
    ids=["deciles", "20", "skew"],
)
def test_a_planted_quarter_is_found_at_a_thousand_rows(
    p: Floats, at_least: float, shape: Callable[[Floats], Callable[[float], Floats]]
) -> None:
    q = planted(shape(p), p)
    assert true_psi(p, q) == pytest.approx(0.25, abs=1e-6)
    assert alert_rate(p, q, 1_000, seed=1) >= at_least


@pytest.mark.parametrize("n", [10, 25, 49])
def test_below_fifty_rows_false_alarms_stay_at_one_percent(n: int) -> None:
    generator = np.random.default_rng(n)
    runs = 400
    reference, current = (
        generator.multinomial(M, SKEWED, runs),
        generator.multinomial(n, SKEWED, runs),
    )
    verdicts = [psi_test(r, c).verdict for r, c in zip(reference, current, strict=True)]
    assert verdicts.count("alert") <= 0.025 * runs
