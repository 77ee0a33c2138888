"""Render what is generated in docs/. `python docs/build.py`; a test says when it was forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

DOCS = Path(__file__).parent
CHAPTERS = {
    "A": "Features", "B": "Data quality", "C": "Training", "D": "Registry",
    "E": "Validation, approval, promotion", "F": "Serving", "G": "Experiments", "H": "Rollback",
    "I": "Monitoring", "J": "Platform",
}  # fmt: skip


def requirements() -> dict[str, dict[str, Any]]:
    """The machine-readable twin: id → title, status, tests."""
    declared: dict[str, dict[str, Any]] = yaml.safe_load((DOCS / "requirements.yaml").read_text())
    return declared


def requirements_page() -> str:
    """docs/requirements.md."""
    lines = [
        "# Requirements and where they stand",
        "",
        "Generated from `requirements.yaml` by `make docs`. A line is *done* only with a test behind it.",
    ]
    chapter = ""
    for name, entry in requirements().items():
        if name[0] != chapter:
            chapter = name[0]
            lines += ["", f"## {chapter}. {CHAPTERS[chapter]}", "", "| | demand | status | tests |"]
            lines += ["|---|---|---|---|"]
        tests = "<br>".join(f"`{test}`" for test in entry["tests"])
        lines += [f"| {name} | {entry['title']} | {entry['status']} | {tests} |"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (DOCS / "requirements.md").write_text(requirements_page())
