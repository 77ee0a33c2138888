"""A version is trained again from outside, with a person's own rights and nothing else."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from countersign.cli import main

from tests.local.life import USE_CASE, Life


def reproduce(
    life: Life, folder: Path, capsys: pytest.CaptureFixture[str], role: str
) -> tuple[int, str, str]:
    """`countersign models reproduce` of the first version, as that role."""
    outputs = folder / "outputs.json"
    outputs.write_text(json.dumps(life.cloud.outputs))
    words = ["countersign", "models", "reproduce", USE_CASE, life.versions[0]]
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSIGN_OUTPUTS", str(outputs))
        patch.setattr(sys, "argv", [*words, "--identity", role, "--output", "json"])
        try:
            main.main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("role", ["data-scientist", "auditor"])
def test_who_may_read_models_and_datasets_trains_the_same_model(
    life: Life, tmp_path: Path, capsys: pytest.CaptureFixture[str], role: str
) -> None:
    code, out, err = reproduce(life, tmp_path, capsys, role)
    assert code == 0, err or out[-3000:]
    report: dict[str, Any] = json.loads(out)
    assert report["equal"]
    assert report["golden"]["max_abs_difference"] <= 1e-5


def test_who_may_not_read_datasets_is_refused_by_iam(
    life: Life, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = reproduce(life, tmp_path, capsys, "team-lead")
    assert code == 1
    assert "AccessDenied" in err, out


def test_what_was_trained_in_a_function_names_its_commit_its_lock_and_its_code(life: Life) -> None:
    path = f"/v1/models/{USE_CASE}/versions/{life.versions[0]}"
    for stage in ("training", "export"):
        made = life.told("auditor", "GET", path)["environment"][stage]
        assert len(made["commit"]) == 40
        assert made["tree"] in {"clean", "dirty"}
        assert len(made["lock_sha256"]) == len(made["code_sha256"]) == 64
        assert made["built_with"].endswith(", local")


def test_a_model_of_today_is_not_due_and_its_next_retraining_is_on_record(life: Life) -> None:
    name = life.cloud.outputs["functions"]["monitor"]
    answer = life.cloud.client("lambda", "operator").invoke(
        FunctionName=name, Payload=json.dumps({"action": "cadence"}).encode()
    )
    told = json.loads(answer["Payload"].read())
    assert told["due"] == []
    champion = life.pointer()["champion"]["version"]
    assert told["results"][USE_CASE]["version"] == champion
    version = life.told("auditor", "GET", f"/v1/models/{USE_CASE}/versions/{champion}")
    assert version["next_retrain"] == told["results"][USE_CASE]["next_retrain"]
