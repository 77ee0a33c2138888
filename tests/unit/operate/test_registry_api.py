"""The registry as people ask it: whole records, what served on a date, lineage, cards, and what may go."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from countersign.clock import iso
from countersign.errors import ConflictError, GateError, NotFoundError, RequestError, RoleError
from countersign.governance.versions import Version
from countersign.steps.operate.retiring import BYTES

from tests.unit.operate.house import House
from tests.unit.registry.world import USE_CASE

MODEL = "/v1/models/{use_case}"
VERSION = f"{MODEL}/versions/{{version}}"


def get(house: House, resource: str, role: str = "auditor", **params: Any) -> Any:
    answer = house.call(role, "GET", resource, **params)
    json.dumps(answer.document, allow_nan=False)
    return answer.document


def at(house: House, date: str) -> Any:
    return get(house, f"{MODEL}/at", use_case=USE_CASE, query={"date": date})


def act(house: House, action: str, version: str, role: str) -> Any:
    body = {"reason": "nobody needs it"}
    resource = f"{VERSION}/{action}"
    return house.call(role, "POST", resource, body, use_case=USE_CASE, version=version).document


def delete(house: House, version: str, role: str = "team-lead") -> Any:
    return act(house, "deletion", version, role)


def archive(house: House, version: str, role: str = "ml-engineer") -> Any:
    return act(house, "archive", version, role)


def roll_back(house: House) -> None:
    house.call("operator", "POST", f"{MODEL}/rollback", {"reason": "bad"}, use_case=USE_CASE)


def test_a_version_shows_the_whole_record_of_the_registry(house: House) -> None:
    house.rollout(house.register("run-1"))
    house.rollout(house.register("run-2"))
    shown = get(house, VERSION, use_case=USE_CASE, version="1.1.0")
    record = shown["record"]
    assert record["model_id"] == f"{USE_CASE}/1.1.0"
    assert record["evaluation"]["eval_report_url"].startswith("s3://models/")
    assert record["deployment"]["stage"] == "Production"
    assert record["deployment"]["rollback_version"] == "1.0.0"
    assert record["numbered"]["why"] == "MINOR after 1.0.0: the training data changed"
    assert record["monitoring"]["current_recall"] is None
    assert record["unknown"]["current_recall"] == "no outcomes were judged yet"
    assert (shown["not_whole"], shown["documentation"]["share"]) == ([], 1.0)


def test_what_was_in_production_on_a_day_with_a_rollout_and_a_rollback(house: House) -> None:
    house.rollout(house.register("run-1"))
    house.pass_time(days=2)
    house.rollout(house.register("run-2"))
    house.pass_time(hours=1)
    roll_back(house)
    house.pass_time(days=2)
    assert at(house, "2026-11-20")["standing"] is None
    first = at(house, "2026-11-22")
    assert first["standing"]["champion"]["version"] == "1.0.0"
    assert [s["version"] for s in first["served"]] == ["1.0.0"]
    assert first["changes"] == []
    busy = at(house, "2026-11-23")
    assert [c["action"] for c in busy["changes"]][-2:] == ["promote", "rollback"]
    assert (busy["standing"]["champion"]["version"], busy["standing"]["quarantined"]) == (
        "1.0.0",
        ["1.1.0"],
    )
    partly = [s for s in busy["served"] if s["version"] == "1.1.0" and s["cohorts"]]
    assert partly
    assert partly[0]["cohorts"] == busy["cohorts"][: len(partly[0]["cohorts"])]
    whole = [s for s in busy["served"] if s["version"] == "1.1.0" and s["cohorts"] is None]
    assert len(whole) == 1
    assert whole[0]["from"] < whole[0]["until"]
    assert at(house, "2026-11-25")["standing"]["champion"]["version"] == "1.0.0"


def test_a_moment_shows_who_answered_which_cohorts(house: House) -> None:
    house.rollout(house.register("run-1"))
    second = house.register("run-2")
    rollout = {"rollout_id": "r-2"}
    house.promote("plan", second.version, approval_id=house.signed(second), **rollout)
    house.promote("start_shadow", second.version, **rollout)
    house.promote("check_shadow", second.version, **rollout)
    house.promote("advance", second.version, **rollout)
    found = at(house, iso(house.clock.at))
    champion, challenger = found["served"]
    assert (champion["version"], champion["cohorts"]) == ("1.0.0", None)
    assert (challenger["version"], champion["but"]) == ("1.1.0", challenger["cohorts"])


def test_the_kill_switch_is_part_of_the_answer(house: House) -> None:
    house.rollout(house.register("run-1"))
    body = {"on": True, "reason": "drill"}
    house.call("operator", "POST", f"{MODEL}/kill-switch", body, use_case=USE_CASE)
    found = at(house, iso(house.clock.at))
    assert found["standing"]["kill_switch"] is True
    assert found["served"][-1]["version"] is None


@pytest.mark.parametrize(
    "date", ["", "yesterday", "2026-11-21T10:00:00", "2027-01-01", "2026-13-01"]
)
def test_what_is_no_date_or_has_not_happened_is_refused(house: House, date: str) -> None:
    with pytest.raises(RequestError):
        at(house, date)


def with_dataset(house: House) -> Version:
    """A version whose frozen dataset stands in the lake."""
    file = {"sha256": "a" * 64, "bytes": 10}
    inputs = {"payslips": {"files": {"sources/payslips/ingest_date=2026-11-01/a.parquet": file}}}
    manifest = {
        "dataset_id": "dataset-run-1", "as_of": iso(house.clock.at), "rows": 1000,
        "views": {"worker_pay": "definition-1"}, "inputs": inputs, "files": {"train.parquet": file},
    }  # fmt: skip
    key = "datasets/dataset-run-1/manifest.json"
    house.stores.lake.write_json(key, manifest)
    digest = hashlib.sha256(house.stores.lake.get(key)).hexdigest()
    return house.register("run-1", dataset_digest=digest)


def lineage(house: House, version: str) -> Any:
    return get(house, f"{VERSION}/lineage", use_case=USE_CASE, version=version)


def test_a_version_leads_back_to_the_files_it_was_made_of(house: House) -> None:
    version = with_dataset(house)
    house.rollout(version)
    found = lineage(house, "1.0.0")
    assert found["data"]["verified"] is True
    (source,) = found["data"]["sources"]
    assert source["source"] == "payslips"
    assert list(source["files"].values()) == [{"sha256": "a" * 64, "bytes": 10}]
    assert found["views"] == [
        {"view": "worker_pay", "definition": "definition-1", "unchanged": False}
    ]
    assert found["artifact"]["verified"] is True
    assert set(found["artifact"]["files"]) >= {"model.onnx", "serving.json"}
    assert found["configuration"]["seed"] == 7
    assert [d["action"] for d in found["deployments"]][-1] == "promote"


def test_a_dataset_that_was_edited_or_lost_is_told(house: House) -> None:
    version = with_dataset(house)
    key = f"datasets/{version.dataset_id}/manifest.json"
    house.stores.lake.write_json(key, {"rows": 9})
    assert lineage(house, "1.0.0")["data"]["verified"] is False
    house.stores.lake.delete(key)
    assert lineage(house, "1.0.0")["data"]["verified"] is None


def users(house: House, view: str, feature: str) -> Any:
    return get(house, "/v1/lineage/features/{view}/{feature}", view=view, feature=feature)


def test_a_feature_leads_to_every_version_that_uses_it(house: House) -> None:
    house.register("run-1")
    house.rollout(house.register("run-2"))
    other = {"feature_list": ("z_score",), "features_used": {"request": ["z_score"]}}
    house.register("run-3", **other)
    indirect = {"feature_list": ("z_score",)}
    house.register("run-4", **indirect)
    found = users(house, "worker_pay", "gross")
    assert [(v["version"], v["stage"], v["as"]) for v in found["versions"]] == [
        ("1.0.0", "Staging", "input"),
        ("1.1.0", "Production", "input"),
        ("1.3.0", "Staging", "indirect"),
    ]
    assert found["declared_by"] == []
    with pytest.raises(NotFoundError):
        users(house, "worker_pay", "nobody")


def test_a_declared_feature_names_the_use_cases_that_declare_it(house: House) -> None:
    found = users(house, "worker_pay", "worker_gross_pay_6m_mean")
    assert found["declared_by"] == ["annual_earnings", USE_CASE]


def evaluated(house: House, version: Version) -> None:
    interval = {"value": 0.91, "low": 0.88, "high": 0.94}
    evaluation = {
        "passed": True,
        "metrics": {"auc": interval},
        "fairness": {"verdict": "PASS", "groups": {"country": {"verdict": "PASS"}}, "reasons": []},
        "roc": [[0.0, 0.0], [0.2, 0.9], [1.0, 1.0]],
        "confusion": {"tp": 8, "fp": 3, "fn": 2, "tn": 87},
    }
    house.stores.artifacts.write_json(f"{USE_CASE}/{version.version}/evaluation.json", evaluation)
    house.stores.artifacts.put(f"{USE_CASE}/{version.version}/card.md", b"# The card")


def test_a_card_for_people_and_one_for_sagemaker(house: House) -> None:
    evaluated(house, house.register("run-1"))
    card = get(house, f"{VERSION}/card", use_case=USE_CASE, version="1.0.0")
    assert card["markdown"] == "# The card"
    assert card["sagemaker"]["model_overview"]["model_creator"] == "payroll-ml"
    (details,) = card["sagemaker"]["evaluation_details"]
    curves = details["metric_groups"][1]["metric_data"]
    assert curves[-1]["value"] == [[87, 3], [2, 8]]


def test_two_versions_are_compared_with_their_intervals(house: House) -> None:
    house.register("run-1")
    house.register(
        "run-2",
        metrics={"auc": 0.97, "recall": 0.81, "brier": None},
        intervals={"auc": [0.95, 0.98], "recall": [0.7, 0.9]},
        feature_list=("gross", "net"),
        hyperparameters={"trees": 200, "contamination": 0.02},
        cost_optimal_threshold=0.5,
    )
    asked = {"version": "1.1.0", "with": "1.0.0"}
    found = get(house, f"{MODEL}/compare", use_case=USE_CASE, query=asked)
    verdicts = {m["metric"]: m["verdict"] for m in found["metrics"]}
    assert verdicts == {"auc": "better", "recall": "level", "brier": None}
    assert found["hyperparameters"] == [{"name": "trees", "version": 200, "with": 100}]
    assert found["changes"]["features_added"] == ["net"]
    assert found["threshold"] == {"version": 0.5, "with": 0.61}


def test_a_staged_version_is_withdrawn_once(house: House) -> None:
    house.register("run-1")
    assert archive(house, "1.0.0")["stage"] == "Archived"
    assert archive(house, "1.0.0")["stage"] == "Archived"
    with pytest.raises(RoleError):
        archive(house, "1.0.0", role="operator")


def many(house: House, count: int = 5) -> None:
    for number in range(1, count + 1):
        house.register(f"run-{number}")


def test_the_bytes_of_what_nothing_needs_are_deleted_and_the_record_stays(house: House) -> None:
    many(house)
    archive(house, "1.0.0")
    gone = delete(house, "1.0.0")
    assert {key.rpartition("/")[2] for key in gone["files"]} == {"golden.npz", "model.onnx"}
    assert delete(house, "1.0.0")["files"] == []
    left = house.stores.artifacts.keys(f"{USE_CASE}/1.0.0/")
    assert f"{USE_CASE}/1.0.0/manifest.json" in left
    assert f"{USE_CASE}/1.0.0/model.onnx" not in left
    shown = get(house, VERSION, use_case=USE_CASE, version="1.0.0")
    assert (shown["deleted_by"], shown["record"]["owner"]) == ("tess", "payroll-ml")
    assert house.actions().count("version-deleted") == 1


def test_a_deletion_whose_worker_died_is_finished_by_asking_again(house: House) -> None:
    many(house)
    archive(house, "1.0.0")
    house.stores.registry.delete_version(USE_CASE, "1.0.0", actor="tess", reason="old")
    assert len(delete(house, "1.0.0")["files"]) == 4
    assert house.actions()[-1] == "version-deleted"


def test_a_deleted_version_never_serves_again(house: House) -> None:
    many(house)
    archive(house, "1.0.0")
    delete(house, "1.0.0")
    version = house.stores.registry.version(USE_CASE, "1.0.0")
    with pytest.raises(ConflictError):
        house.stores.registry.start_shadow(
            USE_CASE, {"version": "1.0.0", "digest": version.digest}, actor="d", change_id="s"
        )


def refused(house: House, version: str, reason: str) -> None:
    with pytest.raises(ConflictError, match=reason):
        delete(house, version)


def test_what_is_still_named_is_not_deleted_and_the_reason_is_told(house: House) -> None:
    house.rollout(house.register("run-1"))
    house.rollout(house.register("run-2"))
    many_more = [house.register(f"run-{n}") for n in range(3, 9)]
    refused(house, "1.1.0", "it is the champion")
    refused(house, "1.0.0", "a rollback may return to it")
    house.open_promotion(many_more[0])
    refused(house, "1.2.0", "approval .* is open")
    shadow = {"version": "1.3.0"}
    house.call("ml-engineer", "POST", f"{MODEL}/shadows", shadow, use_case=USE_CASE)
    refused(house, "1.3.0", "it is a shadow")
    refused(house, "1.4.0", "only an archived version")
    refused(house, "1.7.0", "newest earlier")
    with pytest.raises(RoleError):
        delete(house, "1.4.0", role="ml-engineer")


def test_what_an_experiment_names_is_not_deleted(house: House) -> None:
    house.rollout(house.register("run-1"))
    for number in range(2, 7):
        house.register(f"run-{number}")
    archive(house, "1.1.0")
    row = {"test_id": "t", "model_a": "1.0.0", "model_b": "1.1.0", "end_date": ""}
    house.stores.registry.put(f"model#{USE_CASE}", "experiment#t", row)
    refused(house, "1.1.0", "experiment t names it")


def test_what_is_being_asked_for_is_not_withdrawn(house: House) -> None:
    version = house.register("run-1")
    house.open_promotion(version)
    with pytest.raises(ConflictError, match="is open"):
        archive(house, "1.0.0")


def test_promotion_is_refused_below_whole_documentation_and_names_what_is_missing(
    house: House,
) -> None:
    version = house.register("run-1", windows={}, owner="payroll-ml")
    house.stores.artifacts.delete(f"{USE_CASE}/runs/{version.run_id}/report.html")
    with pytest.raises(GateError) as caught:
        house.call(
            "data-scientist", "POST", f"{MODEL}/promotion", {"version": "1.0.0"}, use_case=USE_CASE
        )
    assert "evaluation report" in str(caught.value)
    assert "windows of the data" in str(caught.value)


@pytest.mark.parametrize("name", ["manifest.json", "evaluation.json", "card.md", "report.html"])
def test_evidence_is_not_among_what_may_be_deleted(name: str) -> None:
    assert name not in BYTES
