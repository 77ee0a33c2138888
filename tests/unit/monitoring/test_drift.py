"""Drift against a frozen baseline: what alerts, what waits for more rows, and what no input can break."""

import json
import math
from typing import Any

import numpy as np
import pytest
from countersign.declare import DriftPolicy
from countersign.monitoring.baseline import freeze
from countersign.monitoring.drift import compare
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

M = 5_000
Features = dict[str, Any]


def world(rows: int, seed: int, *, raise_by: float = 0.0) -> tuple[Features, NDArray[np.float64]]:
    generator = np.random.default_rng(seed)
    pay = np.exp(generator.normal(8 + raise_by, 0.4, rows))
    features: Features = {
        "gross_pay": pay,
        "z_score": generator.normal(size=rows),
        "errors_3m": generator.poisson(0.2, rows).astype(float),
        "has_change": (generator.random(rows) < 0.1).astype(float),
        "tenure": np.where(generator.random(rows) < 0.02, np.nan, generator.exponential(900, rows)),
        "constant": np.full(rows, 3.0),
        "country": generator.choice(["DE", "FR", "US"], rows),
    }
    return features, generator.beta(2, 5, rows)


BASELINE = json.loads(json.dumps(freeze(*world(M, 1))))


def row(result: dict[str, Any], name: str) -> dict[str, Any]:
    return next(r for r in result["features"] if r["feature"] == name)


def test_the_same_world_is_stable() -> None:
    result = compare(BASELINE, *world(1_000, 2))
    assert result["status"] == "stable"
    assert result["drifted"] == []
    assert (result["n"], result["m"]) == (1_000, M)


def test_a_shift_is_ranked_first_with_everything_the_verdict_rests_on() -> None:
    result = compare(BASELINE, *world(1_000, 3, raise_by=0.3))
    worst = result["features"][0]
    assert (result["status"], worst["feature"]) == ("alert", "gross_pay")
    assert result["drifted"] == ["gross_pay"]
    assert (result["worst_feature"], result["psi_max"]) == ("gross_pay", worst["psi"])
    assert worst["psi"] > worst["critical"]
    assert worst["psi"] >= 0.2
    assert worst["p"] < 1e-6
    assert worst["mean_shift_std"] > 0.5
    assert worst["psi_equal_width"] > 0
    assert worst["psi_evidently"] > 0
    assert sum(worst["histogram"]["current"]) == pytest.approx(1.0)


def test_distances_beside_psi_agree_with_the_raw_values() -> None:
    reference, _ = world(M, 1)
    current, scores = world(2_000, 4, raise_by=0.2)
    found = row(compare(BASELINE, current, scores), "gross_pay")
    exact = stats.ks_2samp(reference["gross_pay"], current["gross_pay"])
    assert found["ks_d"] == pytest.approx(exact.statistic, abs=0.03)
    raw = stats.wasserstein_distance(reference["gross_pay"], current["gross_pay"])
    assert found["wasserstein"] == pytest.approx(raw, rel=0.05)
    assert found["wasserstein_scaled"] == pytest.approx(
        raw / np.std(reference["gross_pay"]), rel=0.05
    )


def test_more_than_a_fifth_of_the_features_is_dataset_drift() -> None:
    features, scores = world(800, 5)
    for name in ("z_score", "tenure"):
        features[name] = features[name] * 5 + 5
    result = compare(BASELINE, features, scores)
    assert result["dataset_drift"]
    assert result["drift_share"] == pytest.approx(2 / 7)


def test_a_score_far_away_shows_even_when_no_feature_moved() -> None:
    features, scores = world(800, 6)
    result = compare(BASELINE, features, np.clip(scores + 0.6, 0, 1))
    assert result["status"] == "alert"
    assert result["drifted"] == []
    assert result["score_shift_over_3_std"]


def test_a_new_category_shows_as_unseen_mass() -> None:
    features, scores = world(800, 7)
    features["country"] = np.where(np.arange(800) % 5 == 0, "BR", features["country"])
    found = row(compare(BASELINE, features, scores), "country")
    assert found["verdict"] == "alert"
    assert found["unseen_share"] == pytest.approx(0.2)


def test_a_vanished_feature_alerts_and_says_so() -> None:
    features, scores = world(800, 8)
    del features["tenure"]
    found = row(compare(BASELINE, features, scores), "tenure")
    assert found["verdict"] == "alert"
    assert found["null_share"] == 1.0
    assert "vanished" in found["reason"]


