"""Every state machine: valid, patient, bounded, and calling functions as they want to be called."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from countersign import errors

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "statemachines").glob("*.asl.json"))
FUNCTIONS = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
TOKEN_OF = {"".join(word.title() for word in name.split("_")) + "Arn": name for name in FUNCTIONS}
FAMILIES = {error.__name__ for error in errors.CountersignError.__subclasses__()}
# Error names of our own Fail states may be caught by a machine around them.
SERVICE = re.compile(
    r"^(States|Lambda|SNS|SageMaker|StepFunctions|Sns|Sqs|DynamoDB)\.[A-Za-z0-9.]+$"
)
# Accepted by the emulator and silently not done: a test could pass for the wrong reason.
FAKED = {
    "ItemBatcher",
    "ResultWriter",
    "SecondsPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "MaxConcurrencyPath",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
    "ErrorPath",
    "CausePath",
    "Assign",
}
FULL_OF_WAITING = ("waitForTaskToken", "startExecution.sync")
State = dict[str, Any]


def states_of(machine: State) -> Iterator[tuple[str, State, dict[str, Any]]]:
    """(name, state, the selector of the Map around it) of a machine, its Maps and its branches."""
    yield from inside(machine["States"], {})


def inside(states: dict[str, State], selector: dict[str, Any]) -> Iterator[tuple[str, State, Any]]:
    for name, state in states.items():
        yield name, state, selector
        if "ItemProcessor" in state:
            chosen = state.get("ItemSelector", {})
            yield from inside(state["ItemProcessor"]["States"], chosen)
        for branch in state.get("Branches", ()):
            yield from inside(branch["States"], selector)


def load(path: Path) -> State:
    machine: State = json.loads(path.read_text())
    return machine


TASKS = [
    pytest.param(path, name, state, selector, id=f"{path.name.split('.')[0]}-{name}")
    for path in FILES
    for name, state, selector in states_of(load(path))
    if state["Type"] == "Task"
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.split(".")[0])
def test_it_is_valid_states_language(path: Path) -> None:
    node = Path(sys.executable).with_name("node")
    program = ROOT / "node_modules" / ".bin" / "asl-validator"
    answer = subprocess.run(
        [node, program, "--json-path", path], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.split(".")[0])
def test_it_says_what_it_is_for_and_cannot_run_for_ever(path: Path) -> None:
    machine = load(path)
    assert len(machine["Comment"].split()) > 5
    assert machine["TimeoutSeconds"] > 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.split(".")[0])
def test_it_uses_nothing_that_the_emulator_only_pretends(path: Path) -> None:
    used = {key for _, state, _ in states_of(load(path)) for key in state}
    assert used.isdisjoint(FAKED)


@pytest.mark.parametrize(("path", "name", "state", "selector"), TASKS)
def test_a_task_is_bounded_retried_with_jitter_and_caught(
    path: Path, name: str, state: State, selector: dict[str, Any]
) -> None:
    assert state["TimeoutSeconds"] > 0
    assert state["Catch"]
    if not any(word in state["Resource"] for word in FULL_OF_WAITING):
        assert state["Retry"]
    for retry in state.get("Retry", ()):
        assert retry["JitterStrategy"] == "FULL"
        assert retry["MaxAttempts"] <= 6


@pytest.mark.parametrize(("path", "name", "state", "selector"), TASKS)
def test_errors_are_named_as_functions_and_services_report_them(
    path: Path, name: str, state: State, selector: dict[str, Any]
) -> None:
    for handler in (*state.get("Retry", ()), *state["Catch"]):
        for error in handler["ErrorEquals"]:
            assert error in FAMILIES or SERVICE.match(error), error


def called(state: State) -> str:
    """The function that a task invokes; empty when it calls a service or a machine."""
    parameters = state.get("Parameters", {})
    target = str(parameters.get("FunctionName", state["Resource"]))
    token = re.search(r"\$\{(\w+)\}", target)
    name = token.group(1) if token else ""
    if name.endswith("MachineArn") or name == "NoticesTopicArn":
        return ""
    assert not name or name in TOKEN_OF, f"${{{name}}} is no function of ours"
    return TOKEN_OF.get(name, "")


CALLS = [task for task in TASKS if called(task.values[2])]


@pytest.mark.parametrize(("path", "name", "state", "selector"), CALLS)
def test_a_payload_is_one_that_the_function_takes(
    path: Path, name: str, state: State, selector: dict[str, Any]
) -> None:
    function = called(state)
    step = importlib.import_module(f"countersign.steps.{function}")
    payload = state.get("Parameters", selector)
    payload = payload.get("Payload", payload)
    sent = {key.removesuffix(".$") for key in payload}
    known = {field.name: field for field in fields(step.Request)}
    needed = {n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING}
    assert sent <= set(known), f"{function} does not know {sorted(sent - set(known))}"
    assert needed <= sent, f"{function} needs {sorted(needed - sent)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.split(".")[0])
def test_a_map_is_small_at_a_time_and_takes_only_what_it_needs(path: Path) -> None:
    for name, state, _ in states_of(load(path)):
        if state["Type"] == "Map":
            assert 1 <= state["MaxConcurrency"] <= 10, name
            assert state["ItemSelector"] or state["ItemsPath"], name


def test_training_is_started_by_the_approval_machine_alone() -> None:
    naming = {path.name for path in FILES if "${TrainingMachineArn}" in path.read_text()}
    assert naming <= {"approval.asl.json"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.split(".")[0])
def test_the_item_of_a_map_is_named_only_in_its_selector(path: Path) -> None:
    for name, state, _ in states_of(load(path)):
        outside = {k: v for k, v in state.items() if k not in {"ItemSelector", "ItemProcessor"}}
        assert "$$.Map" not in json.dumps(outside), name
