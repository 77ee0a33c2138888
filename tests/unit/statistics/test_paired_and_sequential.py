"""McNemar, effects, the e-process, sample-ratio mismatch, many tests, volume."""

import math

import numpy as np
import pytest
from countersign.statistics import multiple, paired, sequential, srm, volume
from countersign.statistics.errors import ShapeError
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import betaln
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests


@given(b=st.integers(0, 400), c=st.integers(0, 400))
def test_mcnemar_equals_statsmodels(b: int, c: int) -> None:
    ours = paired.mcnemar(b, c)
    if b + c:
        theirs = statsmodels_mcnemar([[5, b], [c, 5]], exact=b + c < 25, correction=True).pvalue
        if ours.method == "exact" or abs(b - c) >= 1:
            assert ours.p == pytest.approx(float(theirs), abs=1e-9)
    else:
        assert ours.p == 1.0


def test_mcnemar_published_example() -> None:
    assert paired.mcnemar(3, 12).p == pytest.approx(0.0352, abs=5e-5)


def test_the_paired_interval_covers_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(2)
    cells = generator.multinomial(150, [0.12, 0.05, 0.83], size=3_000)
    intervals = [paired.paired_effect(int(b), int(c), 150) for b, c, _ in cells]
    covered = np.mean([i.low <= 0.07 <= i.high for i in intervals])
    assert covered == pytest.approx(0.95, abs=0.015)


@given(b=st.integers(0, 50), c=st.integers(0, 50), same=st.integers(1, 500))
def test_the_paired_effect_lies_in_its_interval(b: int, c: int, same: int) -> None:
    effect = paired.paired_effect(b, c, b + c + same)
    assert -1 <= effect.low <= effect.value <= effect.high <= 1
    assert effect.value == pytest.approx((b - c) / (b + c + same))


def test_the_clustered_interval_equals_statsmodels() -> None:
    generator = np.random.default_rng(3)
    workers = np.repeat(np.arange(60), 5)
    d = (generator.normal(size=60)[workers] + generator.normal(size=300) > 1).astype(float)
    ours = paired.paired_effect_clustered(d, workers)
    fit = OLS(d, np.ones((300, 1))).fit(
        cov_type="cluster", cov_kwds={"groups": workers}, use_t=False
    )
    scale = math.sqrt(
        300 / 299
    )  # statsmodels also multiplies by (n − 1) / (n − k), which is 1 here
    half = stats.norm.ppf(0.975) * float(fit.bse[0])
    assert ours.high - ours.value == pytest.approx(half, rel=scale - 1 + 1e-6)


def test_one_worker_alone_gives_no_interval() -> None:
    effect = paired.paired_effect_clustered([1.0, 0.0, 1.0], ["w", "w", "w"])
    assert (effect.low, effect.high) == (-math.inf, math.inf)


@given(b=st.integers(0, 300), c=st.integers(0, 300))
def test_the_e_value_is_the_beta_mixture(b: int, c: int) -> None:
    expected = betaln(b + 1, c + 1) + (b + c) * math.log(2)
    assert sequential.log_e_value(b, c) == pytest.approx(expected, abs=1e-9)


@given(b=st.integers(0, 60), c=st.integers(0, 60))
def test_the_e_process_is_a_fair_game_without_a_difference(b: int, c: int) -> None:
    tomorrow = (sequential.e_value(b + 1, c) + sequential.e_value(b, c + 1)) / 2
    assert tomorrow == pytest.approx(sequential.e_value(b, c), rel=1e-9)


def test_looking_daily_inflates_a_fixed_test_and_not_the_e_process() -> None:
    """The published example: 28 daily looks raise α from 5 % to about 27 %."""
    generator = np.random.default_rng(8)
    wins = generator.random((4_000, 28 * 40)) < 0.5
    totals = np.arange(1, wins.shape[1] + 1)
    b = np.cumsum(wins, axis=1)
    z = np.abs(2 * b - totals) / np.sqrt(totals)
    peeked = (z[:, 39::40] > stats.norm.ppf(0.975)).any(axis=1).mean()
    assert peeked == pytest.approx(0.27, abs=0.03)
    log_e = betaln(b + 1, totals - b + 1) + totals * math.log(2)
    assert (log_e >= math.log(20)).any(axis=1).mean() <= 0.05


def test_the_e_process_finds_a_better_model_and_stops() -> None:
    generator = np.random.default_rng(9)
    found = sequential.watch(bool(x) for x in generator.random(2_000) < 0.65)
    assert found.stopped_at is not None
    assert found.stopped_at < 500
    assert found.p <= 0.05
    assert sequential.watch([True, False] * 50).stopped_at is None


@given(st.lists(st.integers(0, 3_000), min_size=2, max_size=5))
def test_the_ratio_test_equals_scipy(counts: list[int]) -> None:
    ours = srm.sample_ratio_mismatch(counts, [1.0] * len(counts))
    if sum(counts):
        assert ours.p == pytest.approx(stats.chisquare(counts).pvalue, abs=1e-9)
        assert ours.halt == (ours.p < 0.001)


def test_a_ratio_mismatch_halts_and_noise_does_not() -> None:
    assert srm.sample_ratio_mismatch([5_200, 4_800], [50, 50]).halt
    assert not srm.sample_ratio_mismatch([5_060, 4_940], [50, 50]).halt
    assert srm.sample_ratio_mismatch([1, 100], [0, 100]).halt
    assert not srm.sample_ratio_mismatch([0, 0], [50, 50]).halt
    with pytest.raises(ShapeError):
        srm.sample_ratio_mismatch([1], [1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_benjamini_hochberg_equals_statsmodels(p: list[float]) -> None:
    theirs = multipletests(p, method="fdr_bh")[1]
    assert multiple.benjamini_hochberg(p) == pytest.approx(theirs, abs=1e-12)


def test_no_tests_need_no_adjustment() -> None:
    assert multiple.benjamini_hochberg([]).size == 0


def test_noise_alone_passes_thirty_percent_but_rarely_ours() -> None:
    """The published example: at a mean of 20, noise passes ±30 % on 14 % of days."""
    beyond = stats.poisson.cdf(14, 20) + stats.poisson.sf(25, 20)
    days = np.random.default_rng(10).poisson(20, 20_000)
    assert np.mean(np.abs(days / 20 - 1) >= 0.3) >= 0.14
    assert beyond > 0.14
    verdicts = [volume.volume_test(int(day), 20.0).verdict for day in days[:5_000]]
    assert verdicts.count("alert") <= 0.002 * 5_000


def test_volume_alerts_when_both_the_share_and_chance_say_so() -> None:
    assert volume.volume_test(0, 20).verdict == "alert"
    assert volume.volume_test(1_400, 1_000).verdict == "alert"
    assert volume.volume_test(1_200, 1_000).verdict == "normal"
    assert volume.volume_test(12, 20).verdict == "normal"
    assert volume.volume_test(12, None).verdict == "insufficient data"
