"""What a use case says of its ending, its answers and its body, for every declared one."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from countersign import use_cases
from countersign.declare import UseCase
from countersign.features.dataset import spine_columns
from countersign.serving.validate import compile_fields, read_body

ROOT = Path(__file__).parents[2]
every_use_case = pytest.mark.parametrize(
    "case", use_cases.all_use_cases().values(), ids=lambda case: case.name
)


@every_use_case
def test_a_label_matures_after_its_horizon_and_names_its_classes(case: UseCase) -> None:
    label = case.label
    assert label.matures > timedelta(0)
    assert label.within is None or timedelta(0) < label.within <= label.matures
    assert bool(label.classes) == bool(label.outcome)
    if label.classes:
        assert len(set(label.classes)) == len(label.classes) > 2
        assert set(label.source.column(label.outcome).allowed) == set(label.classes)
        assert not label.source.column(label.outcome).nullable


@every_use_case
def test_strategies_cover_the_classes_or_the_scores(case: UseCase) -> None:
    names = [strategy.name for strategy in case.strategies]
    assert len(set(names)) == len(names)
    assert not case.label.classes or set(names) == set(case.label.classes)
    codes = {rule.code for rule in case.rules}
    assert {code for strategy in case.strategies for code in strategy.rules} <= codes
    for strategy in case.strategies:
        assert strategy.text, strategy.name
        assert 0 <= strategy.at_least <= 1, strategy.name
        assert strategy.wait >= timedelta(0), strategy.name
    assert not case.strategies or case.strategies[0].at_least == 0


@every_use_case
def test_upstream_scores_are_asked_for_kept_and_never_needed(case: UseCase) -> None:
    """A case is scored when the models before it are silent, and trains on what they said then."""
    served = use_cases.all_use_cases()
    asked = {field.path.rpartition(".")[2]: field for field in case.request_fields}
    for name in case.upstream:
        assert case.name not in served[name].upstream
        assert name != case.name
        field, kept = asked[f"{name}_score"], case.spine.column(f"{name}_score")
        assert (field.type, field.minimum, field.maximum) == ("number", 0, 1)
        assert not field.required
        assert kept.nullable
        assert (kept.minimum, kept.maximum) == (0, 1)


@every_use_case
def test_categories_leave_room_for_the_unknown(case: UseCase) -> None:
    for feature in case.request_features:
        assert len(set(feature.categories)) == len(feature.categories), feature.name
        if feature.categories:
            assert feature.valid[0] == 0, feature.name
            assert feature.valid[1] >= len(feature.categories), feature.name


@every_use_case
def test_a_dataset_has_no_two_columns_of_one_name(case: UseCase) -> None:
    kept = {*spine_columns(case), "as_of", "label"}
    features = [f.name for view in case.views for f in view.features]
    features += [feature.name for feature in case.request_features]
    assert not kept & set(features)


@every_use_case
def test_what_request_features_read_is_in_the_spine_and_in_the_body(case: UseCase) -> None:
    """A field that a scorer knows and a training row does not would be null in every training row."""
    asked = last_parts(case) - {"idempotency_key"}
    of_others = set().union(*(last_parts(use_cases.get(name)) for name in case.upstream))
    assert asked - of_others <= {column.name for column in case.spine.columns}


def last_parts(case: UseCase) -> set[str]:
    return {field.path.rpartition(".")[2] for field in case.request_fields}


@every_use_case
def test_a_label_of_classes_has_strategies_and_each_is_a_class(case: UseCase) -> None:
    """Without one there is nothing to answer; one that is no class can never be judged by its outcome."""
    if case.label.classes:
        assert case.strategies
        assert {strategy.name for strategy in case.strategies} <= set(case.label.classes)


@every_use_case
def test_a_body_may_state_each_upstream_score_and_all_that_the_upstream_needs(
    case: UseCase,
) -> None:
    for name in case.upstream:
        assert f"{name}_score" in last_parts(case)
        assert last_parts(use_cases.get(name)) <= last_parts(case)
        assert f"{name}_score" in {feature.name for feature in case.request_features}


@every_use_case
def test_a_documented_body_is_one_that_the_route_takes(case: UseCase) -> None:
    tree, found = compile_fields(case.request_fields), 0
    for path in sorted((ROOT / "events").glob("score*.json")):
        event = json.loads(path.read_text())
        if event.get("resource") in {case.api_path, case.api_path.removeprefix("/v1")}:
            assert read_body(tree, json.loads(event["body"]))
            found += 1
    assert found, f"events/score__{case.name}.json is missing"
