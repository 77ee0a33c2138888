"""`countersign experiments`: kept runs, listed, shown and compared."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from countersign.cli.experiments.machine import read_machine_runs

from tests.unit.features.cloud import Cloud

from .desk import Terminal, text


@pytest.fixture(scope="module")
def kept(terminal: Terminal, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of one dataset: `small` has fewer trees than `large`."""
    tmp_path = tmp_path_factory.mktemp("kept")
    for name, trees in (("small", 2), ("large", 40)):
        settings = f"hyperparameters: {{n_estimators: {trees}, nthread: 1}}"
        config = text(tmp_path / f"{name}.yaml", f"model: xgboost_binary\n{settings}\n")
        words = ("--config", config, "--out", tmp_path / "runs" / name)
        assert terminal.type("train", "--dataset", trained / "dataset", *words).code == 0
    return tmp_path / "runs"


def run_of(kept: Path, name: str) -> Any:
    return json.loads((kept / name / "run.json").read_text())


def test_runs_are_listed_shown_and_compared(kept: Path, terminal: Terminal) -> None:
    small, large = (run_of(kept, name)["run_id"] for name in ("small", "large"))
    listed = terminal.type("experiments", "list", "--runs", kept)
    assert listed.out.index(small) < listed.out.index(large)
    shown = terminal.type("experiments", "show", large, "--runs", kept)
    assert "n_estimators" in shown.out
    assert "native.npz" in shown.out
    compared = terminal.type("experiments", "compare", small, large, "--runs", kept)
    lines = {line.split()[1]: line for line in compared.out.splitlines() if line.startswith("≠")}
    assert lines["n_estimators"].split()[2:] == ["2", "40"]
    assert "seed" not in lines
    assert "more are the same" in compared.out


def test_documents_are_whole(kept: Path, terminal: Terminal) -> None:
    listed = json.loads(
        terminal.type("experiments", "list", "--runs", kept, "--output", "json").out
    )
    assert [Path(run["folder"]).name for run in listed] == ["small", "large"]
    shown = json.loads(terminal.type("experiments", "show", kept / "small", "--output", "json").out)
    assert shown == {**run_of(kept, "small"), "folder": str(kept / "small")}
    words = ("small", "large", "--runs", kept, "--output", "json")
    found = json.loads(terminal.type("experiments", "compare", *words).out)
    (trees,) = (row for row in found["parameters"] if row["name"] == "n_estimators")
    assert trees == {"name": "n_estimators", "values": [2, 40], "differs": True}
    for row in found["metrics"]:
        if "best" in row and row["name"] in ("auc", "brier"):
            better = max if row["name"] == "auc" else min
            assert row["values"][row["best"]] == better(row["values"])


def test_what_is_no_run_is_passed_over_or_refused(
    kept: Path, terminal: Terminal, tmp_path: Path
) -> None:
    kept = Path(shutil.copytree(kept, tmp_path / "runs"))
    for name, content in (("broken", "{"), ("foreign", "{}"), ("list", "[]")):
        (kept / name).mkdir()
        text(kept / name / "run.json", content)
        ended = terminal.type("experiments", "show", kept / name)
        assert (ended.code, "is no run folder" in ended.refusal) == (1, True)
    assert terminal.type("experiments", "list", "--runs", kept).code == 0
    missing = terminal.type("experiments", "show", "nothing", "--runs", kept)
    assert (missing.code, "No run 'nothing'" in missing.refusal) == (1, True)
    several = terminal.type("experiments", "show", "2", "--runs", kept)
    assert (several.code, "2 runs begin with" in several.refusal) == (2, True)
    assert terminal.type("experiments", "compare", "small", "--runs", kept).code == 2


def test_no_runs_is_no_error(terminal: Terminal, tmp_path: Path) -> None:
    ended = terminal.type("experiments", "list", "--runs", tmp_path / "none")
    assert (ended.code, "No runs in" in ended.out) == (0, True)


def test_a_run_of_the_machine_has_the_same_shape(kept: Path, aws: Cloud) -> None:
    lake = aws.stores.lake
    for name in ("training.json", "evaluation.json"):
        lake.put(f"flat/runs/r-1/{name}", (kept / "small" / name).read_bytes())
    lake.put("flat/runs/r-2/training.json", (kept / "small/training.json").read_bytes())
    (found,) = read_machine_runs(lake, "flat")
    mine = run_of(kept, "small")
    assert set(found) == {*mine, "folder"}
    for part in ("parameters", "metrics", "gates", "split", "environment", "threshold"):
        assert found[part] == mine[part]
