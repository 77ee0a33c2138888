"""Rules and the hybrid score: pure functions, held against their words."""

import json
import math

import pytest
from countersign.declare import Hybrid, Rule
from countersign.errors import ArtifactError
from countersign.serving.hybrid import combine, decide, in_range
from countersign.serving.rules import reason_codes, rules_from_json, rules_to_json, score_rules
from hypothesis import given
from hypothesis import strategies as st

HIGH = Rule(code="HIGH", text="Pay is far above", owner="pay", when=("z", ">", 3.0), points=0.6)
LOW = Rule(code="LOW", text="Net above gross", owner="pay", when=("ratio", ">=", 1.0), points=0.7)
RULES = (HIGH, LOW)


def test_a_rule_over_a_null_nan_or_absent_feature_does_not_fire() -> None:
    assert score_rules(RULES, {"z": None, "ratio": math.nan}) == (0.0, ())
    assert score_rules(RULES, {}) == (0.0, ())


def test_points_add_up_to_one_at_most_and_reasons_keep_the_declared_order() -> None:
    points, fired = score_rules(RULES, {"ratio": 1.0, "z": 9.0})
    assert points == 1.0
    assert [reason["code"] for reason in reason_codes(fired)] == ["HIGH", "LOW"]


@pytest.mark.parametrize(
    ("comparison", "fires_at"),
    [(">", {3}), (">=", {2, 3}), ("<", {1}), ("<=", {1, 2}), ("==", {2})],
)
def test_every_operator_means_what_it_says(comparison: str, fires_at: set[int]) -> None:
    rule = Rule(code="R", text="", owner="", when=("x", comparison, 2.0), points=0.5)  # type: ignore[arg-type]
    assert {x for x in (1, 2, 3) if score_rules((rule,), {"x": float(x)})[0]} == fires_at


def test_rules_survive_their_json() -> None:
    assert rules_from_json(json.loads(json.dumps(rules_to_json(RULES)))) == RULES


@pytest.mark.parametrize(
    "broken",
    [
        {"points": 1.5},
        {"points": math.nan},
        {"when": ["z", "~", 1]},
        {"when": ["z", ">"]},
        {"when": ["z", ">", "high"]},
        {"surprise": 1},
    ],
)
def test_a_malformed_rule_is_an_artifact_error(broken: dict[str, object]) -> None:
    with pytest.raises(ArtifactError):
        rules_from_json([{**rules_to_json([HIGH])[0], **broken}])


@given(
    weight=st.floats(0, 1),
    model=st.floats(0, 1),
    rule=st.floats(0, 1),
)
def test_a_hybrid_score_lies_between_its_parts(weight: float, model: float, rule: float) -> None:
    hybrid = Hybrid(model_weight=weight, rules_weight=1.0 - weight)
    score = combine(hybrid, model_score=model, rule_score=rule)
    assert min(model, rule) - 1e-12 <= score <= max(model, rule) + 1e-12
    assert 0.0 <= score <= 1.0


def test_without_a_model_the_rules_stand_alone() -> None:
    hybrid = Hybrid(model_weight=0.7, rules_weight=0.3)
    assert combine(hybrid, model_score=None, rule_score=0.6) == 0.6


def test_the_threshold_itself_is_reviewed() -> None:
    assert decide(0.5, 0.5) == "review"
    assert decide(0.4999, 0.5) == "pass"


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, -0.01, 1.7])
def test_an_output_that_is_not_a_score_is_not_in_range(score: float) -> None:
    assert not in_range(score)
