"""The real command line against the real routes of a house on moto; only the network's edge is played."""

from __future__ import annotations

import json
import re
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from countersign.errors import CountersignError
from countersign.http import problem_response
from countersign.steps import operate

from tests.unit.features_cli.deployed import Ran, exit_code, logged, outputs, served
from tests.unit.operate.house import House, built


class Shell:
    """A terminal in which `countersign models …` is typed."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.outputs = folder / "outputs.json"
        self.asked: list[tuple[str, str, str]] = []

    def answer(self, role: str, method: str, asked: str, raw: str) -> tuple[int, str]:
        self.asked.append((role, method, asked))
        path, _, query = asked.partition("?")
        for (verb, resource), _answer in operate.ROUTES.items():
            found = re.fullmatch(
                re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(resource)), path
            )
            if verb == method and found:
                params = {n: urllib.parse.unquote(v) for n, v in found.groupdict().items()}
                body = json.loads(raw) if raw else None
                try:
                    with logged():
                        said = self.house.call(
                            role, method, resource, body,
                            query=dict(urllib.parse.parse_qsl(query)), **params,
                        ).as_proxy()  # fmt: skip
                except CountersignError as error:
                    said = problem_response(error, "request").as_proxy()
                return int(said["statusCode"]), said["body"]
        return 403, json.dumps({"message": "Missing Authentication Token"})

    def run(self, capsys: pytest.CaptureFixture[str], *arguments: str, width: int = 120) -> Ran:
        capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["countersign", "models", *arguments])
            patch.setenv("COLUMNS", str(width))
            patch.setenv("COUNTERSIGN_OUTPUTS", str(self.outputs))
            code = exit_code()
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shell]:
    with built(monkeypatch) as house:
        made = Shell(house, tmp_path)
        with served(made) as url:  # type: ignore[arg-type]
            made.outputs.write_text(json.dumps(outputs(url)), encoding="utf-8")
            yield made
