"""`countersign models reproduce`, from `sys.argv` to its exit code, against a deployment without AWS."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.steps import evaluate, export_model, register, train

from tests.unit.features_cli.deployed import Deployed, Ran, deployed, exit_code
from tests.unit.learning.cases import SMALL
from tests.unit.learning.world import RUN, freeze


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A deployment with version 1.0.0 of `small`, trained and registered by the machine's own steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(use_cases.all_use_cases(), "small", SMALL)
        with deployed(tmp_path_factory.mktemp("deployed")) as made:
            key = boto3.client("kms").create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
            made.stores.settings = replace(
                made.stores.settings, signing_key_arn=key["KeyMetadata"]["Arn"]
            )
            told = json.loads(made.outputs.read_text())
            told["buckets"]["models"] = "models"
            made.outputs.write_text(json.dumps(told))
            registered(made.stores)
            yield made


def registered(stores: Stores) -> None:
    freeze(stores)
    trigger = stores.registry.propose_retraining("small", "incident", {}, "olga", key="x")
    run: dict[str, Any] = {**RUN, "run_id": f"run-{trigger}"}
    stores.registry.put(
        "model#small",
        f"trigger#{trigger}",
        {**stores.registry.trigger("small", trigger), "status": "STARTED"},
    )
    train.run(train.Request(**run), stores)
    export_model.run(export_model.Request(**run), stores)
    evaluate.run(evaluate.Request(**run), stores)
    register.run(register.Request(action="register", **run), stores)


def run(made: Deployed, capsys: pytest.CaptureFixture[str], *arguments: str) -> Ran:
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["countersign", "models", "reproduce", *arguments])
        patch.setenv("COLUMNS", "140")
        patch.setenv("COUNTERSIGN_OUTPUTS", str(made.outputs))
        code = exit_code()
    said = capsys.readouterr()
    return Ran(code, said.out, said.err)


def test_a_version_is_the_same_and_the_exit_code_says_so(
    one: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    told = run(one, capsys, "small", "1.0.0", "--output", "json")
    assert told.code == 0, told.err
    report = told.document
    assert (report["equal"], report["version"]) == (True, "1.0.0")
    assert report["golden"]["bit_equal"]
    assert all(report["files"].values())


def test_a_person_reads_the_verdict_and_every_metric(
    one: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    told = run(one, capsys, "small", "1.0.0", "--identity", "auditor")
    assert told.code == 0
    assert "was trained again and is the same" in told.out
    assert "auc" in told.out


def test_other_bytes_of_the_dataset_are_named_and_exit_with_1(
    one: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "datasets/d1/train.parquet"
    before = one.stores.lake.get(key)
    one.stores.lake.put(key, before + b"x")
    try:
        told = run(one, capsys, "small", "1.0.0", "--output", "json")
        shown = run(one, capsys, "small", "1.0.0")
    finally:
        one.stores.lake.put(key, before)
    assert told.code == shown.code == 1
    assert told.document["differs"] == ["dataset"]
    assert "not reproduced" in shown.out


@pytest.mark.parametrize("file", ["manifest.json", "model.onnx", "evaluation.json"])
def test_a_file_that_is_not_the_registered_one_is_refused_before_anything_is_trained(
    one: Deployed, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    key = f"small/1.0.0/{file}"
    before: bytes = one.stores.artifacts.get(key)
    changed: Any = before + b" "
    if file == "evaluation.json":
        changed = json.dumps({**json.loads(before), "passed": False}).encode()
    one.stores.artifacts.put(key, changed)
    try:
        told = run(one, capsys, "small", "1.0.0")
    finally:
        one.stores.artifacts.put(key, before)
    assert told.code == 1
    assert file.partition(".")[0] in told.err


def test_a_version_that_is_not_there_is_said_in_a_line(
    one: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    told = run(one, capsys, "small", "9.9.9")
    assert told.code == 1
    assert "No version 9.9.9" in told.err
