"""Every declared use case, and every check that applies to it: declaring one adds its tests."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from countersign import use_cases
from countersign.declare import Feature, FeatureView, RequestFeature, Source, UseCase
from countersign.features import asof, duck, packing, request_time
from countersign.features.definition import (
    code_digest,
    definition_digest,
    feature_digest,
    registry_rows,
)
from countersign.features.engine import stored_columns
from countersign.features.history import create_history
from countersign.features.pointintime import check_spine

USE_CASES = list(use_cases.registered())
VIEWS = [(case, view) for case in USE_CASES for view in case.views]
REGISTRY_FIELDS = {
    "feature_name", "description", "computation_logic", "source_table", "freshness_sla", "owner",
    "critical", "kind", "boundary", "nulls", "valid", "code_digest", "models",
}  # fmt: skip


def names(value: Any) -> str:
    return str(getattr(value, "name", value))


every_use_case = pytest.mark.parametrize("case", USE_CASES, ids=names)
every_view = pytest.mark.parametrize(("case", "view"), VIEWS, ids=names)


def features_of(case: UseCase) -> list[Feature | RequestFeature]:
    return [*(f for view in case.views for f in view.features), *case.request_features]


def test_the_shipped_use_cases_are_declared() -> None:
    shipped = {"payroll_anomaly", "fraud", "churn", "retry", "recovery"}
    assert shipped <= {case.name for case in USE_CASES}


@every_use_case
def test_feature_names_are_unique_and_inputs_are_features(case: UseCase) -> None:
    every = [feature.name for feature in features_of(case)]
    assert len(set(every)) == len(every)
    assert set(case.inputs) <= set(every)
    assert len(set(case.inputs)) == len(case.inputs)


@every_use_case
def test_everything_has_an_owner_and_a_description(case: UseCase) -> None:
    assert case.owner
    assert case.description
    for thing in (*case.sources(), *case.views, *case.request_features):
        assert thing.owner, thing.name
        assert thing.description, thing.name
    assert all(feature.description for feature in features_of(case))


@every_use_case
def test_sources_name_their_keys_and_clocks(case: UseCase) -> None:
    for source in case.sources():
        columns = {column.name: column for column in source.columns}
        assert set(source.key) <= set(columns), source.name
        assert columns[source.event_time].type in {"date", "timestamp"}
        assert columns[source.known_at].type == "timestamp"
        required = {*source.key, source.event_time, source.known_at}
        assert not [name for name in required if columns[name].nullable], source.name
        assert not [name for name in columns if name.startswith("_")], source.name


@every_use_case
def test_one_name_is_one_source_and_one_view_in_all_use_cases(case: UseCase) -> None:
    sources: dict[str, Source] = {s.name: s for other in USE_CASES for s in other.sources()}
    views: dict[str, FeatureView] = {v.name: v for other in USE_CASES for v in other.views}
    assert all(sources[source.name] == source for source in case.sources())
    assert all(views[view.name] == view for view in case.views)


@every_use_case
def test_the_spine_has_what_a_row_is_joined_by(case: UseCase) -> None:
    columns = {column.name for column in case.spine.columns}
    assert {view.entity.key for view in case.views} <= columns
    assert {group.column for group in case.fairness} <= columns
    assert {case.rollout.cohort_column, case.label.join} <= columns
    assert case.label.join in {column.name for column in case.label.source.columns}


@every_use_case
def test_the_scoring_body_names_or_finds_every_entity(case: UseCase) -> None:
    asked = {field.path.rpartition(".")[2]: field for field in case.request_fields}
    assert asked[case.entities[0].key].required
    carried = {column for view in case.views for column in view.carries}
    assert {entity.key for entity in case.entities[1:]} <= set(asked) | carried
    assert case.spine.event_time in asked


@every_use_case
def test_policies_add_up(case: UseCase) -> None:
    assert case.hybrid.model_weight + case.hybrid.rules_weight == pytest.approx(1)
    assert 0 < case.split.train < case.split.train + case.split.validate < 1
    assert case.rollout.steps == tuple(sorted(case.rollout.steps))
    assert case.rollout.steps[-1] == 1
    assert len(set(case.rollout.cohorts)) == len(case.rollout.cohorts) > 0
    assert case.gates
    assert case.drift.watch < case.drift.alert


@every_use_case
def test_rules_are_over_features_and_have_codes_of_their_own(case: UseCase) -> None:
    every = {feature.name for feature in features_of(case)}
    assert len({rule.code for rule in case.rules}) == len(case.rules)
    for rule in case.rules:
        assert rule.when[0] in every, rule.code
        assert 0 < rule.points <= 1, rule.code
        assert rule.owner, rule.code


@every_use_case
def test_every_input_says_what_a_null_becomes(case: UseCase) -> None:
    for name in case.inputs:
        feature = case.feature(name)
        assert feature.nulls in {"refuse", "zero", "fill", "keep"}
        assert feature.valid[0] < feature.valid[1], name
        if feature.nulls == "fill":
            assert feature.valid[0] <= feature.fill <= feature.valid[1], name


@every_use_case
def test_registry_rows_are_complete(case: UseCase) -> None:
    rows = registry_rows(case)
    assert {row["feature_name"] for row in rows} == {f.name for f in features_of(case)}
    for row in rows:
        assert set(row) >= REGISTRY_FIELDS
        assert row["freshness_sla"] in {"real-time", "daily", "weekly"}
        assert row["computation_logic"]


@every_use_case
def test_digests_are_stable_and_tell_features_apart(case: UseCase) -> None:
    digests = [feature_digest(feature) for feature in features_of(case)]
    assert len(set(digests)) == len(digests)
    assert code_digest(case) == code_digest(case)


@every_use_case
def test_request_features_work_on_a_body_alone(case: UseCase) -> None:
    """Nothing is known of the entity; the features are numbers or null, and a vector can be made."""
    row = request_time.row_of(case, body_of(case))
    made = request_time.compute(case, row, {})
    assert set(made) == {feature.name for feature in case.request_features}
    assert all(value is None or math.isfinite(value) for value in made.values())
    if not [name for name in case.inputs if case.feature(name).nulls == "refuse"]:
        assert len(request_time.vector(case, made).inputs) == len(case.inputs)


@every_view
def test_windows_state_one_span_and_features_name_their_source(
    case: UseCase, view: FeatureView
) -> None:
    for feature in view.features:
        window = feature.window
        if window is not None:
            spans = [bool(window.months), window.year_to_date, bool(window.duration)]
            assert sum(spans) <= 1, feature.name
            assert window.delay >= timedelta(0), feature.name
        assert feature.source in {"", "*", *(source.name for source in view.sources())}


@every_view
def test_sources_of_a_view_have_the_entitys_key(case: UseCase, view: FeatureView) -> None:
    for source in view.sources():
        assert view.entity.key in {column.name for column in source.columns}, source.name
    columns = {column.name for source in view.sources() for column in source.columns}
    assert set(view.carries) <= columns


@every_view
def test_a_view_computes_and_joins_over_no_facts_at_all(case: UseCase, view: FeatureView) -> None:
    with duck.connect() as connection:
        for source in view.sources():
            duck.register_source(connection, source, [])
        moment = "'2026-11-21 00:00:00+00'::TIMESTAMPTZ"
        connection.execute(
            f"CREATE TABLE asked AS SELECT 'nobody' AS {view.entity.key}, {moment} AS as_of"
        )
        check_spine(connection, "asked", (view.entity.key,))
        at = duck.from_microseconds(1_795_219_200_000_000)
        history = create_history(connection, view, as_of=at, built_at=at)
        joined = asof.join_sql(connection, "asked", [(view, history)])
        columns = ", ".join(f'"{feature.name}"' for feature in view.features)
        found = connection.execute(f"SELECT {columns} FROM ({joined})").fetchall()
    assert found == [(None,) * len(view.features)]


@every_view
def test_a_packed_value_unpacks_to_itself(case: UseCase, view: FeatureView) -> None:
    stored = [None if n % 3 == 0 else n / 7 for n in range(len(stored_columns(view)))]
    row = packing.unpack(view, packing.pack(view, stored))
    assert row is not None
    assert [*row.stored.values(), *row.latest.values()] == stored
    assert packing.unpack(view, bytes(8) + packing.pack(view, stored)[8:]) is None
    assert len(definition_digest(view)) == 16


@every_use_case
def test_a_use_case_is_one_file_or_one_folder(case: UseCase) -> None:
    home = Path(use_cases.__file__).parent
    assert (home / f"{case.name}.py").exists() != (home / case.name).is_dir()


def body_of(case: UseCase) -> dict[str, Any]:
    """A scoring body with a plausible value at every declared path."""
    body: dict[str, Any] = {}
    for field in case.request_fields:
        *parents, last = field.path.split(".")
        place = body
        for parent in parents:
            place = place.setdefault(parent, {})
        low = 1.0 if field.minimum is None else field.minimum
        place[last] = {
            "string": "X",
            "integer": int(low) + 1,
            "number": low + 1,
            "boolean": True,
            "date": "2026-11-21",
            "timestamp": "2026-11-21T05:47:00Z",
        }[field.type]
    return body
