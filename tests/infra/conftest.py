"""Each environment is synthesised once per session, with placeholders for the layers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from app import build
from infra.settings import ENVIRONMENTS

ROOT = Path(__file__).parents[2]
STACKS = ("storage", "compute", "workflows", "watch")
Resource = dict[str, Any]


@dataclass(frozen=True)
class Synthesised:
    """The templates of one environment and what the checks said of them."""

    environment: str
    folder: Path

    @cached_property
    def templates(self) -> dict[str, dict[str, Any]]:
        return {
            stack: json.loads(
                (self.folder / f"Countersign-{self.environment}-{stack}.template.json").read_text()
            )
            for stack in STACKS
        }

    @cached_property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "validation-report.json").read_text())
        return found

    def acknowledgements(self) -> list[tuple[str, str]]:
        """(rule id, reason) of everything that was acknowledged anywhere."""
        return [
            found
            for path in self.folder.glob("*.metadata.json")
            for entries in json.loads(path.read_text()).values()
            for entry in entries
            if entry["type"] == "aws:cdk:acknowledged-rules"
            for found in entry["data"].items()
        ]

    def resources(self, *types: str) -> Iterator[tuple[str, Resource]]:
        """(logical id, resource) of every stack, of these types or of any."""
        for template in self.templates.values():
            for name, resource in template["Resources"].items():
                if not types or resource["Type"] in types:
                    yield name, resource

    def properties(self, *types: str) -> list[Resource]:
        return [resource.get("Properties", {}) for _, resource in self.resources(*types)]


def text(value: Any) -> str:
    """A property as one string: references in angle brackets."""
    if isinstance(value, dict):
        if "Fn::Join" in value:
            return str(value["Fn::Join"][0]).join(text(part) for part in value["Fn::Join"][1])
        (kind, inner), *_ = value.items()
        return f"<{'.'.join(inner) if isinstance(inner, list) else inner}>" if kind else ""
    return str(value)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def synthesise(environment: str, folder: Path) -> Synthesised:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    asked = {**context, "env": environment, "placeholder_layers": "true"}
    build(asked, outdir=str(folder)).synth()
    return Synthesised(environment, folder)


@pytest.fixture(scope="session")
def every_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synthesised]:
    return {name: synthesise(name, tmp_path_factory.mktemp(f"cdk-{name}")) for name in ENVIRONMENTS}


@pytest.fixture(params=ENVIRONMENTS)
def any_environment(
    request: pytest.FixtureRequest, every_environment: dict[str, Synthesised]
) -> Synthesised:
    return every_environment[request.param]


@pytest.fixture
def dev(every_environment: dict[str, Synthesised]) -> Synthesised:
    return every_environment["dev"]


@pytest.fixture
def local(every_environment: dict[str, Synthesised]) -> Synthesised:
    return every_environment["local"]


@pytest.fixture
def prod(every_environment: dict[str, Synthesised]) -> Synthesised:
    return every_environment["prod"]
