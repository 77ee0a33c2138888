"""KS, chi-square, Jensen–Shannon, KL and Wasserstein against scipy."""

import math
import warnings

import numpy as np
import pytest
from countersign.statistics import distances
from countersign.statistics.errors import ShapeError
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

samples = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)
coarse = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=60)
shares = st.integers(2, 12).flatmap(
    lambda size: st.tuples(
        *[st.lists(st.floats(0.001, 1), min_size=size, max_size=size) for _ in range(2)]
    )
)


@given(first=samples | coarse, second=samples | coarse)
def test_ks_equals_scipy_exact(first: list[float], second: list[float]) -> None:
    ours = distances.ks_two_sample(first, second)
    with warnings.catch_warnings(record=True) as gave_up:  # where its p rounds to above 1
        warnings.simplefilter("always")
        theirs = stats.ks_2samp(first, second, method="exact")
    assert ours.d == pytest.approx(theirs.statistic, abs=1e-12)
    assert ours.p == pytest.approx(1.0 if gave_up else theirs.pvalue, abs=1e-9)


@pytest.mark.parametrize(("n", "m"), [(100, 5_000), (1_000, 1_000), (333, 2_000)])
def test_ks_equals_scipy_on_samples_of_a_week(n: int, m: int) -> None:
    generator = np.random.default_rng(n)
    first, second = generator.normal(size=n), generator.normal(0.05, 1, size=m)
    ours = distances.ks_two_sample(first, second)
    assert ours.method == "exact"
    assert ours.p == pytest.approx(stats.ks_2samp(first, second, method="exact").pvalue, abs=1e-9)


def test_ks_on_many_rows_uses_the_limit_which_is_close_to_scipy() -> None:
    generator = np.random.default_rng(5)
    first, second = generator.normal(size=8_000), generator.normal(0.02, 1, size=9_000)
    ours = distances.ks_two_sample(first, second)
    assert ours.method == "asymptotic"
    assert ours.p == pytest.approx(stats.ks_2samp(first, second, method="exact").pvalue, abs=0.005)


def test_ks_of_counts_is_never_larger_than_ks_of_values() -> None:
    generator = np.random.default_rng(6)
    first, second = generator.normal(size=2_000), generator.normal(0.2, 1, size=500)
    edges = np.quantile(first, np.linspace(0.1, 0.9, 9))
    counts = [np.bincount(np.searchsorted(edges, v), minlength=10) for v in (first, second)]
    binned = distances.ks_of_counts(*counts)
    exact = distances.ks_two_sample(first, second)
    assert binned.d <= exact.d
    assert binned.d == pytest.approx(exact.d, abs=0.05)


@given(
    st.lists(st.integers(6, 500), min_size=2, max_size=10),
    st.lists(st.integers(6, 500), min_size=10, max_size=10),
)
def test_chi_square_equals_scipy(reference: list[int], current: list[int]) -> None:
    table = np.array([reference, current[: len(reference)]])
    theirs = stats.chi2_contingency(table, correction=False)
    ours = distances.chi_square_two_sample(*table)
    if theirs.expected_freq.min() >= 5:
        assert ours.merged == 0
        assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-9, abs=1e-9)
        assert ours.p == pytest.approx(theirs.pvalue, abs=1e-9)


def test_rare_categories_are_merged_until_each_expects_five() -> None:
    ours = distances.chi_square_two_sample([500, 300, 2, 1, 0], [90, 60, 1, 0, 3])
    theirs = stats.chi2_contingency([[500, 303], [90, 64]], correction=False)
    assert (ours.merged, ours.df) == (3, 1)
    assert ours.p == pytest.approx(theirs.pvalue, abs=1e-9)


def test_an_unseen_category_shows() -> None:
    assert distances.chi_square_two_sample([500, 500, 0], [90, 90, 40]).p < 1e-9


@pytest.mark.parametrize("counts", [([10], [20]), ([10, 5], [0, 0]), ([1, 0], [1, 0])])
def test_nothing_to_compare_gives_no_evidence(counts: tuple[list[int], list[int]]) -> None:
    assert distances.chi_square_two_sample(*counts).p == 1.0


@given(shares)
def test_jensen_shannon_equals_scipy(pair: tuple[list[float], list[float]]) -> None:
    ours = distances.jensen_shannon_distance(*pair)
    assert ours**2 == pytest.approx(float(jensenshannon(*pair, base=2)) ** 2, abs=1e-9)
    assert 0 <= ours <= 1


def test_jensen_shannon_published_example_is_the_distance() -> None:
    assert distances.jensen_shannon_distance([0.5, 0.5], [0.9, 0.1]) == pytest.approx(
        0.3831, abs=5e-5
    )


@given(shares)
def test_kl_equals_scipy(pair: tuple[list[float], list[float]]) -> None:
    assert distances.kl_divergence(*pair) == pytest.approx(stats.entropy(*pair), abs=1e-9)


def test_kl_has_a_direction_and_no_mercy_for_missing_mass() -> None:
    assert distances.kl_divergence([1, 1], [1, 0]) == math.inf
    assert distances.kl_divergence([1, 0], [1, 1]) == pytest.approx(math.log(2))


@given(first=samples, second=samples)
def test_wasserstein_equals_scipy(first: list[float], second: list[float]) -> None:
    raw, scaled = distances.wasserstein(first, second)
    assert raw == pytest.approx(stats.wasserstein_distance(first, second), rel=1e-9, abs=1e-9)
    if 0 < np.std(first) < math.inf:
        assert scaled == pytest.approx(raw / np.std(first))


def test_a_reference_without_spread_scales_to_infinity_only_when_something_moved() -> None:
    assert distances.wasserstein([2.0, 2.0], [2.0]) == (0.0, 0.0)
    assert distances.wasserstein([2.0, 2.0], [3.0]) == (1.0, math.inf)


def test_empty_samples_are_refused() -> None:
    with pytest.raises(ShapeError):
        distances.ks_two_sample([], [1.0])
    with pytest.raises(ShapeError):
        distances.jensen_shannon_distance([0, 0], [1, 1])
    with pytest.raises(ShapeError):
        distances.kl_divergence([1, 1], [1, 1, 1])
    with pytest.raises(ShapeError):
        distances.ks_of_counts([1, 2], [0, 0])
    with pytest.raises(ShapeError):
        distances.chi_square_two_sample([], [])
