"""The plan of a change, as a function: nothing to do twice, nothing lost, every effect named."""

from __future__ import annotations

from typing import Any

from countersign.features.plan import Held, Plan, Serving, Trained, Usage, plan
from countersign.features.record import active, content, writes
from hypothesis import given
from hypothesis import strategies as st

Rows = list[dict[str, Any]]
NOW = "2026-11-21T06:00:00.000000Z"
FEATURE, VIEW = ("view", "feature_name"), ("view",)


def feature(view: str = "v", name: str = "f", **changes: Any) -> dict[str, Any]:
    definition = {"aggregation": "mean", "expression": "pay", "window": {"months": 6}}
    return {
        "view": view, "feature_name": name, "description": "d", "owner": "o", "critical": False,
        "nulls": "keep", "fill": None, "valid": [None, 5.0], "models": [], "kind": "windowed",
        "computation_logic": "mean(pay)", "code_digest": "c", "definition": definition,
        "maximum_staleness_seconds": 60.0, **changes,
    }  # fmt: skip


def view(name: str = "v", definition: str = "1", **changes: Any) -> dict[str, Any]:
    return {"view": name, "definition": definition, "buckets": 4, "owner": "o", **changes}


features = st.lists(
    st.builds(
        feature,
        view=st.sampled_from("vwx"),
        name=st.sampled_from("abcd"),
        description=st.sampled_from(["d", "e"]),
        critical=st.booleans(),
        maximum_staleness_seconds=st.sampled_from([60.0, 60, 90.5]),
    ),
    unique_by=lambda row: (row["view"], row["feature_name"]),
)
views = st.lists(
    st.builds(view, name=st.sampled_from("vwx"), definition=st.sampled_from("12")),
    unique_by=lambda row: row["view"],
)


def recorded(held: Rows, declared: Rows, key: tuple[str, ...]) -> Rows:
    """The record after the declarations were registered."""
    rows = {tuple(row[k] for k in key): row for row in held}
    rows |= {tuple(row[k] for k in key): row for row in writes(held, declared, key=key, now=NOW)}
    return list(rows.values())


@given(features, views)
def test_what_is_on_record_already_is_no_change(rows: Rows, named: Rows) -> None:
    made = plan((rows, named), (rows, named), Usage())
    assert (made.empty, made.safe, made.models) == (True, True, ())


@given(features, views, features, views)
def test_after_it_was_done_a_plan_is_empty_and_nothing_is_lost(
    before: Rows, views_before: Rows, after: Rows, views_after: Rows
) -> None:
    rows = recorded(recorded([], before, FEATURE), after, FEATURE)
    named = recorded(recorded([], views_before, VIEW), views_after, VIEW)
    assert plan((rows, named), (after, views_after), Usage()).empty
    assert writes(rows, after, key=FEATURE, now=NOW) == []
    identities = {(r["view"], r["feature_name"]) for r in [*before, *after]}
    assert {(r["view"], r["feature_name"]) for r in rows} == identities
    alive = {(r["view"], r["feature_name"]) for r in rows if active(r)}
    assert alive == {(r["view"], r["feature_name"]) for r in after}


@given(features, features)
def test_a_plan_names_exactly_what_registering_writes(before: Rows, after: Rows) -> None:
    rows = recorded([], before, FEATURE)
    made = plan((rows, []), (after, []), Usage())
    written = {
        (row["view"], row["feature_name"]) for row in writes(rows, after, key=FEATURE, now=NOW)
    }
    assert {(c.view, c.feature) for c in made.features} == written


def changed(before: dict[str, Any], after: dict[str, Any], usage: Usage = Usage()) -> Plan:  # noqa: B008 - frozen
    definitions = ("1", "1" if before["definition"] == after["definition"] else "2")
    return plan(
        ([before], [view(definition=definitions[0])]),
        ([after], [view(definition=definitions[1])]),
        usage,
    )


def test_a_field_of_a_definition_is_named_and_what_derives_from_it_is_not() -> None:
    after = feature(
        definition={"aggregation": "mean", "expression": "pay", "window": {"months": 3}},
        computation_logic="mean(pay) otherwise",
        code_digest="other",
    )
    (change,) = changed(feature(), after).features
    assert [f.field for f in change.fields] == ["definition.window"]
    assert change.effect == "values"


def test_the_code_of_a_request_time_feature_stands_for_its_definition() -> None:
    before, after = (
        feature("request", definition={}, code_digest=digest) for digest in ("one", "two")
    )
    (change,) = plan(([before], []), ([after], []), Usage()).features
    assert ([f.field for f in change.fields], change.effect) == (["code_digest"], "values")


def test_an_sla_changes_what_is_served_and_recomputes_nothing() -> None:
    made = changed(feature(), feature(maximum_staleness_seconds=90.0))
    assert [c.effect for c in made.features] == ["serving"]
    assert (made.views, made.safe) == ((), False)


WINDOW = {"aggregation": "mean", "expression": "pay", "window": {"months": 3}}
SCORING = Serving("payroll", "code-2", ("v",), frozenset({"v"}), frozenset({"f", "g"}))
ASIDE = Serving("churn", "code-9", ("v",), frozenset())


def test_a_recomputed_view_blocks_who_needs_it_and_degrades_who_reads_it() -> None:
    usage = Usage(serving=(SCORING, ASIDE), held={"v": Held(parts=3, bytes=900, entities=7)})
    (made,) = changed(feature(), feature(definition=WINDOW), usage).views
    assert (made.blocks, made.degrades) == (("payroll",), ("churn",))
    assert (made.recomputed, made.buckets, made.held.entities) == (True, 4, 7)


def test_models_trained_on_another_computation_retrain_and_those_without_an_input_break() -> None:
    def model(version: str, stage: str, code: str, *names: str) -> Trained:
        return Trained("payroll", version, stage, names, code)

    models = (
        model("1.0.0", "Production", "code-1", "f"),
        model("1.1.0", "Staging", "code-2", "f"),
        model("1.2.0", "Staging", "code-1", "other"),
    )
    usage = Usage(serving=(SCORING,), trained=models)
    made = changed(feature(), feature(definition=WINDOW), usage).models
    assert [(m.version, m.verdict) for m in made] == [("1.0.0", "retrain"), ("1.2.0", "review")]
    gone = plan(([feature()], [view()]), ([], [view()]), usage).models
    assert [(m.version, m.verdict) for m in gone][:2] == [("1.0.0", "broken"), ("1.1.0", "broken")]


def test_an_engine_that_computes_otherwise_reaches_every_feature_of_the_view() -> None:
    rows = [feature(), feature(name="g")]
    usage = Usage(
        serving=(SCORING,), trained=(Trained("payroll", "1.0.0", "Production", ("g",), "code-1"),)
    )
    made = plan((rows, [view()]), (rows, [view(definition="2")]), usage)
    assert made.features == ()
    assert [m.features for m in made.models] == [("g",)]


def test_the_registrys_own_marks_are_no_difference() -> None:
    row = feature()
    marked = {**row, "status": "active", "registered_at": NOW}
    assert content(marked) == row
    assert plan(([marked], []), ([row], []), Usage()).empty


def test_what_was_retired_comes_back_as_restored() -> None:
    rows = recorded(recorded([], [feature()], FEATURE), [], FEATURE)
    assert [row["status"] for row in rows] == ["retired"]
    assert [c.action for c in plan((rows, []), ([feature()], []), Usage()).features] == ["restore"]
