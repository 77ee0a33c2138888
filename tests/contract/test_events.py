"""Every function has a real payload in `events/`, and its request type takes it as it stands."""

from __future__ import annotations

import ast
import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from countersign.entry import decode_body, parse
from countersign.http import caller_from

ROOT = Path(__file__).parents[2]
HANDLERS = sorted((ROOT / "functions").glob("*/handler.py"))
FUNCTIONS = [handler.parent.name for handler in HANDLERS]


def documented_events(function: str) -> list[Path]:
    return sorted((ROOT / "events").glob(f"{function}.json")) + sorted(
        (ROOT / "events").glob(f"{function}__*.json")
    )


def kind_of(function: str) -> str:
    """Which entry of `countersign.entry` the handler uses: entrypoint, stream or api."""
    tree = ast.parse((ROOT / "functions" / function / "handler.py").read_text())
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    return next(c.func.id for c in calls if isinstance(c.func, ast.Name))


CASES = [(f, e) for f in FUNCTIONS for e in documented_events(f)]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_documents_a_payload(function: str) -> None:
    assert documented_events(function), f"events/{function}.json is missing"


@pytest.mark.parametrize(("function", "path"), CASES, ids=lambda v: getattr(v, "stem", v))
def test_a_documented_payload_is_one_that_the_function_takes(function: str, path: Path) -> None:
    event: dict[str, Any] = json.loads(path.read_text())
    kind = kind_of(function)
    if kind == "entrypoint":
        step = importlib.import_module(f"countersign.steps.{function}")
        assert parse(step.Request, event)
    elif kind == "stream":
        assert event["Records"]
    else:
        step = importlib.import_module(f"countersign.steps.{function}")
        assert (event["httpMethod"], event["resource"]) in step.ROUTES
        assert caller_from(event).role
        decode_body(event.get("body") or "")


def test_every_event_is_of_a_function_or_a_machine() -> None:
    machines = {path.name.split(".")[0] for path in (ROOT / "statemachines").glob("*.asl.json")}
    known = set(FUNCTIONS) | {f"{machine}_machine" for machine in machines}
    strange = [
        p.name for p in (ROOT / "events").glob("*.json") if p.stem.split("__")[0] not in known
    ]
    assert not strange
