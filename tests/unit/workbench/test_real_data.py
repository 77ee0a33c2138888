"""The published files of PaySim and Telco train at the desk; what is measured is in docs/training.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.importers.published_files import DATA

from .desk import Terminal, text

needs_data = pytest.mark.skipif(
    not (DATA / "paysim_first_19999.csv.gz").exists(),
    reason="needs the PaySim and Telco files in ../shared/data beside the project",
)
FILES = {
    "paysim_first_19999.csv.gz": (19_999, 81),
    "paysim_sample_51k_steps1-119.csv.gz": (51_392, 1_392),
    "telco_customer_churn.csv.gz": (7_043, 1_869),
}


def train(terminal: Terminal, file: str, place: Path, config: str = "") -> tuple[int, Any, Any]:
    words = ["--config", str(text(place / "c.yaml", config))] if config else []
    ended = terminal.type("train", "--dataset", DATA / file, *words, "--out", place / "run")
    assert "refused" in ended.err, ended.err
    run = json.loads((place / "run/run.json").read_text())
    manifest = json.loads((place / "run/dataset/manifest.json").read_text())
    rows, positives = FILES[file]
    assert (manifest["rows"], manifest["positives"]) == (rows, positives)
    assert manifest["leakage_audit"]["suspicious"] == []
    assert all(view["violations"] == 0 for view in manifest["leakage_audit"]["views"].values())
    return ended.code, run, manifest


def value(run: Any, name: str) -> float:
    return float(run["metrics"][name]["value"])


@needs_data
def test_the_paysim_sample_holds_its_gates_on_the_days_after_those_it_learned_from(
    terminal: Terminal, tmp_path: Path
) -> None:
    code, run, manifest = train(terminal, "paysim_sample_51k_steps1-119.csv.gz", tmp_path)
    assert code == 0
    assert manifest["split"]["order"] == "time"
    assert run["split"]["valid"]["to"] < run["split"]["test"]["from"]
    assert value(run, "auc") > 0.97
    assert value(run, "average_precision") > 0.9
    assert value(run, "recall") > 0.85


@needs_data
def test_the_head_of_paysim_is_rejected_by_name(terminal: Terminal, tmp_path: Path) -> None:
    code, run, _ = train(terminal, "paysim_first_19999.csv.gz", tmp_path)
    assert code == 3
    assert "average_precision" in run["failed"]
    assert run["split"]["test"]["positives"] == 3


@needs_data
def test_telco_is_told_apart_and_held_back_by_age(terminal: Terminal, tmp_path: Path) -> None:
    code, run, manifest = train(terminal, "telco_customer_churn.csv.gz", tmp_path)
    assert manifest["split"]["order"] == "stratified"
    assert value(run, "auc") > 0.82
    assert (code, run["failed"]) == (3, ["fairness"])


@needs_data
def test_a_stratified_split_of_the_head_of_paysim_can_judge(
    terminal: Terminal, tmp_path: Path
) -> None:
    config = "use_case: paysim_fraud\nsplit: stratified\n"
    _, run, _ = train(terminal, "paysim_first_19999.csv.gz", tmp_path, config)
    assert run["split"]["test"]["positives"] == 16
