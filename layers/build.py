"""Build the Lambda layers: from the lock file to stripped, compiled, reproducible folders. No Docker.

    python layers/build.py [--target aws|sagemaker|local] [--weight base …] [--sizes] [--export]

Each weight's third-party packages come from `layers/<weight>/requirements.txt`, which is the lock
file's view of the dependency group `layer-<weight>`, with hashes. `core` is our own code. The
result is `build/layers/<target>/<weight>/python`, reused while its inputs have the same digest.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core" / "python")]

from countersign.learning import environment  # noqa: E402 - also runs as a script

from layers.archive import archive, megabytes, settle  # noqa: E402
from layers.prune import prune, strip_symbols  # noqa: E402

CORE = ROOT / "layers" / "core" / "python" / "countersign"
THIRD_PARTY = ("base", "scoring", "query", "training", "export", "report")
WEIGHTS = ("core", *THIRD_PARTY)
LIMIT_MB = 250.0
# Too heavy for both: bytecode takes the place of the sources when it can be compiled.
SOURCELESS = ("training",)
MOUNT = "/opt/python"  # where Lambda puts a layer: the path that tracebacks show


class BuildError(RuntimeError):
    """A layer cannot be built, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a layer runs: the version of Python, and uv's name of the platform (empty: this host)."""

    name: str
    python: str
    platform: str


def target(name: str) -> Target:
    """`aws`: arm64 and Python 3.13. `sagemaker`: x86-64 and the training image's Python. `local`: this host and
    the emulator's interpreter.
    """
    if name == "sagemaker":
        return Target("sagemaker", "3.12", "x86_64-manylinux_2_28")
    if name == "aws":
        return Target("aws", "3.13", "aarch64-manylinux_2_28")
    if name == "local":
        return Target("local", emulator_python(), "")
    raise BuildError(f"There is no target {name!r}: choose aws, sagemaker or local")


def emulator_python() -> str:
    """The version of the interpreter in which the local cloud runs functions."""
    interpreter = ROOT / "build" / "functions" / "bin" / "python"
    if interpreter.exists():
        return version_of(str(interpreter))
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def version_of(interpreter: str) -> str:
    """`3.13` and its like; empty when it does not run."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run([interpreter, "-c", code], check=False, capture_output=True, text=True)
    return answer.stdout.strip() if answer.returncode == 0 else ""


def interpreter_for(version: str) -> str:
    """An interpreter of exactly this version, found on this machine; empty when there is none."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [sys.executable, shutil.which(f"python{version}") or ""]
    candidates += [str(path / "bin" / "python") for path in sorted(versions.glob(f"{version}.*"))]
    return next((c for c in candidates if c and version_of(c) == version), "")


def uv() -> str:
    """The project's own uv, or the one on the path."""
    own = Path(sys.executable).parent / "uv"
    found = str(own) if own.exists() else shutil.which("uv")
    if not found:
        raise BuildError("uv is missing: run `make` first")
    return found


def requirements_of(weight: str) -> str:
    """What the lock file says of a weight's dependency group, with hashes."""
    command = [uv(), "export", "--frozen", "--only-group", f"layer-{weight}"]
    options = ["--no-emit-project", "--no-annotate", "--no-header", "--quiet"]
    answer = subprocess.run(
        [*command, *options], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return answer.stdout


def requirements_file(weight: str) -> Path:
    """Where it is committed."""
    return ROOT / "layers" / weight / "requirements.txt"


def export_requirements() -> None:
    """Write every `layers/<weight>/requirements.txt` anew."""
    for weight in THIRD_PARTY:
        path = requirements_file(weight)
        path.parent.mkdir(exist_ok=True)
        path.write_text(requirements_of(weight))


def folder_of(weight: str, to: Target) -> Path:
    """The layer's folder; its content is below `python/`."""
    return ROOT / "build" / "layers" / to.name / weight


def inputs_digest(weight: str, to: Target) -> str:
    """SHA-256 over everything that decides what a layer holds."""
    scripts = [Path(__file__).with_name(f"{n}.py") for n in ("archive", "build", "prune")]
    sources = list(core_sources()) if weight == "core" else [requirements_file(weight)]
    compiled = bool(interpreter_for(to.python))
    facts = [
        weight,
        to.name,
        to.python,
        to.platform,
        str(compiled),
        str(shutil.which("llvm-strip")),
    ]
    digest = hashlib.sha256(json.dumps(facts).encode())
    if weight == "core":
        digest.update(build_record(to))
    for path in [*scripts, *sources]:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def core_sources() -> Iterator[Path]:
    """Our code as functions run it: the command line stays at home."""
    return environment.code_files(CORE)


def build_record(to: Target) -> bytes:
    """`build.json`: commit, state of the tree, digests of our code and of the lock. It tells no time."""
    facts = environment.facts_of(CORE, built_with=f"Python {to.python}, {to.name}")
    return json.dumps(facts, indent=1, sort_keys=True).encode()


def ensure(weight: str, to: Target, *, say: bool = True) -> Path:
    """The folder of a layer, built if its inputs changed. Safe to run several times at once."""
    folder = folder_of(weight, to)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_suffix(".lock")):
        digest = inputs_digest(weight, to)
        stamp = folder.with_suffix(".digest")
        if not (stamp.exists() and folder.exists() and stamp.read_text() == digest):
            stamp.unlink(missing_ok=True)
            build(weight, to, folder)
            stamp.write_text(digest)
            if say:
                print(f"layer {weight} for {to.name}: {megabytes(folder):.1f} MB", file=sys.stderr)
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One builder at a time for each layer."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build(weight: str, to: Target, folder: Path) -> None:
    """Install or copy, prune, strip, compile, pack."""
    shutil.rmtree(folder, ignore_errors=True)
    content = folder / "python"
    content.mkdir(parents=True)
    if weight == "core":
        copy_core(content, to)
    else:
        install(weight, to, content)
        prune(content)
        if not strip_symbols(content):
            print("llvm-strip is not here: layers keep their debug symbols", file=sys.stderr)
    compile_bytecode(weight, content, to)
    settle(folder)
    # Locally the time to pack counts, on AWS the bytes to upload.
    archive(folder, archive_of(folder), level=1 if to.name == "local" else 6)


