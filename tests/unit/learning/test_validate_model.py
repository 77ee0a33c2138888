"""The checks of a version before anybody is asked to sign for it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.learning.validation import NAMES, checks_of, synthetic_vectors
from countersign.steps import validate_model

from tests.unit.learning.cases import SMALL, without
from tests.unit.learning.world import registered


def validate(stores: Stores, version: str) -> validate_model.Result:
    return validate_model.run(validate_model.Request("small", version), stores)


def test_a_sound_version_passes_every_check_in_two_fresh_processes(stores: Stores) -> None:
    result = validate(stores, registered(stores, "run-1").version)
    assert result.passed, result.checks
    assert set(result.checks) == set(NAMES)
    assert result.checks["golden"]["rows"] >= 1_000
    assert result.checks["deterministic"]["processes"] == 2
    assert result.checks["scores_valid"]["vectors"] == 100
    assert 0 < result.checks["memory"]["peak_mb"] < 1_024


def test_a_latency_over_the_declared_limit_fails_only_that_check(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = registered(stores, "run-1").version
    hurried = without(SMALL, latency_p95_ms=0.000_001)
    monkeypatch.setitem(use_cases.all_use_cases(), "small", hurried)
    result = validate(stores, version)
    assert not result.passed
    assert [n for n, check in result.checks.items() if not check["passed"]] == [
        "latency_within_sla"
    ]


@pytest.mark.parametrize("name", ["model.onnx", "serving.json", "golden.npz", "manifest.json"])
def test_tampered_files_fail_without_being_loaded(stores: Stores, name: str) -> None:
    version = registered(stores, "run-1").version
    content = stores.artifacts.get(f"small/{version}/{name}")
    stores.artifacts.put(f"small/{version}/{name}", content + b" ")
    result = validate(stores, version)
    assert not result.passed
    assert not any(check["passed"] for check in result.checks.values())
    assert "DigestMismatchError" in result.checks["model_loads"]["reason"]


def test_a_model_that_kills_its_process_fails_and_spares_ours(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = registered(stores, "run-1").version
    monkeypatch.setattr(validate_model.sys, "executable", "/bin/false")
    result = validate(stores, version)
    assert not result.passed
    assert "ended with 1" in result.checks["model_loads"]["reason"]


SERVING: dict[str, Any] = {
    "features": ["a", "b", "c"],
    "ranges": {"a": [0.0, 5.0], "b": [-1.5, 2.25], "c": [1.0, 1.0]},
    "fills": {"a": 0.0, "b": 0.1, "c": None},
}


def test_synthetic_vectors_stay_in_realistic_ranges_and_know_nulls() -> None:
    vectors = synthetic_vectors(SERVING)
    assert len(vectors) == 100
    assert vectors == synthetic_vectors(SERVING)
    for name, (low, high) in SERVING["ranges"].items():
        values = [v[name] for v in vectors if v[name] is not None]
        assert all(low <= value <= high for value in values)
    assert any(v["a"] is None for v in vectors)
    assert all(v["c"] == 1.0 for v in vectors)
    assert all(v["a"] is None or float(v["a"]).is_integer() for v in vectors)


def report(**changes: Any) -> dict[str, Any]:
    scores = [(0.5).hex()] * 3
    return {
        "load_ms": 5.0,
        "scores": scores,
        "again": scores,
        "latency_ms": [0.1, 0.1, 0.1],
        "golden_rows": 1_200,
        "golden_difference": 1e-7,
        "peak_mb": 90.0,
    } | changes


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"scores": [math.nan.hex()] * 3}, {"scores_valid", "scores_in_range", "deterministic"}),
        (
            {"scores": [(1.5).hex()] * 3, "again": [(1.5).hex()] * 3},
            {"scores_in_range", "deterministic"},
        ),
        ({"again": [(0.5000000001).hex()] * 3}, {"deterministic"}),
        ({"latency_ms": [900.0] * 3}, {"latency_within_sla"}),
        ({"golden_difference": 1e-4}, {"golden"}),
        ({"golden_difference": math.nan}, {"golden"}),
        ({"peak_mb": 4_000.0}, {"memory"}),
        ({}, set()),
    ],
)
def test_each_check_catches_its_own_fault(changes: dict[str, Any], failed: set[str]) -> None:
    checks = checks_of([report(), report(**changes)], score_range=(0, 1), latency_limit_ms=200)
    assert {name for name, check in checks.items() if not check["passed"]} == failed


def test_nothing_passes_without_a_report() -> None:
    checks = checks_of([], score_range=(0, 1), latency_limit_ms=200)
    assert set(checks) == set(NAMES)
    assert not any(check["passed"] for check in checks.values())
