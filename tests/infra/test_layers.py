"""Layers: current with the lock, small enough, equal when built twice, and able to do their work."""

import ast
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from countersign.learning import environment

from infra.catalog import FUNCTIONS, USED_LAYERS, Function
from layers import build
from layers.archive import archive, content_digest, megabytes
from tests.infra.conftest import ROOT

HANDED = {"boto3", "botocore"}  # what the Lambda runtime itself brings
# The weights that bring a module which our code imports.
BROUGHT_BY = {
    "aws_lambda_powertools": {"base"},
    "numpy": {"scoring", "training", "export", "report"},
    "onnxruntime": {"scoring", "export"},
    "duckdb": {"query", "training"},
    "sklearn": {"training"},
    "xgboost": {"training"},
    "onnx": {"export"},
    "matplotlib": {"report"},
    "markupsafe": {"report"},
}

# Modules that a function loads hold functions that it never calls; these are what those import.
NEVER_CALLED = {
    "operate": {"duckdb"},
    "score": {"duckdb"},
    "score_batch": {"duckdb"},
    "shadow_score": {"duckdb"},
}


@pytest.mark.parametrize("weight", build.THIRD_PARTY)
def test_requirements_are_those_of_the_lock_file(weight: str) -> None:
    committed = build.requirements_file(weight).read_text()
    assert committed == build.requirements_of(weight), "run: python layers/build.py --export"


@pytest.mark.parametrize("weight", build.THIRD_PARTY)
def test_requirements_are_hashed_and_name_no_registry(weight: str) -> None:
    committed = build.requirements_file(weight).read_text()
    assert "http" not in committed
    pins = [line for line in committed.splitlines() if "==" in line]
    assert pins
    assert committed.count("--hash=sha256:") >= len(pins)


def test_a_layer_built_twice_is_the_same_to_the_byte(tmp_path: Path) -> None:
    made = []
    for name in ("first", "second"):
        folder = tmp_path / name
        build.build("base", build.target("local"), folder)
        made.append((content_digest(folder), build.archive_of(folder).read_bytes()))
    assert made[0] == made[1]


def test_our_own_layer_says_what_it_was_built_from_and_not_when(tmp_path: Path) -> None:
    to = build.target("local")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        build.copy_core(tmp_path / name, to)
    assert content_digest(tmp_path / "first") == content_digest(tmp_path / "second")
    told = environment.build_facts(tmp_path / "first" / "countersign")
    assert told["built_with"] == f"Python {to.python}, local"
    assert told["lock_sha256"] == hashlib.sha256((ROOT / "uv.lock").read_bytes()).hexdigest()
    assert told["code_sha256"] == environment.code_digest(tmp_path / "first" / "countersign")
    assert len(told["commit"]) == 40


def test_packing_does_not_depend_on_when_or_where(tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b")):
        (tmp_path / name / "python").mkdir(parents=True)
        (tmp_path / name / "python" / "x.py").write_text("x = 1\n")
        os.utime(tmp_path / name / "python" / "x.py", (number * 10**8, number * 10**8))
        archive(tmp_path / name, tmp_path / f"{name}.zip", level=1)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("target", ["local", "aws"])
def test_every_function_fits_with_its_layers(target: str) -> None:
    folders = {weight: build.folder_of(weight, build.target(target)) for weight in USED_LAYERS}
    folders["core"] = build.ensure("core", build.target("local"))
    absent = [weight for weight, folder in folders.items() if not folder.exists()]
    if absent:
        pytest.skip(f"not built: python layers/build.py --target {target} ({', '.join(absent)})")
    sizes = {weight: megabytes(folder) for weight, folder in folders.items()}
    over = {
        row.name: total
        for row in FUNCTIONS
        if (total := sum(sizes[layer] for layer in row.layers)) > build.LIMIT_MB
    }
    assert over == {}


def test_a_function_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "LIMIT_MB", 0.001)
    with pytest.raises(build.BuildError, match="score"):
        build.sizes(build.target("local"), [("score", ("core",))])


