"""Special functions and the tails of the distributions we test against. Scalars in, scalars out."""

import math
from functools import lru_cache
from statistics import NormalDist

_EPSILON = 1e-16
_TINY = 1e-300
_STEPS = 100_000
_NORMAL = NormalDist()


def normal_cdf(z: float) -> float:
    """P(Z ≤ z), accurate in both tails."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def normal_two_sided(z: float) -> float:
    """P(|Z| ≥ |z|)."""
    return math.erfc(abs(z) / math.sqrt(2.0))


def normal_quantile(p: float) -> float:
    """The z with P(Z ≤ z) = p, for 0 < p < 1. Wichura's algorithm AS 241."""
    return _NORMAL.inv_cdf(p)


def gamma_upper(a: float, x: float) -> float:
    """Q(a, x) = Γ(a, x) / Γ(a), the regularised upper incomplete gamma function, for a > 0.

    Series below x = a + 1 and Lentz's continued fraction above it, so neither tail cancels.

    Source
    ------
    Press et al., Numerical Recipes, 3rd ed., section 6.2.
    """
    if a <= 0 or math.isnan(x):
        raise ValueError("the incomplete gamma function needs a > 0 and a number x")
    if x <= 0:
        return 1.0
    if math.isinf(x):
        return 0.0
    return 1.0 - _lower_series(a, x) if x < a + 1 else _upper_fraction(a, x)


def gamma_lower(a: float, x: float) -> float:
    """P(a, x) = 1 − Q(a, x), without cancellation when it is small."""
    if 0 < x < a + 1:
        return _lower_series(a, x)
    return 1.0 - gamma_upper(a, x)


def _lower_series(a: float, x: float) -> float:
    term = total = 1.0 / a
    for step in range(1, _STEPS):
        term *= x / (a + step)
        total += term
        if term < total * _EPSILON:
            break
    return min(1.0, total * math.exp(a * math.log(x) - x - math.lgamma(a)))


def _upper_fraction(a: float, x: float) -> float:
    b = x + 1.0 - a
    c = 1.0 / _TINY
    d = 1.0 / b
    h = d
    for step in range(1, _STEPS):
        numerator = -step * (step - a)
        b += 2.0
        d = 1.0 / _away_from_zero(numerator * d + b)
        c = _away_from_zero(b + numerator / c)
        h *= d * c
        if abs(d * c - 1.0) < _EPSILON * 4:
            break
    return min(1.0, h * math.exp(a * math.log(x) - x - math.lgamma(a)))


def _away_from_zero(x: float) -> float:
    return _TINY if abs(x) < _TINY else x


def chi_square_tail(x: float, df: float) -> float:
    """P(X ≥ x) for a chi-square variable with `df` degrees of freedom."""
    return gamma_upper(df / 2.0, x / 2.0)


@lru_cache(maxsize=1024)
def chi_square_quantile(p: float, df: float) -> float:
    """The x with P(X ≤ x) = p, for 0 < p < 1, by bisection from the Wilson–Hilferty guess."""
    if not 0 < p < 1:
        raise ValueError("a quantile needs 0 < p < 1")
    tail = 1.0 - p
    cube = 1 - 2 / (9 * df) + normal_quantile(p) * math.sqrt(2 / (9 * df))
    low, high = 0.0, max(df * cube**3, df, 1.0) * 1.5
    while chi_square_tail(high, df) > tail:
        high *= 2.0
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if chi_square_tail(middle, df) > tail else (low, middle)
    return (low + high) / 2


def poisson_at_least(k: int, mean: float) -> float:
    """P(X ≥ k) for a Poisson variable."""
    return 1.0 if k <= 0 else gamma_lower(float(k), mean)


def poisson_at_most(k: int, mean: float) -> float:
    """P(X ≤ k) for a Poisson variable."""
    return 0.0 if k < 0 else gamma_upper(float(k + 1), mean)


def log_choose(n: int, k: int) -> float:
    """Natural logarithm of C(n, k)."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def binomial_half_two_sided(k: int, n: int) -> float:
    """Exact two-sided p of k successes in n fair trials: twice the smaller tail, at most 1."""
    extreme = min(k, n - k)
    tail = sum(math.exp(log_choose(n, i) - n * math.log(2.0)) for i in range(extreme + 1))
    return min(1.0, 2.0 * tail)


def kolmogorov_tail(x: float) -> float:
    """P(K ≥ x) for Kolmogorov's limiting distribution."""
    if x <= 0:
        return 1.0
    if x < 1.0:
        factor = math.sqrt(2 * math.pi) / x
        exponents = (-((2 * k - 1) ** 2) * math.pi**2 / (8 * x * x) for k in range(1, 20))
        return max(0.0, 1.0 - factor * sum(math.exp(e) for e in exponents))
    signed = ((1.0 if k % 2 else -1.0) * math.exp(-2.0 * k * k * x * x) for k in range(1, 50))
    return min(1.0, max(0.0, 2.0 * sum(signed)))
