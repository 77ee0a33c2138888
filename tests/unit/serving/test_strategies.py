"""What an answer recommends: a rule first, then the likeliest class, then the score; else the harmless one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from countersign.declare import Strategy
from countersign.errors import ArtifactError
from countersign.serving.strategies import decide, from_json, to_json

LATER = Strategy(name="later", text="Later", wait=timedelta(days=3))
NOW = Strategy(name="now", text="Now", at_least=0.4)
ASK = Strategy(name="ask", text="Ask", at_least=0.6, rules=("EXPIRED",))
ALL = (LATER, NOW, ASK)


def test_a_fired_rule_decides_before_the_model() -> None:
    shares = {"later": 0.1, "now": 0.9, "ask": 0.0}
    assert decide(ALL, fired=["EXPIRED"], probabilities=shares) == ASK


def test_a_rule_that_decides_nothing_leaves_it_to_the_model() -> None:
    assert decide(ALL, fired=["OTHER"], probabilities={"later": 0.2, "now": 0.8, "ask": 0}) == NOW


def test_the_likeliest_class_counts_only_from_its_own_probability_on() -> None:
    assert decide(ALL, fired=[], probabilities={"later": 0.2, "now": 0.3, "ask": 0.5}) == LATER


def test_a_score_takes_the_strategy_with_the_greatest_bound_it_reaches() -> None:
    reached = [decide(ALL, fired=[], score=score).name for score in (0.1, 0.4, 0.59, 0.6, 1.0)]
    assert reached == ["later", "now", "now", "ask", "ask"]


def test_the_first_stands_when_nothing_decides() -> None:
    assert decide(ALL, fired=[]) == LATER
    assert decide((NOW, ASK), fired=[], score=0.1) == NOW


def test_strategies_survive_the_file() -> None:
    assert from_json(to_json(ALL)) == ALL


def test_a_broken_file_is_refused() -> None:
    with pytest.raises(ArtifactError, match="strategy"):
        from_json([{"name": "now"}])
