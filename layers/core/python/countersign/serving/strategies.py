"""Which declared strategy an answer recommends: by a rule that fired, by the likeliest class, or by score.

A strategy is data of the signed model: what a version recommends never changes under it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from countersign.declare import Rule, Strategy
from countersign.errors import ArtifactError


def decide(
    strategies: Sequence[Strategy],
    *,
    fired: Sequence[str],
    score: float | None = None,
    probabilities: Mapping[str, float] | None = None,
) -> Strategy:
    """The strategy to recommend.

    Parameters
    ----------
    strategies : sequence of Strategy
        As declared; the first stands when nothing decides.
    fired : sequence of str
        Codes of the rules that fired, in the order of their declaration: they decide before any model.
    score : float, optional
        Of a model of one score: the strategy with the greatest `at_least` that it reaches.
    probabilities : mapping of class to float, optional
        Of a model of classes: the likeliest class whose probability is the strategy's `at_least`.
    """
    for code in fired:
        by_rule = next((s for s in strategies if code in s.rules), None)
        if by_rule is not None:
            return by_rule
    if probabilities is not None:
        able = [s for s in strategies if probabilities.get(s.name, -1.0) >= s.at_least]
        return max(able, key=lambda s: probabilities[s.name], default=strategies[0])
    if score is not None:
        reached = [s for s in strategies if score >= s.at_least]
        return max(reached, key=lambda s: s.at_least, default=strategies[0])
    return strategies[0]


def decided_by(chosen: Strategy, fired: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules that decided for a strategy: the fired ones that name it; none when the model did."""
    return tuple(rule for rule in fired if rule.code in chosen.rules)


def strategies_version(strategies: Sequence[Strategy]) -> str:
    """The first 12 digits of the SHA-256 of their JSON; empty without any."""
    if not strategies:
        return ""
    text = json.dumps(to_json(strategies), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def to_json(strategies: Sequence[Strategy]) -> list[dict[str, Any]]:
    """As `serving.json` keeps them; `wait` in seconds."""
    return [
        {**asdict(s), "wait": s.wait.total_seconds(), "rules": list(s.rules)} for s in strategies
    ]


def from_json(rows: Sequence[Mapping[str, Any]]) -> tuple[Strategy, ...]:
    """The strategies of a `serving.json`. Raises ArtifactError."""
    try:
        return tuple(
            Strategy(
                name=row["name"],
                text=row["text"],
                at_least=float(row["at_least"]),
                wait=timedelta(seconds=row["wait"]),
                rules=tuple(row["rules"]),
            )
            for row in rows
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError("serving.json has a broken strategy; export the model again") from error
