"""Which way the training machine goes when a run becomes no version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

MACHINE = Path(__file__).parents[3] / "statemachines" / "training.asl.json"
STATES: dict[str, Any] = json.loads(MACHINE.read_text())["States"]


def ends(facts: dict[str, Any], start: str) -> list[str]:
    """The states from `start` on, when every task succeeds and the choices see `facts`."""
    name, seen = start, [start]
    while not {"End", "Error"} & set(STATES[name]):
        state = STATES[name]
        name = chosen(state, facts) if state["Type"] == "Choice" else state["Next"]
        seen.append(name)
    return seen


def chosen(state: dict[str, Any], facts: dict[str, Any]) -> str:
    for rule in state["Choices"]:
        value: Any = facts
        for part in rule["Variable"].removeprefix("$.").split("."):
            value = value.get(part) if isinstance(value, dict) else None
        present = "IsPresent" in rule and (value is not None) == rule["IsPresent"]
        if present or (value is not None and value in (rule.get("StringEquals"), rule.get("BooleanEquals"))):  # fmt: skip
            return str(rule["Next"])
    return str(state["Default"])


def test_a_run_that_fails_its_gates_is_reported_and_rejected() -> None:
    facts = {"evaluation": {"passed": False}, "registered": {"stage": "None"}}
    seen = ends(facts, "GatesPassed?")
    assert seen[1:] == ["GatesFailed", "Reject", "HasVerdict?", "ReportRejected", "Rejected"]


def test_a_run_that_was_never_judged_has_nothing_to_report() -> None:
    seen = ends({"registered": {"stage": "None"}}, "Reject")
    assert seen == ["Reject", "HasVerdict?", "Rejected"]


def test_a_version_that_stands_in_staging_is_not_rejected_for_a_lost_answer() -> None:
    facts = {"evaluation": {"passed": True}, "registered": {"stage": "Staging"}}
    assert ends(facts, "Reject") == ["Reject", "HasVerdict?", "Report", "Registered"]


def test_a_report_that_fails_does_not_hide_the_rejection() -> None:
    (caught,) = STATES["ReportRejected"]["Catch"]
    assert caught["Next"] == "Rejected"


@pytest.mark.parametrize("name", [n for n, s in STATES.items() if s["Type"] == "Task"])
def test_a_worker_that_died_is_tried_again(name: str) -> None:
    """Every step may be done twice; a crash of the runtime is `Lambda.Unknown`."""
    if "Retry" in STATES[name]:
        again = {error for retry in STATES[name]["Retry"] for error in retry["ErrorEquals"]}
        assert again & {"Lambda.Unknown", "States.TaskFailed", "SageMaker.AmazonSageMakerException"}
