"""`countersign train` from each kind of dataset to a run folder, with its exit codes."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from countersign.cli.importers import import_paysim
from countersign.workbench.sampling import sample

from .desk import DATA, QUICK, Terminal, paysim, rows, text, write

ROOT = Path(__file__).parents[3]
OF_A_RUN = {
    "native.npz", "model.ubj", "model.onnx", "serving.json", "golden.npz", "baseline.json",
    "training.json", "parity.json", "manifest.json", "evaluation.json", "metrics.json",
    "ml_vs_rules_comparison.json", "classification_report.json", "card.md", "report.html",
    "config.yaml", "dataset.sha256", "run.json",
}  # fmt: skip


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_a_paysim_csv_trains_as_a_program_of_its_own(tmp_path: Path) -> None:
    plain = paysim(tmp_path / "plain.csv")
    packed = tmp_path / "paysim.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    config = text(
        tmp_path / "c.yaml",
        "use_case: paysim_fraud\nhyperparameters:\n  n_estimators: 15\ngates:\n  - {metric: auc, at_least: 0.0}\n",
    )
    ended = subprocess.run(
        [
            sys.executable, "-m", "countersign.learning.train", "--dataset", packed, "--config", config,
            "--sample-size", "100000", "--out", tmp_path / "run",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT / "layers/core/python")},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "Freeze the dataset" in ended.stderr
    assert "average_precision" in ended.stdout
    assert "Every gate held." in ended.stdout
    found = {path.name for path in (tmp_path / "run").iterdir() if path.is_file()}
    assert found == OF_A_RUN
    run = read(tmp_path / "run" / "run.json")
    assert run["dataset"]["sha256"] == hashlib.sha256(packed.read_bytes()).hexdigest()
    assert (run["dataset"]["rows_in_file"], run["dataset"]["sample_size"]) == (1_200, 1_200)
    digest = hashlib.sha256((tmp_path / "run/dataset/manifest.json").read_bytes()).hexdigest()
    assert (tmp_path / "run/dataset.sha256").read_text().strip() == digest
    assert run["dataset"]["dataset_digest"] == digest


def test_a_frozen_dataset_trains_to_the_same_model_as_its_file(
    terminal: Terminal, trained: Path, tmp_path: Path
) -> None:
    words = ("--config", text(tmp_path / "c.yaml", QUICK), "--out", tmp_path / "two")
    again = terminal.type("train", "--dataset", trained / "dataset", *words)
    assert again.code == 0, again.err
    one, two = (read(folder / "run.json") for folder in (trained, tmp_path / "two"))
    assert one["dataset"]["dataset_digest"] == two["dataset"]["dataset_digest"]
    for file in ("native.npz", "model.onnx", "golden.npz"):
        assert one["artifacts"][file] == two["artifacts"][file]
    kept = ("auc", "average_precision", "recall", "cost")
    assert [one["metrics"][n] for n in kept] == [two["metrics"][n] for n in kept]


def test_columns_of_a_flat_file_are_what_the_configuration_says(trained: Path) -> None:
    assert read(trained / "training.json")["serving"]["features"] == ["age", "plan_name", "spend"]
    assert "country" in read(trained / "evaluation.json")["fairness"]["groups"]


def test_everything_written_is_on_record_with_its_digest(trained: Path) -> None:
    run = read(trained / "run.json")
    for name, kept in run["artifacts"].items():
        assert hashlib.sha256((trained / name).read_bytes()).hexdigest() == kept["sha256"]
    plots = {name for name in run["artifacts"] if name.startswith("plots/")}
    drawn = ("roc", "pr", "calibration", "confusion", "importance")
    assert {f"plots/{name}.svg" for name in drawn} <= plots
    assert (trained / "config.yaml").read_text() == QUICK + DATA
    assert run["parameters"]["n_estimators"] == 20
    assert run["parameters"]["learning_rate"] == 0.08
    with np.load(trained / "golden.npz") as golden:
        assert len(golden["X"]) >= 1_000
    assert read(trained / "parity.json")["max_abs_difference"] <= 1e-5


def test_a_split_by_time_keeps_the_future_for_the_test(trained: Path) -> None:
    split = read(trained / "run.json")["split"]
    assert split["kind"] == "time"
    assert split["train"]["to"] < split["valid"]["from"]
    assert split["valid"]["to"] < split["test"]["from"]
    assert 0.17 < split["test"]["rows"] / 900 < 0.23


def test_a_test_size_and_a_stratified_split_are_asked_for(
    terminal: Terminal, flat: Path, tmp_path: Path
) -> None:
    config = text(tmp_path / "c.yaml", QUICK + "split: stratified\ntest_size: 0.4\n" + DATA)
    ended = terminal.type("train", "--dataset", flat, "--config", config, "--out", tmp_path / "run")
    assert ended.code == 0, ended.err
    split = read(tmp_path / "run/run.json")["split"]
    assert split["kind"] == "stratified"
    shares = [split[n]["positives"] / split[n]["rows"] for n in ("train", "valid", "test")]
    assert max(shares) - min(shares) < 0.01
    assert [split[n]["rows"] for n in ("train", "valid", "test")] == pytest.approx(
        [405, 135, 360], abs=2
    )


def test_a_failed_gate_is_told_by_exit_code_and_the_run_is_kept_and_told_whole(
    terminal: Terminal, trained: Path, tmp_path: Path
) -> None:
    config = text(tmp_path / "c.yaml", QUICK + "gates: [{metric: auc, at_least: 0.999}]\n")
    words = ("--config", config, "--out", tmp_path / "run", "--output", "json")
    ended = terminal.type("train", "--dataset", trained / "dataset", *words)
    assert ended.code == 3
    told = json.loads(ended.out)
    assert told.pop("folder") == str(tmp_path / "run")
    assert told == read(tmp_path / "run/run.json")
    assert (told["passed"], told["failed"]) == (False, ["auc"])


def test_a_label_of_three_values_trains_a_model_of_classes(
    terminal: Terminal, tmp_path: Path
) -> None:
    made = [
        {**row, "churned": "abc"[n % 3 if n % 5 else int(row["churned"])]}
        for n, row in enumerate(rows())
    ]
    data = write(tmp_path / "three.csv", made)
    config = text(
        tmp_path / "c.yaml",
        "model: xgboost_multiclass\nhyperparameters: {n_estimators: 8, max_depth: 2, nthread: 1}\n"
        "gates: [{metric: accuracy, at_least: 0.0}]\ndata: {label: churned, key: id, time: at}\n",
    )
    ended = terminal.type("train", "--dataset", data, "--config", config, "--out", tmp_path / "run")
    assert ended.code == 0, ended.err
    report = read(tmp_path / "run/classification_report.json")
    assert [row["class"] for row in report] == ["a", "b", "c"]


def test_an_ensemble_is_declared_by_its_members(
    terminal: Terminal, flat: Path, tmp_path: Path
) -> None:
    config = text(
        tmp_path / "c.yaml",
        "model: weighted\nmembers:\n"
        "  - {model: logistic_regression}\n"
        "  - {model: random_forest, seed: 3, hyperparameters: {n_estimators: 10, max_depth: 4}}\n"
        + DATA,
    )
    ended = terminal.type("train", "--dataset", flat, "--config", config, "--out", tmp_path / "run")
    assert ended.code == 0, ended.err
    kept = read(tmp_path / "run/run.json")["parameters"]
    assert kept["members.1-random_forest.n_estimators"] == 10


def test_a_run_is_never_written_over(
    terminal: Terminal, flat: Path, quick: Path, tmp_path: Path
) -> None:
    text(tmp_path / "mine.txt", "precious")
    ended = terminal.type("train", "--dataset", flat, "--config", quick, "--out", tmp_path)
    assert ended.code == 2
    assert "is there already" in ended.refusal
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_a_sample_is_drawn_by_the_seed_and_kept_in_order(tmp_path: Path) -> None:
    made = write(tmp_path / "rows.csv", [{"n": str(n), "text": 'a "b", c'} for n in range(500)])
    drawn: list[list[str]] = []
    for seed in (1, 1, 2):
        (place := tmp_path / f"{seed}-{len(drawn)}").mkdir()
        found = sample(made, 40, place, seed=seed)
        assert (found.rows, found.rows_in) == (40, 500)
        drawn.append(found.path.read_text().splitlines())
    assert drawn[0] == drawn[1] != drawn[2]
    numbers = [int(line.partition(",")[0]) for line in drawn[0][1:]]
    assert numbers == sorted(set(numbers))
    assert drawn[0][1].endswith('"a ""b"", c"')
    assert sample(made, 500, tmp_path, seed=1).path == made


def test_a_delivery_trains_the_use_case_that_is_named(terminal: Terminal, tmp_path: Path) -> None:
    import_paysim([paysim(tmp_path / "paysim.csv")], tmp_path / "delivery")
    config = text(
        tmp_path / "c.yaml",
        "model: logistic_regression\ngates: [{metric: auc, at_least: 0.0}]\nas_of: 2017-01-09\nmin_rows: 100\n"
        "min_positives: 3\n",
    )
    words = ("--dataset", tmp_path / "delivery", "--config", config, "--out", tmp_path / "run")
    unnamed = terminal.type("train", *words)
    assert (unnamed.code, "name one with --use-case" in unnamed.refusal) == (2, True)
    ended = terminal.type("train", *words, "--use-case", "paysim_fraud")
    assert ended.code == 0, ended.err
    # A fraud is known after a week: of 50 hours the first 24 are mature on the ninth of January.
    assert (
        sum(read(tmp_path / "run/run.json")["split"][n]["rows"] for n in ("train", "valid", "test"))
        == 576
    )
    several = terminal.type("train", *words[:4], "--use-case", "paysim_fraud", "--sample-size", "9")
    assert (several.code, "--sample-size is for a file" in several.refusal) == (2, True)


@pytest.mark.parametrize("zone", ["", "America/New_York"])
def test_a_parquet_file_with_times_of_a_zone_or_without_time(
    zone: str, terminal: Terminal, tmp_path: Path
) -> None:
    import pandas as pd

    made = pd.DataFrame(rows())
    made["at"] = pd.to_datetime(made["at"]).dt.tz_localize(None)
    made["age"] = pd.to_numeric(made["age"])
    made["churned"] = made["churned"] == "1"
    made.to_parquet(tmp_path / "customers.parquet")
    timed = f"time: at, time_zone: {zone}" if zone else "features: [age, spend]"
    config = text(
        tmp_path / "c.yaml",
        f"model: logistic_regression\ndata: {{label: churned, key: id, {timed}}}\n",
    )
    words = ("--dataset", tmp_path / "customers.parquet", "--config", config)
    ended = terminal.type("train", *words, "--out", tmp_path / "run")
    assert ended.code == 0, ended.err
    split = read(tmp_path / "run/run.json")["split"]
    assert split["kind"] == ("time" if zone else "stratified")
    if zone:
        assert split["train"]["from"] == "2026-01-01T05:00:00.000000Z"
