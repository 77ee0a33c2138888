"""What an execution's history says of its progress: as AWS writes it, and as the emulator does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from countersign.cli.features.follow import stages
from countersign.cli.features.names import complete_either, complete_use_case, complete_view
from countersign.cli.features.values import sparkline
from countersign.cli.main import GROUPS, commands
from countersign.cli.printing import duration, shown, size

PLAN = json.dumps({"plan": {"items": [1, 2, 3]}})


def entered(kind: str, name: str, text: str = "{}") -> dict[str, Any]:
    return {
        "type": f"{kind}StateEntered",
        "stateEnteredEventDetails": {"name": name, "input": text},
    }


def left(kind: str, name: str) -> dict[str, Any]:
    return {"type": f"{kind}StateExited", "stateExitedEventDetails": {"name": name}}


def test_a_map_counts_its_items_as_the_emulator_tells_them() -> None:
    events = [
        entered("Task", "PlanBuild"),
        {"type": "TaskSucceeded"},
        left("Task", "PlanBuild"),
        entered("Map", "BuildEach", PLAN),
        entered("Task", "BuildFeatures"),
        {"type": "TaskSucceeded"},
        left("Task", "BuildFeatures"),
        entered("Task", "BuildFeatures"),
        {"type": "TaskSucceeded"},
    ]
    first, second = stages(events)
    assert (first.name, first.over) == ("PlanBuild", True)
    assert (second.name, second.done, second.total, second.over) == ("BuildEach", 2, 3, False)
    (*_, ended) = stages([*events, left("Map", "BuildEach")])
    assert (ended.done, ended.over) == (3, True)


def test_a_state_that_takes_no_time_is_not_told() -> None:
    events = [entered("Choice", "AtScale?"), left("Choice", "AtScale?"), entered("Task", "Quality")]
    assert [stage.name for stage in stages(events)] == ["Quality"]


def test_a_map_counts_its_items_as_aws_tells_them() -> None:
    events = [
        entered("Map", "MaterializeEach", "too long to be shown"),
        {"type": "MapStateStarted", "mapStateStartedEventDetails": {"length": 12}},
        entered("Task", "Materialize"),
        {"type": "LambdaFunctionSucceeded"},
    ]
    (stage,) = stages(events)
    assert (stage.done, stage.total) == (1, 12)


def test_the_shell_completes_names_of_declarations() -> None:
    assert complete_view("worker_p") == ["worker_pay"]
    assert "worker_gross_pay_6m_mean" in complete_either("worker_gross")
    assert "worker_pay" in complete_either("")
    assert complete_use_case("payroll") == ["payroll_anomaly"]


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_of_commands_is_there_alone_and_with_the_others(group: str) -> None:
    alone, together = commands([group, "--help"]), commands([])
    assert [found.name for found in alone.registered_groups] == [group]
    assert [found.name for found in together.registered_groups] == list(GROUPS)


def test_quantities_read_as_people_write_them() -> None:
    assert [duration(s) for s in (None, 0, 0.5, 59, 5400, 45 * 86_400, -90)] == [
        "–", "0 s", "0.5 s", "59 s", "1.5 h", "45 d", "-1.5 m",
    ]  # fmt: skip
    assert [size(n) for n in (0, 999, 3_140_000)] == ["0 B", "999 B", "3.14 MB"]
    assert shown([True, None, 2.5, {"months": 6, "delay": 0}]) == "yes, –, 2.5, months 6"


def test_a_line_of_values_keeps_gaps_and_stands_still_for_a_constant() -> None:
    assert sparkline([1, None, 8]) == "▁ █"
    assert sparkline([5.0, 5.0]) == "▁▁"
    assert sparkline([None]) == ""
