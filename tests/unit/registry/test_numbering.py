"""Why a version has its number: told in its record, for every kind of model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from countersign import use_cases
from countersign.governance.numbering import SCHEMA, SUBSTANCE, earned, next_version
from countersign.governance.versions import parse_version
from countersign.steps.register.birth import (
    features_used,
    input_schema_digest,
    interface,
    output_schema_digest,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.registry.world import World

BASE: dict[str, Any] = {
    "version": "1.3.0",
    "input_schema_digest": "in", "output_schema_digest": "out",
    "feature_list": ["a", "b"], "feature_code_digest": "code", "dataset_digest": "rows",
    "model_type": "vote",
    "hyperparameters": {"voting": "soft", "members": {"forest": {"trees": 100}}},
    "seed": 7, "scoring": {"rules_version": "r"},
    "interface": {"request": ["amount"], "classes": ["x", "y"], "strategies": ["wait"]},
}  # fmt: skip


def why(**changes: Any) -> tuple[str, str]:
    return earned(BASE, {**BASE, **changes})


@pytest.mark.parametrize(
    ("changes", "number", "told"),
    [
        (
            {"output_schema_digest": "o2", "interface": {**BASE["interface"], "classes": ["x", "z"]}},
            "2.0.0",
            "MAJOR after 1.3.0: what an answer says is other (classes added z, classes removed y)",
        ),
        (
            {"input_schema_digest": "i2", "interface": {**BASE["interface"], "request": ["amount", "iban"]}},
            "2.0.0",
            "MAJOR after 1.3.0: what a caller sends is other (request fields added iban)",
        ),
        ({"feature_list": ["a", "c"]}, "1.4.0", "MINOR after 1.3.0: the features changed (added c, removed b)"),
        ({"model_type": "stacking"}, "1.4.0", "MINOR after 1.3.0: the algorithm changed (vote to stacking)"),
        (
            {"hyperparameters": {"voting": "soft", "members": {"forest": {"trees": 200}}}},
            "1.4.0",
            "MINOR after 1.3.0: the hyperparameters changed (members)",
        ),
        ({"scoring": {"rules_version": "s"}}, "1.4.0", "MINOR after 1.3.0: how a score becomes a decision is other (rules_version)"),
        ({}, "1.3.1", "PATCH after 1.3.0: schema, features, data and algorithm are the same; made anew"),
    ],
)  # fmt: skip
def test_the_number_and_the_reason(changes: dict[str, Any], number: str, told: str) -> None:
    assert why(**changes) == (number, told)


@given(
    st.sets(st.sampled_from(sorted({*SCHEMA, *SUBSTANCE}))),
    st.tuples(*[st.integers(0, 99)] * 3),
)
def test_the_weightiest_change_decides(changed: set[str], before: tuple[int, int, int]) -> None:
    """An oracle of its own: the highest place of the number that any change reaches grows by one."""
    text = ".".join(map(str, before))
    other = {**BASE, "version": "9.9.9", **dict.fromkeys(changed, "other")}
    major, minor, patch = before
    if changed & set(SCHEMA):
        expected = (major + 1, 0, 0)
    elif changed:
        expected = (major, minor + 1, 0)
    else:
        expected = (major, minor, patch + 1)
    assert parse_version(next_version({**BASE, "version": text}, other)) == expected


def test_the_reason_stays_with_the_version(world: World) -> None:
    first = world.register("run-1")
    second = world.register("run-2", model_type="vote")
    assert (first.record.after, first.record.why) == ("", "The first version")
    assert second.record.after == "1.0.0"
    assert "the algorithm changed (isolation_forest to vote)" in second.record.why
    assert world.register("run-2", model_type="vote") == second


@pytest.mark.parametrize("name", sorted(u.name for u in use_cases.registered()))
def test_what_a_declaration_changes_is_major_only_where_callers_see_it(name: str) -> None:
    use_case = use_cases.get(name)
    other = replace(use_case, description="new words", owner="others")
    assert input_schema_digest(other) == input_schema_digest(use_case)
    assert output_schema_digest(other) == output_schema_digest(use_case)
    fewer = replace(use_case, request_fields=use_case.request_fields[:-1])
    if use_case.request_fields:
        assert input_schema_digest(fewer) != input_schema_digest(use_case)
    label = replace(use_case.label, classes=(*use_case.label.classes, "new"))
    assert output_schema_digest(replace(use_case, label=label)) != output_schema_digest(use_case)
    if use_case.strategies:
        silent = replace(use_case, strategies=use_case.strategies[1:])
        assert output_schema_digest(silent) != output_schema_digest(use_case)
        assert interface(silent) != interface(use_case)


@pytest.mark.parametrize("name", sorted(u.name for u in use_cases.registered()))
def test_every_input_of_a_model_is_found_by_its_view(name: str) -> None:
    use_case = use_cases.get(name)
    found = {feature for names in features_used(use_case).values() for feature in names}
    assert set(use_case.inputs) <= found