def test_a_feature_that_is_new_is_named_and_not_judged() -> None:
    features, scores = world(800, 9)
    features["brand_new"] = np.zeros(800)
    assert compare(BASELINE, features, scores)["new_features"] == ["brand_new"]


def test_numbers_that_became_text_are_unseen() -> None:
    features, scores = world(300, 10)
    features["z_score"] = ["n/a"] * 300
    found = row(compare(BASELINE, features, scores), "z_score")
    assert (found["verdict"], found["unseen_share"]) == ("alert", 1.0)


def test_infinite_values_are_unseen_mass_and_every_number_stays_finite() -> None:
    features, scores = world(400, 11)
    features["gross_pay"] = np.where(np.arange(400) % 3 == 0, np.inf, features["gross_pay"])
    found = row(compare(BASELINE, features, scores), "gross_pay")
    assert found["verdict"] == "alert"
    json.dumps(found, allow_nan=False)


def test_a_constant_that_moves_a_little_is_found() -> None:
    features, scores = world(400, 12)
    features["constant"] = np.full(400, 2.999)
    assert row(compare(BASELINE, features, scores), "constant")["verdict"] == "alert"


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_hardly_any_rows_are_insufficient_data_never_an_error(rows: int) -> None:
    result = compare(BASELINE, *world(rows, 13))
    assert result["status"] == "insufficient data"
    assert result["reason"]
    json.dumps(result, allow_nan=False)


def test_a_small_sample_names_the_rows_it_would_take() -> None:
    result = compare(BASELINE, *world(30, 14, raise_by=0.12))
    found = row(result, "gross_pay")
    assert found["verdict"] == "insufficient data"
    assert found["needed"] > 30


def test_a_broken_feature_alerts_even_below_fifty_rows() -> None:
    features, scores = world(40, 15)
    features["z_score"] = np.full(40, np.nan)
    found = row(compare(BASELINE, features, scores), "z_score")
    assert (found["method"], found["verdict"]) == ("permutation", "alert")


def test_scores_of_another_number_of_rows_are_judged_by_themselves() -> None:
    features, _ = world(1_000, 16)
    result = compare(BASELINE, features, [])
    assert result["score"]["verdict"] == "insufficient data"
    assert result["status"] == "insufficient data"


def test_the_policy_sets_the_levels() -> None:
    strict = DriftPolicy(watch=0.02, alert=0.05, alpha=0.01)
    current = world(1_000, 17, raise_by=0.12)
    assert row(compare(BASELINE, *current), "gross_pay")["verdict"] in {"stable", "watch"}
    assert row(compare(BASELINE, *current, policy=strict), "gross_pay")["verdict"] == "alert"


def test_without_drift_hardly_any_week_of_any_model_alerts() -> None:
    """Whole checks of seven features and the score, at 200 rows a week."""
    weeks = [compare(BASELINE, *world(200, 1_000 + i))["status"] for i in range(150)]
    assert weeks.count("alert") <= 1


values = st.lists(
    st.one_of(st.none(), st.floats(), st.just(math.inf), st.just(1e300)), min_size=0, max_size=60
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(values, values)
def test_any_input_gives_a_finite_answer_with_a_reason(a: list[Any], b: list[Any]) -> None:
    baseline = freeze({"x": [*a, 1.0]}, [0.5])
    result = compare(baseline, {"x": b}, [0.5])
    json.dumps(result, allow_nan=False)
    assert result["reason"]
    assert result["status"] in {"stable", "watch", "alert", "insufficient data"}


def test_bins_are_labelled_by_their_upper_edge_and_constants_by_themselves() -> None:
    histogram = row(compare(BASELINE, *world(600, 18)), "errors_3m")["histogram"]
    assert histogram["labels"][:2] == ["≤ 0.5", "≤ 1.5"]
    moved = world(600, 19)[0]
    moved["constant"] = np.where(np.arange(600) % 2 == 0, 2.0, 4.0)
    histogram = row(compare(BASELINE, moved, []), "constant")["histogram"]
    assert histogram["labels"] == ["< 3", "3", "> 3"]


def test_levels_that_move_a_little_do_not_drift_and_a_new_level_does() -> None:
    levels = np.array([2_800.0, 3_900.0, 5_100.0])
    generator = np.random.default_rng(20)
    baseline = freeze({"country_average": generator.choice(levels, 3_000)}, [0.5])
    nudged = generator.choice(levels * 1.01, 600)
    assert compare(baseline, {"country_average": nudged}, [])["features"][0]["verdict"] == "stable"
    raised = generator.choice(levels * 1.3, 600)
    assert compare(baseline, {"country_average": raised}, [])["features"][0]["verdict"] == "alert"