def archive_of(folder: Path) -> Path:
    """The zip beside a layer's folder."""
    return folder.with_suffix(".zip")


def copy_core(content: Path, to: Target) -> None:
    """Our own package, with what it was built from."""
    for path in core_sources():
        copy = content / path.relative_to(CORE.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    (content / CORE.name / environment.BUILD).write_bytes(build_record(to))


def install(weight: str, to: Target, content: Path) -> None:
    """Wheels only, by hash, for the target's platform and Python."""
    command = [uv(), "pip", "install", "--quiet", "--target", str(content), "--no-deps"]
    command += ["--python-version", to.python, "--only-binary", ":all:", "--require-hashes"]
    command += ["--link-mode", "copy", "-r", str(requirements_file(weight))]
    if to.platform:
        command += ["--python-platform", to.platform]
    answer = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if answer.returncode:
        raise BuildError(f"Layer {weight} for {to.name}: {answer.stderr.strip()}")


def compile_bytecode(weight: str, content: Path, to: Target) -> None:
    """Bytecode that is trusted by its place, not by a time, so that two builds are equal."""
    interpreter = interpreter_for(to.python)
    if not interpreter:
        print(
            f"No Python {to.python} on this machine: layer {weight} for {to.name} ships without "
            "bytecode, and a cold start takes two to three times as long",
            file=sys.stderr,
        )
        return
    command = [interpreter, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    if weight in SOURCELESS:
        command.append("-b")
    subprocess.run(
        [*command, "-s", str(content), "-p", MOUNT, str(content)],
        check=False,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    if weight in SOURCELESS:
        for source in content.rglob("*.py"):
            if source.with_suffix(".pyc").exists():
                source.unlink()


def sizes(to: Target, compositions: Iterable[tuple[str, Sequence[str]]]) -> dict[str, float]:
    """MB of each function with its layers. Raises BuildError when one passes the limit."""
    compositions = list(compositions)
    used = {layer for _, layers in compositions for layer in layers}
    weights = {weight: megabytes(ensure(weight, to)) for weight in used}
    totals = {
        name: sum(weights[layer] for layer in layers) + megabytes(ROOT / "functions" / name)
        for name, layers in compositions
    }
    over = {name: round(mb, 1) for name, mb in totals.items() if mb > LIMIT_MB}
    if over:
        raise BuildError(f"Over {LIMIT_MB:.0f} MB unzipped with their layers: {over}")
    return totals


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", action="append", choices=("aws", "sagemaker", "local"))
    parser.add_argument("--weight", action="append", choices=WEIGHTS)
    parser.add_argument("--sizes", action="store_true", help="also hold each function to the limit")
    parser.add_argument("--export", action="store_true", help="rewrite the requirements and stop")
    options = parser.parse_args(arguments)
    if options.export:
        export_requirements()
        return 0
    from infra.catalog import FUNCTIONS, USED_LAYERS

    for name in options.target or ["local"]:
        to = target(name)
        if name == "sagemaker":
            from layers import source

            print(source.ensure())
            continue
        for weight in options.weight or USED_LAYERS:
            ensure(weight, to)
        if options.sizes:
            for function, mb in sizes(to, ((f.name, f.layers) for f in FUNCTIONS)).items():
                print(f"{name:6} {function:20} {mb:6.1f} MB of {LIMIT_MB:.0f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
