"""The rooms of the house and the arrows between them, and the sizes that keep them liveable."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "layers/core/python/countersign"
DOMAIN = {"features", "learning", "serving", "monitoring", "governance", "statistics", "reports"}
FOUNDATION = {"errors", "declare", "clock"}

# room → the rooms it may import, besides itself and errors
ARROWS: dict[str, set[str]] = {
    "errors": set(),
    "declare": set(),
    "clock": set(),
    "http": set(),
    "statistics": set(),
    "use_cases": {"declare"},
    "reports": {"declare", "statistics"},
    "features": {"declare", "statistics", "clock"},
    "learning": {"declare", "statistics", "serving", "clock"},
    "serving": {"declare", "features", "clock"},
    "monitoring": {"declare", "statistics", "clock"},
    "governance": {"declare", "statistics", "clock", "http"},
    "aws": DOMAIN | FOUNDATION | {"http"},
    "steps": DOMAIN | FOUNDATION | {"aws", "use_cases", "http"},
    "entry": FOUNDATION | {"aws", "http"},
    "workbench": DOMAIN | FOUNDATION | {"use_cases"},
    "cli": DOMAIN | FOUNDATION | {"aws", "use_cases", "steps", "workbench", "http", "entry"},
}
# Modules that are run as programs: no logic, nobody imports them, and they may open the door they name.
DOORS = {"learning/train.py": {"cli", "workbench"}}
# numpy is here for the rooms that a scoring worker or a plain API worker loads; the rest for all.
LAZY = {"pandas", "pyarrow", "duckdb", "sklearn", "xgboost", "onnx", "scipy", "matplotlib"}


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", modules(), ids=identify)
def test_arrows_between_rooms_point_down(path: Path) -> None:
    room = room_of(path)
    names = imports(ast.parse(path.read_text()))
    used = {name.split(".")[1] for name in names if name.startswith("countersign.")}
    opens = DOORS.get(path.relative_to(PACKAGE).as_posix(), set())
    forbidden = used - ARROWS[room] - {room, "errors"} - opens
    assert not forbidden, f"{room} may not import {sorted(forbidden)}"


def test_nobody_imports_a_door() -> None:
    doors = {f"countersign.{door.removesuffix('.py').replace('/', '.')}" for door in DOORS}
    for path in modules():
        names = imports(ast.parse(path.read_text()))
        assert not {n for n in names for door in doors if f"{n}.".startswith(f"{door}.")}, path


@pytest.mark.parametrize("path", modules(), ids=identify)
def test_only_the_aws_room_talks_to_aws(path: Path) -> None:
    if room_of(path) in {"aws", "cli"}:
        return
    names = imports(ast.parse(path.read_text()))
    assert not {n for n in names if n.split(".")[0] in {"boto3", "botocore"}}


@pytest.mark.parametrize("path", modules(), ids=identify)
def test_heavy_libraries_are_imported_inside_functions(path: Path) -> None:
    if room_of(path) == "cli":
        return
    top = ast.Module(
        body=[
            n
            for n in ast.parse(path.read_text()).body
            if isinstance(n, ast.Import | ast.ImportFrom)
        ],
        type_ignores=[],
    )
    assert not {n.split(".")[0] for n in imports(top)} & LAZY


@pytest.mark.parametrize("path", modules(), ids=identify)
def test_files_are_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", modules(), ids=identify)
def test_functions_are_small(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None
            first = node.body[1] if documented and len(node.body) > 1 else node.body[0]
            lines = (node.end_lineno or 0) - first.lineno + 1
            assert lines <= 40, f"{node.name} has {lines} lines"


def test_there_are_no_utils() -> None:
    assert not [p for p in modules() if p.stem in {"utils", "helpers", "common", "misc"}]


def test_handlers_hold_no_logic() -> None:
    for path in sorted((ROOT / "functions").glob("*/handler.py")):
        tree = ast.parse(path.read_text())
        kinds = {type(node).__name__ for node in tree.body}
        assert kinds <= {"Expr", "Import", "ImportFrom", "Assign"}, path
        assert len(path.read_text().splitlines()) <= 12, path


def test_every_room_is_known() -> None:
    assert {room_of(p) for p in modules()} <= set(ARROWS)
