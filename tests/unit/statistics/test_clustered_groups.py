"""Two groups against each other, held to statsmodels where rows are independent and to simulation where not."""

import numpy as np
import pytest
from countersign.statistics.errors import ShapeError
from countersign.statistics.groups import Share, clustered_share, gap_interval, ratio_interval
from countersign.statistics.proportions import Interval, wilson
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep as between

COUNTS = st.tuples(st.integers(2, 400), st.integers(2, 400)).flatmap(
    lambda n: st.tuples(
        st.integers(1, n[0] - 1), st.just(n[0]), st.integers(1, n[1] - 1), st.just(n[1])
    )
)


@given(COUNTS)
def test_the_gap_is_newcombes(counts: tuple[int, int, int, int]) -> None:
    k1, n1, k2, n2 = counts
    low, high = between(k1, n1, k2, n2, compare="diff", method="newcomb")
    ours = gap_interval(Share(k1, n1), Share(k2, n2))
    assert (ours.low, ours.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


@given(COUNTS)
def test_the_ratio_is_katzs(counts: tuple[int, int, int, int]) -> None:
    k1, n1, k2, n2 = counts
    low, high = between(k1, n1, k2, n2, compare="ratio", method="log")
    ours = ratio_interval(Share(k1, n1), Share(k2, n2))
    assert (ours.low, ours.high) == (pytest.approx(low, rel=1e-9), pytest.approx(high, rel=1e-9))


def test_a_group_without_a_hit_has_a_ratio_of_zero_and_a_limit_above_it() -> None:
    found = ratio_interval(Share(0, 50), Share(10, 50))
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high is not None
    assert 0.0 < found.high < 1.0


def test_what_nobody_has_has_no_ratio() -> None:
    nothing = Interval(None, None, None)
    assert ratio_interval(Share(0, 50), Share(0, 50)) == nothing
    assert ratio_interval(Share(0, 0), Share(1, 50)) == nothing
    assert gap_interval(Share(0, 0), Share(1, 50)) == nothing


def test_rows_of_their_own_are_worth_what_they_are() -> None:
    hits = np.array([True] * 30 + [False] * 70)
    found = clustered_share(hits, np.arange(100))
    assert found.rows == pytest.approx(99)  # one degree of freedom
    low = wilson(30, 100).low
    assert low is not None
    assert found.interval().low == pytest.approx(low, abs=1e-3)


def test_copies_of_a_row_are_worth_one() -> None:
    hits = np.repeat(np.array([True] * 30 + [False] * 70), 10)
    found = clustered_share(hits, np.repeat(np.arange(100), 10))
    assert found.rows == pytest.approx(99)
    assert found.value == pytest.approx(0.3)


def test_a_rate_of_none_counts_each_cluster_once() -> None:
    assert clustered_share(np.zeros(100, bool), np.arange(100) // 10) == Share(0.0, 10.0)
    assert clustered_share(np.zeros(0, bool), np.zeros(0)) == Share(0.0, 0.0)


def test_as_many_clusters_as_hits_are_needed() -> None:
    with pytest.raises(ShapeError):
        clustered_share([True, False], [1])


def test_the_interval_covers_the_rate_when_rows_come_in_clusters() -> None:
    """60 workers of 12 payslips, each with a habit: counting rows would cover in about two thirds."""
    random = np.random.default_rng(5)
    covered, plain = 0, 0
    for _ in range(400):
        habit = random.beta(0.8, 3.2, 60)
        hits = random.uniform(size=(60, 12)) < habit[:, None]
        ours = clustered_share(hits.ravel(), np.repeat(np.arange(60), 12)).interval()
        naive = wilson(int(hits.sum()), 720)
        covered += float(ours.low or 0) <= 0.2 <= float(ours.high or 0)
        plain += float(naive.low or 0) <= 0.2 <= float(naive.high or 0)
    assert covered / 400 > 0.92
    assert plain / 400 < 0.80
