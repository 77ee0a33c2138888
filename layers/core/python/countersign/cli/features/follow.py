"""Follow an execution of a state machine to its end, with a bar for each of its maps."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.progress import Progress, TaskID

from countersign.cli import printing
from countersign.cli.deployment import ApiError, Deployment
from countersign.cli.local_cloud.client import FINISHED

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
# A map's items in its input: AWS also counts them in MapStateStarted.
_ITEMS = {
    "IngestEach": ("pending", "keys"),
    "BuildEach": ("plan", "items"),
    "MaterializeEach": ("plan", "items"),
}
# States that take no time and tell nothing.
_INSTANT = ("Choice", "Pass", "Succeed")
_DONE = frozenset({"TaskSucceeded", "LambdaFunctionSucceeded"})


@dataclass(slots=True)
class Stage:
    """One state as far as it has come; `total` is 0 when it is no map."""

    name: str
    total: int = 0
    done: int = 0
    over: bool = False


def stages(events: Iterable[Mapping[str, Any]], maps: Iterable[str] = tuple(_ITEMS)) -> list[Stage]:
    """The states of an execution's history, in the order in which they were entered.

    What happens inside a map counts towards the map.
    """
    found: list[Stage] = []
    inside: Stage | None = None
    named = set(maps)
    for event in events:
        kind = event["type"]
        if kind == "MapStateStarted" and inside:
            inside.total = int(event["mapStateStartedEventDetails"]["length"])
        elif kind in _DONE and inside:
            inside.done += 1
        entered, left = (event.get(f"state{word}EventDetails") for word in ("Entered", "Exited"))
        if entered and inside is None and not kind.startswith(_INSTANT):
            stage = Stage(entered["name"])
            found.append(stage)
            if kind.startswith("Map") or stage.name in named:
                stage.total = _length(stage.name, entered.get("input"))
                inside = stage
        elif left:
            over = next((s for s in reversed(found) if s.name == left["name"]), None)
            if over is not None:
                over.over, over.done = True, over.total
            if inside is not None and left["name"] == inside.name:
                inside = None
        elif kind.endswith("Failed") and "State" in kind:
            inside = None
    return found


def _length(name: str, text: str | None) -> int:
    try:
        value = json.loads(text or "{}")
        for part in _ITEMS[name]:
            value = value[part]
        return len(value)
    except (KeyError, TypeError, ValueError):
        return 0


def follow(deployed: Deployment, arn: str, *, timeout: float = 7200.0) -> dict[str, Any]:
    """Wait for the end of an execution; its output.

    Raises
    ------
    ApiError        it failed; the error says where and why
    TimeoutError    it still runs
    """
    states, begun, pause = deployed.client("stepfunctions"), time.monotonic(), FIRST_PAUSE
    with printing.progress() as bars:
        shown: dict[str, TaskID] = {}
        while True:
            seen = states.describe_execution(executionArn=arn)
            # Described first: what the history shows is at least as new.
            _advance(bars, shown, stages(_events(states, arn)))
            if seen["status"] in FINISHED:
                break
            if time.monotonic() - begun > timeout:
                raise TimeoutError(f"{arn} still runs after {timeout:.0f} s")
            time.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 1.3)
    if seen["status"] != "SUCCEEDED":
        raise ApiError(f"The machine ended {seen['status']}: {_cause(states, arn, seen)}")
    output: dict[str, Any] = json.loads(seen["output"])
    return output


def _advance(bars: Progress, shown: dict[str, TaskID], found: Iterable[Stage]) -> None:
    for stage in found:
        if stage.name not in shown:
            shown[stage.name] = bars.add_task(stage.name, total=stage.total or 1)
        completed = (stage.total or 1) if stage.over else min(stage.done, stage.total)
        bars.update(shown[stage.name], total=stage.total or 1, completed=completed)


def _events(states: Any, arn: str) -> Iterable[Mapping[str, Any]]:
    token: dict[str, Any] = {}
    while True:
        page = states.get_execution_history(executionArn=arn, maxResults=1000, **token)
        yield from page["events"]
        if not page.get("nextToken"):
            return
        token = {"nextToken": page["nextToken"]}


def _cause(states: Any, arn: str, seen: Mapping[str, Any]) -> str:
    """What the failed task said, or else what the machine says."""
    told = ""
    for event in _events(states, arn):
        for name, details in event.items():
            if (
                name.endswith("FailedEventDetails")
                and isinstance(details, dict)
                and details.get("error")
            ):
                told = told or f"{details['error']}: {details.get('cause', '')}"
    return (told or f"{seen.get('error', '')} {seen.get('cause', '')}")[:500]