@pytest.mark.parametrize("weight", [w for w in USED_LAYERS if w != "core"])
def test_a_pruned_layer_does_its_work_alone(weight: str) -> None:
    to = build.target("local")
    folder = build.folder_of(weight, to)
    interpreter = build.interpreter_for(to.python)
    if not folder.exists():
        pytest.skip(f"not built: python layers/build.py --weight {weight}")
    answer = subprocess.run(
        [interpreter, "-S", "-c", ISOLATED, str(folder / "python"), *boto(), weight],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={"PATH": os.defpath, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert answer.returncode == 0, answer.stderr[-2000:]


ISOLATED = """
import runpy, sys
layer, boto, weight = sys.argv[1:]
sys.path[:0] = [layer]
sys.path.append(boto)
sys.argv = ["smoke", weight]
runpy.run_path("layers/smoke.py", run_name="__main__")
"""


def boto() -> list[str]:
    """Where the local cloud's functions find boto3, or a folder that does not exist."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return [str(ROOT / "build" / "functions" / "lib" / version / "site-packages")]


def imported(module: str, seen: set[str], *, lazy: bool) -> dict[str, str]:
    """Third-party top-level names that importing `module` needs, each with a module that asks.

    With `lazy`, also those imported inside functions, of every module that is reached.
    """
    path = source_of(module)
    if module in seen or path is None:
        return {}
    seen.add(module)
    found: dict[str, str] = {}
    parents = module.split(".")
    wanted = {".".join(parents[:n]) for n in range(1, len(parents))}
    wanted |= names_in(ast.parse(path.read_text()), lazy=lazy)
    for name in sorted(wanted):
        top = name.split(".")[0]
        if top == "countersign":
            found |= imported(name, seen, lazy=lazy)
        elif top not in sys.stdlib_module_names and top not in HANDED:
            found[top] = module
    return found


def source_of(module: str) -> Path | None:
    path = ROOT / "layers" / "core" / "python" / Path(*module.split("."))
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((candidate for candidate in candidates if candidate.exists()), None)


def names_in(node: ast.AST, *, lazy: bool) -> set[str]:
    """Modules that a piece of code imports, apart from those for type checking only."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not lazy:
            continue
        if isinstance(child, ast.Import):
            found |= {alias.name for alias in child.names}
        elif isinstance(child, ast.ImportFrom) and child.module:
            found |= {child.module, *(f"{child.module}.{alias.name}" for alias in child.names)}
        found |= names_in(child, lazy=lazy)
    return found


@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.name)
@pytest.mark.parametrize("lazy", [False, True], ids=["at-import", "when-called"])
def test_a_function_carries_what_its_code_imports(row: Function, lazy: bool) -> None:
    seen: set[str] = set()
    needed = imported(f"countersign.steps.{row.name}", seen, lazy=lazy)
    needed |= imported("countersign.entry", seen, lazy=lazy)
    missing = {
        module: asker
        for module, asker in needed.items()
        if not BROUGHT_BY.get(module, set()) & set(row.layers)
        and not (lazy and module in NEVER_CALLED.get(row.name, ()))
    }
    assert missing == {}, "give the function the layer, or import it where it is used"


@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.name)
def test_a_function_carries_no_layer_that_nothing_asks_for(row: Function) -> None:
    seen: set[str] = set()
    needed = imported(f"countersign.steps.{row.name}", seen, lazy=True)
    needed |= imported("countersign.entry", seen, lazy=True)
    needed = {m: a for m, a in needed.items() if m not in NEVER_CALLED.get(row.name, ())}
    asked = {weight for module in needed for weight in BROUGHT_BY[module]}
    assert set(row.layers) - {"core"} <= asked


def test_our_code_imports_at_cold_start_only_what_scoring_needs() -> None:
    needed = imported("countersign.steps.score", set(), lazy=False)
    assert set(needed) <= {"aws_lambda_powertools", "numpy", "onnxruntime"}
