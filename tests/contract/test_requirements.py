"""docs/requirements.yaml says what stands; nothing is called done without a test behind it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def load_build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_build", ROOT / "docs/build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BUILD = load_build()
REQUIREMENTS = BUILD.requirements()


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_what_is_called_done_has_tests_that_exist(name: str) -> None:
    entry = REQUIREMENTS[name]
    assert entry["status"] in {"open", "partial", "done"}
    assert entry["tests"] or entry["status"] == "open", (
        f"{name} is {entry['status']} without a test"
    )
    for test in entry["tests"]:
        path, _, function = test.partition("::")
        assert (ROOT / path).exists(), f"{name} names {path}, which is not there"
        assert not function or f"def {function}(" in (ROOT / path).read_text(), test


def test_the_page_is_current() -> None:
    assert (ROOT / "docs/requirements.md").read_text() == BUILD.requirements_page(), (
        "run `make docs`"
    )
