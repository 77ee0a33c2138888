"""Where a model was made: told alike by a build and by a checkout, and never a function of time."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from countersign.learning import environment


def git(root: Path, *words: str) -> str:
    me = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    answer = subprocess.run(
        ["git", "-C", str(root), *words],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(root), **me},
    )
    return answer.stdout.strip()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of ours in a committed checkout."""
    made = tmp_path / "layers" / "core" / "python" / "countersign"
    made.mkdir(parents=True)
    (made / "a.py").write_text("a = 1\n")
    (tmp_path / "uv.lock").write_text("locked\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return made


def test_a_checkout_tells_its_commit_its_lock_and_its_code(package: Path) -> None:
    root = package.parents[3]
    found = environment.build_facts(package)
    assert found["commit"] == git(root, "rev-parse", "HEAD")
    assert found["tree"] == "clean"
    assert found["lock_sha256"] == hashlib.sha256(b"locked\n").hexdigest()
    assert found["code_sha256"] == environment.code_digest(package)


def test_a_change_of_code_makes_the_tree_dirty_and_another_digest(package: Path) -> None:
    before = environment.facts_of(package)
    (package / "b.py").write_text("b = 1\n")
    after = environment.facts_of(package)
    assert (after["tree"], after["commit"]) == ("dirty", before["commit"])
    assert after["code_sha256"] != before["code_sha256"]


def test_what_functions_do_not_run_leaves_it_clean(package: Path) -> None:
    before = environment.facts_of(package)
    (package / "cli").mkdir()
    (package / "cli" / "main.py").write_text("x = 1\n")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "a.pyc").write_bytes(b"x")
    (package.parents[3] / "notes.md").write_text("later\n")
    assert environment.facts_of(package)["code_sha256"] == before["code_sha256"]


def test_a_dirty_tree_tells_the_same_whenever_it_is_asked(package: Path) -> None:
    (package / "a.py").write_text("a = 2\n")
    first = environment.facts_of(package)
    os.utime(package / "a.py", (10**9, 10**9))
    assert environment.facts_of(package) == first


def test_without_git_the_digests_still_say_what_it_was(tmp_path: Path) -> None:
    package = tmp_path / "countersign"
    package.mkdir()
    (package / "a.py").write_text("a = 1\n")
    found = environment.build_facts(package)
    assert (found["commit"], found["tree"], found["lock_sha256"]) == ("unknown",) * 3
    assert found["code_sha256"] == environment.code_digest(package)


def test_a_build_is_believed_over_whatever_lies_around_it(package: Path) -> None:
    facts = {name: f"{name} of the build" for name in environment.BUILT}
    (package / environment.BUILD).write_text(json.dumps(facts))
    assert environment.build_facts(package) == facts


def test_every_package_that_trains_has_a_version() -> None:
    found = environment.describe(environment.TRAINING)
    assert [n for n in environment.TRAINING if found[n] == "unknown"] == []
    assert set(environment.BUILT) <= set(found)
