"""The page's example runs as it stands, and prints what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs/point-in-time.md"


def test_the_worked_example_prints_what_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    exec(compile(found[1], str(PAGE), "exec"), {})
    assert capsys.readouterr().out == found[2]


def test_the_page_s_tests_are_there() -> None:
    for name in re.findall(r"test_\w+\.py", PAGE.read_text()):
        assert Path(__file__).with_name(name).exists(), name
