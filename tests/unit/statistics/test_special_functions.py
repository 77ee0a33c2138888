"""Our special functions against scipy, in both tails."""

import math

import pytest
from countersign.statistics import special as ours
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats


@given(a=st.floats(0.05, 3_000), ratio=st.floats(0.0, 5.0))
def test_incomplete_gamma_equals_scipy(a: float, ratio: float) -> None:
    x = a * ratio
    assert ours.gamma_upper(a, x) == pytest.approx(special.gammaincc(a, x), rel=1e-9, abs=1e-12)
    assert ours.gamma_lower(a, x) == pytest.approx(special.gammainc(a, x), rel=1e-9, abs=1e-12)


@given(df=st.integers(1, 500), x=st.floats(0, 2_000))
def test_chi_square_tail_equals_scipy(df: int, x: float) -> None:
    assert ours.chi_square_tail(x, df) == pytest.approx(stats.chi2.sf(x, df), abs=1e-9)


@pytest.mark.parametrize("x", [50.0, 100.0, 300.0])
def test_chi_square_tail_keeps_its_digits_where_it_is_tiny(x: float) -> None:
    assert ours.chi_square_tail(x, 4) == pytest.approx(stats.chi2.sf(x, 4), rel=1e-9)


@given(df=st.integers(1, 300), p=st.floats(1e-6, 1 - 1e-9))
def test_chi_square_quantile_equals_scipy(df: int, p: float) -> None:
    assert ours.chi_square_quantile(p, df) == pytest.approx(stats.chi2.ppf(p, df), rel=1e-7)


@given(p=st.floats(1e-12, 1 - 1e-12))
def test_normal_quantile_equals_scipy(p: float) -> None:
    assert ours.normal_quantile(p) == pytest.approx(stats.norm.ppf(p), abs=1e-9)


@given(z=st.floats(-30, 30))
def test_normal_tails_equal_scipy(z: float) -> None:
    assert ours.normal_cdf(z) == pytest.approx(stats.norm.cdf(z), rel=1e-9)
    assert ours.normal_two_sided(z) == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)


@given(k=st.integers(0, 400), mean=st.floats(0.01, 300))
def test_poisson_tails_equal_scipy(k: int, mean: float) -> None:
    assert ours.poisson_at_least(k, mean) == pytest.approx(stats.poisson.sf(k - 1, mean), abs=1e-9)
    assert ours.poisson_at_most(k, mean) == pytest.approx(stats.poisson.cdf(k, mean), abs=1e-9)


@given(n=st.integers(0, 60), data=st.data())
def test_fair_coin_tail_equals_scipy(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    expected = stats.binomtest(k, n, 0.5).pvalue if n else 1.0
    assert ours.binomial_half_two_sided(k, n) == pytest.approx(expected, abs=1e-9)


@given(x=st.floats(0.01, 6))
def test_kolmogorov_tail_equals_scipy(x: float) -> None:
    assert ours.kolmogorov_tail(x) == pytest.approx(special.kolmogorov(x), abs=1e-9)


def test_arguments_outside_the_domain_are_refused() -> None:
    with pytest.raises(ValueError, match="incomplete gamma"):
        ours.gamma_upper(0.0, 1.0)
    with pytest.raises(ValueError, match="quantile"):
        ours.chi_square_quantile(1.0, 3)
    assert ours.gamma_upper(2.0, math.inf) == 0.0
