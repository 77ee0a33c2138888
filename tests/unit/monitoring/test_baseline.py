"""Baselines: frozen bins that keep every row and survive their trip through JSON."""

import json
import math

import numpy as np
import pytest
from countersign.errors import DataError
from countersign.monitoring.baseline import freeze, profile
from countersign.monitoring.bins import as_singles, count_equal_widths, count_numbers
from hypothesis import given
from hypothesis import strategies as st

anything = st.lists(
    st.one_of(st.floats(width=32), st.integers(-3, 3).map(float), st.just(math.nan)),
    min_size=1,
    max_size=200,
)


@given(anything)
def test_every_row_is_in_exactly_one_bin(values: list[float]) -> None:
    frozen = profile(values)
    assert sum(frozen["counts"]) == len(values)
    assert min(frozen["counts"]) >= 0
    assert len(frozen["counts"]) == len(frozen["edges"]) + 3
    assert frozen["edges"] == sorted(set(frozen["edges"]))


@given(anything, anything)
def test_counting_equals_numpy(values: list[float], other: list[float]) -> None:
    edges = profile(values)["edges"]
    x = as_singles(other)
    finite = x[np.isfinite(x)]
    where = np.searchsorted(np.array(edges, dtype=np.float32), finite, side="left")
    expected = np.bincount(where, minlength=len(edges) + 1).tolist()
    nulls, infinite = int(np.isnan(x).sum()), int(np.isinf(x).sum())
    assert count_numbers(x, edges) == [*expected, nulls, infinite]


@given(st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=100), st.integers(1, 15))
def test_equal_widths_equal_numpy(values: list[float], bins: int) -> None:
    x = as_singles(values)
    counts = count_equal_widths(x, -50.0, 50.0, bins)
    edges = (-50.0 + 100.0 / bins * np.arange(1, bins)).astype(np.float32)
    expected = np.bincount(np.searchsorted(edges, x, side="right"), minlength=bins)
    assert counts == expected.tolist()


@given(anything)
def test_a_baseline_survives_json_bit_for_bit(values: list[float]) -> None:
    frozen = freeze({"pay": values}, [0.5] * len(values))
    assert json.loads(json.dumps(frozen, allow_nan=False)) == frozen


def test_continuous_values_get_ten_even_bins() -> None:
    frozen = profile(np.random.default_rng(1).normal(size=10_000))
    assert len(frozen["counts"]) == 12
    assert max(abs(count - 1_000) for count in frozen["counts"][:10]) <= 1
    assert frozen["quantiles"][50] == pytest.approx(0, abs=0.05)


def test_a_constant_has_a_bin_of_its_own_with_room_on_both_sides() -> None:
    frozen = profile([7.5] * 500)
    below, at, above, nulls, unseen = frozen["counts"]
    assert (below, at, above, nulls, unseen) == (0, 500, 0, 0, 0)
    assert count_numbers(as_singles([7.4, 7.6, 7.5]), frozen["edges"]) == [1, 1, 1, 0, 0]


def test_a_count_of_mostly_zeros_merges_its_duplicate_deciles() -> None:
    frozen = profile([0.0] * 900 + [1.0] * 60 + [2.0] * 40, bins=20)
    assert sum(frozen["counts"]) == 1_000
    assert frozen["edges"] == [-0.5, 0.5, 1.5]
    assert frozen["counts"][:4] == [0, 900, 60, 40]


def test_a_value_that_float32_cannot_hold_stays_in_its_bin() -> None:
    single, double = np.full(100, 0.1, dtype=np.float32), np.full(50, 0.1)
    edges = profile(single)["edges"]
    assert count_numbers(as_singles(double), edges) == [0, 50, 0, 0, 0]


def test_texts_become_categories_with_null_and_unseen_bins() -> None:
    frozen = profile(["EUR"] * 6 + ["USD"] * 3 + [None, ""])
    assert frozen["categories"] == ["EUR", "USD"]
    assert frozen["counts"] == [6, 3, 2, 0]


def test_all_null_features_can_be_frozen() -> None:
    frozen = profile([None, math.nan, None])
    assert frozen["counts"][-2] == 3
    assert frozen["mean"] is None


def test_nothing_to_freeze_is_refused() -> None:
    with pytest.raises(DataError):
        freeze({}, [])
    with pytest.raises(DataError):
        freeze({"a": []}, [])
    with pytest.raises(DataError):
        freeze({"a": [1.0], "b": [1.0, 2.0]}, [0.5])
