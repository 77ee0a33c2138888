"""`plan`, `apply` and `materialize`: what a change does is said before it is done, and done as it was said."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from countersign import use_cases
from countersign.aws.catalogue import Catalogue
from countersign.features.definition import catalogue_rows, code_digest, view_rows

from tests.unit.registry import world

from .conftest import VIEW, pay
from .deployed import Deployed

Capture = pytest.CaptureFixture[str]
MEAN = "worker_gross_pay_6m_mean"


def register(made: Deployed, **changes: Any) -> None:
    """Put on record what is declared, but for the fields of one feature (and of its view)."""
    every = use_cases.registered()
    rows = [
        {**row, **changes} if row["feature_name"] == MEAN and row["view"] == VIEW else row
        for row in catalogue_rows(every)
    ]
    views = [
        {**row, "definition": "0" * 16} if row["view"] == VIEW and "definition" in changes else row
        for row in view_rows(every)
    ]
    Catalogue.of(made.stores).register(rows, views)


def older_window() -> dict[str, Any]:
    """The mean as it was once: over three months."""
    every = catalogue_rows(use_cases.registered())
    now = next(r for r in every if (r["view"], r["feature_name"]) == (VIEW, MEAN))
    definition: dict[str, Any] = json.loads(json.dumps(now["definition"]))
    definition["window"]["months"] = 3
    return definition


def test_without_a_change_there_is_nothing_to_do(empty: Deployed, capsys: Capture) -> None:
    register(empty)
    told = empty.run(capsys, "plan", "--detailed-exitcode")
    assert told.code == 0
    assert "No changes" in told.out
    assert empty.run(capsys, "apply", "--yes").code == 0
    assert empty.started == []


def test_a_description_is_a_safe_change(empty: Deployed, capsys: Capture) -> None:
    register(empty, description="what it once said", owner="somebody")
    told = empty.run(capsys, "plan", "--detailed-exitcode", "--output", "json")
    assert told.code == 3
    (change,) = told.document["features"]
    assert (change["action"], change["effect"]) == ("change", "metadata")
    assert {f["field"] for f in change["fields"]} == {"description", "owner"}
    assert told.document["safe"]
    assert not told.document["views"]


def test_another_window_says_what_is_recomputed_who_is_blocked_and_which_model_retrains(
    empty: Deployed, capsys: Capture
) -> None:
    pay(empty)
    register(empty, definition=older_window(), computation_logic="mean over 3 calendar months")
    use_case = use_cases.get("payroll_anomaly")
    champion = {"feature_list": (MEAN, *use_case.inputs), "feature_code_digest": "of-then"}
    current = {"feature_list": use_case.inputs, "feature_code_digest": code_digest(use_case)}
    staged(empty, "run-1", **champion)
    staged(empty, "run-2", **current)

    told = empty.run(capsys, "plan", "--output", "json").document
    (change,) = told["features"]
    assert change["effect"] == "values"
    assert [f["field"] for f in change["fields"]] == ["definition.window"]
    (view,) = told["views"]
    assert view["recomputed"]
    assert view["blocks"] == ["payroll_anomaly"]
    assert (view["held"]["parts"], view["held"]["entities"]) == (1, 1)
    assert view["held"]["bytes"] > 0
    (first, second) = told["models"]
    assert (first["version"], first["verdict"], first["features"]) == ("1.0.0", "retrain", [MEAN])
    assert second["verdict"] == "review"
    shown = empty.run(capsys, "plan", width=160).out
    assert "payroll_anomaly is blocked (424)" in shown
    assert "definition.window" in shown


def test_a_plan_starts_and_writes_nothing(empty: Deployed, capsys: Capture) -> None:
    before = empty.store.aws.items("registry")
    assert empty.run(capsys, "plan").code == 0
    assert (empty.started, empty.store.aws.items("registry")) == ([], before)


def test_apply_registers_rebuilds_and_leaves_nothing_to_plan(
    empty: Deployed, capsys: Capture
) -> None:
    register(empty, definition=older_window())
    made = empty.run(capsys, "apply", "--yes", "--output", "json")
    assert made.code == 0
    assert made.document["applied"]
    assert empty.started == ["{}"]
    after = empty.run(capsys, "plan", "--detailed-exitcode", "--output", "json")
    assert (after.code, after.document["empty"]) == (0, True)


def test_apply_asks_and_no_is_no(
    empty: Deployed, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    register(empty, description="what it once said")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert empty.run(capsys, "apply").code == 1
    assert empty.started == []


def test_apply_waits_for_the_deployment(empty: Deployed, capsys: Capture) -> None:
    register(empty, description="what it once said")
    empty.older_code = {"catalogue_digest": "older", "declared": {VIEW: "0" * 16}}
    told = empty.run(capsys, "apply", "--yes")
    assert told.code == 1
    assert "deploy first" in told.err
    assert VIEW in told.err
    assert empty.started == []
    assert empty.run(capsys, "plan", "--detailed-exitcode").code == 3


def test_a_failed_run_is_one_line_that_says_why(empty: Deployed, capsys: Capture) -> None:
    empty.failing = "42 rows have no known_at"
    told = empty.run(capsys, "apply", "--yes", "--output", "json")
    assert (told.code, told.out) == (1, "")
    assert "DataError: 42 rows have no known_at" in told.err


def test_materialize_alone_is_a_run_of_the_machine(empty: Deployed, capsys: Capture) -> None:
    told = empty.run(capsys, "materialize")
    assert (told.code, empty.started, empty.invoked) == (0, ["{}"], [])


def test_a_full_materialization_goes_bucket_by_bucket_and_never_to_older_values(
    empty: Deployed, capsys: Capture
) -> None:
    pay(empty)
    buckets = empty.run(capsys, "show", VIEW, "--output", "json").document["views"][0]["buckets"]
    told = empty.run(capsys, "materialize", "--view", VIEW, "--full", "--output", "json").document
    assert [asked["bucket"] for asked in empty.invoked] == list(range(buckets))
    (row,) = told["views"]
    assert row["written"] + row["skipped_older"] == 1
    again = empty.run(capsys, "materialize", "--view", VIEW, "--full", "--output", "json").document
    assert again["views"][0]["written"] == 0
    assert empty.run(capsys, "materialize", "--view", "nothing").code == 2
    assert empty.run(capsys, "materialize", "--as-of", "2999-01-01").code == 2


def test_a_retired_feature_is_on_record_and_not_in_the_way(
    empty: Deployed, capsys: Capture
) -> None:
    every = use_cases.registered()
    rows, views = catalogue_rows(every), view_rows(every)
    gone = {**rows[0], "feature_name": "shoe_size", "view": VIEW}
    record = Catalogue.of(empty.stores)
    record.register([*rows, gone], views)
    planned = empty.run(capsys, "plan", "--output", "json").document["features"]
    assert [(c["feature"], c["action"]) for c in planned] == [("shoe_size", "retire")]
    record.register(rows, views)
    assert "shoe_size" not in empty.run(capsys, "list").out
    kept = empty.run(capsys, "list", "--retired", "--view", VIEW).out
    assert "shoe_size (retired 2026-11-21" in kept
    assert empty.run(capsys, "plan", "--detailed-exitcode").code == 0


def staged(made: Deployed, run: str, **changes: Any) -> None:
    registry = made.stores.registry
    version = registry.put_version(world.record(run, **changes))
    made.store.aws.clock.at += timedelta(seconds=1)
    registry.stage_version(world.USE_CASE, version.version)
