"""PSI: its value, its null law, and verdicts that take the sample size seriously."""

import math

import numpy as np
import pytest
from countersign.statistics import psi
from countersign.statistics.distances import kl_divergence
from countersign.statistics.errors import ShapeError
from countersign.statistics.psi_conventions import (
    psi_equal_width,
    psi_evidently,
    psi_of_floored_counts,
)
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

histograms = st.integers(2, 15).flatmap(
    lambda bins: st.tuples(
        st.lists(st.integers(0, 5_000), min_size=bins, max_size=bins),
        st.lists(st.integers(0, 5_000), min_size=bins, max_size=bins),
    )
)


@given(histograms)
def test_psi_is_the_sum_of_both_kl_divergences(pair: tuple[list[int], list[int]]) -> None:
    live = [(r, c) for r, c in zip(*pair, strict=True) if r or c] or [(0, 0), (0, 0)]
    p = psi.laplace_shares([r for r, _ in live])
    q = psi.laplace_shares([c for _, c in live])
    both = kl_divergence(p, q) + kl_divergence(q, p)
    assert psi.population_stability_index(*pair) == pytest.approx(both, abs=1e-9)


@given(histograms)
def test_psi_is_symmetric_and_never_negative(pair: tuple[list[int], list[int]]) -> None:
    forward = psi.population_stability_index(*pair)
    assert forward >= -1e-12
    assert forward == pytest.approx(psi.population_stability_index(pair[1], pair[0]), abs=1e-9)


@given(histograms)
def test_every_comparison_is_finite_and_explained(pair: tuple[list[int], list[int]]) -> None:
    result = psi.psi_test(*pair)
    assert math.isfinite(result.psi)
    assert 0 <= result.p <= 1
    assert result.reason
    if result.verdict in {"watch", "alert"}:
        assert result.psi > result.critical


def test_equal_histograms_have_no_psi() -> None:
    assert psi.population_stability_index([50, 30, 20], [50, 30, 20]) == 0.0


def test_two_bins_by_hand() -> None:
    p, q = 60.5 / 101, 40.5 / 101
    expected = (q - p) * math.log(q / p) + (p - q) * math.log(p / q)
    assert psi.population_stability_index([60, 40], [40, 60]) == pytest.approx(expected)


def test_bins_of_different_number_are_refused() -> None:
    with pytest.raises(ShapeError):
        psi.population_stability_index([1, 2, 3], [1, 2])


def test_the_critical_value_follows_the_chi_square_law() -> None:
    expected = (1 / 200 + 1 / 5_000) * stats.chi2.ppf(0.99, 9)
    assert psi.null_critical_value(200, 5_000, 10) == pytest.approx(expected, rel=1e-9)


def test_a_floor_of_1e_4_breaks_the_null_law_and_laplace_shares_keep_it() -> None:
    """The published example: no drift, n = 100, m = 5 000, ten bins: PSI ≥ 0.1 in 40 % of runs."""
    generator = np.random.default_rng(20)
    p = np.full(10, 0.1)
    reference = generator.multinomial(5_000, p, size=2_000)
    current = generator.multinomial(100, p, size=2_000)
    floored = [psi_of_floored_counts(r, c) for r, c in zip(reference, current, strict=True)]
    assert np.mean(np.array(floored) >= 0.1) == pytest.approx(0.40, abs=0.04)
    ours = [psi.psi_test(r, c) for r, c in zip(reference, current, strict=True)]
    assert np.mean([r.psi > r.critical for r in ours]) <= 0.015
    assert sum(r.verdict == "alert" for r in ours) <= 0.01 * len(ours)


def test_a_large_psi_in_a_small_sample_is_not_an_alert_and_names_what_it_would_take() -> None:
    result = psi.psi_test([500] * 10, [9, 1, 7, 2, 8, 5, 3, 9, 2, 4])
    assert result.psi >= 0.2
    assert (result.verdict, result.n) == ("insufficient data", 50)
    assert result.needed is not None
    enough = psi.null_critical_value(result.needed, result.m, result.bins)
    short = psi.null_critical_value(result.needed - 1, result.m, result.bins)
    assert enough <= 0.2 < short


def test_too_few_rows_are_never_called_stable() -> None:
    result = psi.psi_test([500, 500], [1, 1])
    assert result.psi < 0.1
    assert result.verdict == "insufficient data"


def test_below_fifty_rows_the_null_is_a_seeded_permutation() -> None:
    small = psi.psi_test([500] * 5, [30, 5, 3, 1, 1], seed=3)
    assert small.method == "permutation"
    assert small == psi.psi_test([500] * 5, [30, 5, 3, 1, 1], seed=3)
    assert small.verdict == "alert"


def test_an_empty_week_is_insufficient_data() -> None:
    result = psi.psi_test([500] * 5, [0] * 5)
    assert (result.verdict, result.reason) == ("insufficient data", "no current rows")


def test_a_reference_too_small_for_any_sample_says_so() -> None:
    result = psi.psi_test([3, 4, 5], [40, 400, 900])
    assert result.verdict == "insufficient data"
    assert result.needed is None


def test_everything_in_a_new_bin_alerts() -> None:
    assert psi.psi_test([500] * 5 + [0], [0] * 5 + [400]).verdict == "alert"


def test_one_outlier_blinds_equal_width_bins_but_not_ours() -> None:
    """The published example: one severance payment among 1 001 rows, 0.100 → 0.002."""
    generator = np.random.default_rng(7)
    reference = generator.normal(0, 1, 1_000)
    current = generator.normal(0.23, 1, 20_000)
    with_outlier = np.append(reference, 300.0)
    assert psi_equal_width(reference, current) == pytest.approx(0.10, abs=0.03)
    assert psi_equal_width(with_outlier, current) < 0.005
    edges = np.quantile(reference, np.linspace(0.1, 0.9, 9))
    counts = [np.bincount(np.searchsorted(edges, v), minlength=10) for v in (with_outlier, current)]
    ours = psi.population_stability_index(counts[0], counts[1])
    assert ours == pytest.approx(psi_equal_width(reference, current), abs=0.05)
    assert ours > 0.05


def test_evidently_bins_by_sturges_over_both_samples_and_floors_shares() -> None:
    generator = np.random.default_rng(11)
    reference, current = generator.normal(size=500), generator.normal(0.5, 1, size=300)
    edges = np.histogram_bin_edges(np.concatenate([reference, current]), bins="sturges")
    p = np.histogram(reference, edges)[0] / 500
    q = np.histogram(current, edges)[0] / 300
    p, q = np.where(p == 0, 1e-4, p), np.where(q == 0, 1e-4, q)
    expected = float(np.sum((p - q) * np.log(p / q)))
    assert psi_evidently(reference, current) == pytest.approx(expected)


def test_conventions_answer_nan_for_a_side_without_values() -> None:
    assert math.isnan(psi_evidently([], [1.0]))
    assert math.isnan(psi_equal_width([1.0], [math.nan]))
