"""Declared rules over one feature vector: the part of a score that a person wrote and can read."""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from countersign.declare import Rule
from countersign.errors import ArtifactError

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
}


def score_rules(
    rules: Sequence[Rule], features: Mapping[str, float | None]
) -> tuple[float, tuple[Rule, ...]]:
    """The rule score of one row, and the rules that fired, in the order they are declared.

    Parameters
    ----------
    rules : sequence of Rule
        In declared order.
    features : mapping of feature name to value
        Null, NaN and absent features fire no rule.

    Returns
    -------
    (points, fired)
        points in [0, 1]: the sum of the fired rules' points, never above 1.
    """
    fired = tuple(rule for rule in rules if _fires(rule, features))
    return min(1.0, sum((rule.points for rule in fired), 0.0)), fired


def _fires(rule: Rule, features: Mapping[str, float | None]) -> bool:
    name, comparison, bound = rule.when
    value = features.get(name)
    return value is not None and _OPERATORS[comparison](value, bound)


def reason_codes(fired: Iterable[Rule]) -> list[dict[str, str]]:
    """What an answer says of the rules that fired."""
    return [{"code": rule.code, "text": rule.text} for rule in fired]


def rules_to_json(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """Rules as they stand in `serving.json`, versioned and signed with the model."""
    return [{**asdict(rule), "when": list(rule.when)} for rule in rules]


def rules_from_json(documents: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """The rules of a `serving.json`.

    Raises
    ------
    ArtifactError   a rule lacks a field, has an unknown one, an unknown operator or points outside [0, 1]
    """
    rules = []
    for position, document in enumerate(documents):
        try:
            feature, comparison, bound = document["when"]
            rule = Rule(**{**document, "when": (feature, comparison, float(bound))})
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"Rule {position} of serving.json is malformed") from error
        if comparison not in _OPERATORS or not 0.0 <= rule.points <= 1.0:
            raise ArtifactError(
                f"Rule {rule.code} has an unknown operator or points outside 0 to 1"
            )
        rules.append(rule)
    return tuple(rules)


def rules_version(rules: Sequence[Rule]) -> str:
    """The first 12 digits of the SHA-256 of the rules' JSON."""
    text = json.dumps(rules_to_json(rules), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
