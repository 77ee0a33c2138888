"""`countersign models …` as a person and as a program read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.operate.test_registry_api import evaluated, many, with_dataset
from tests.unit.registry.world import USE_CASE

from .conftest import Shell

Capture = pytest.CaptureFixture[str]


def two_champions(shell: Shell) -> None:
    shell.house.rollout(shell.house.register("run-1"))
    shell.house.pass_time(days=1)
    shell.house.rollout(
        shell.house.register(
            "run-2",
            metrics={"auc": 0.97, "recall": 0.81, "brier": None},
            intervals={"auc": [0.95, 0.98], "recall": [0.7, 0.9]},
            hyperparameters={"trees": 200, "contamination": 0.02},
        )
    )


def test_models_and_what_serves_them_are_listed(shell: Shell, capsys: Capture) -> None:
    two_champions(shell)
    told = shell.run(capsys, "list")
    (row,) = [line for line in told.out.splitlines() if line.startswith(USE_CASE)]
    assert "1.1.0" in row
    assert (told.code, told.err) == (0, "")
    listed = shell.run(capsys, "list", "--output", "json").document
    assert {m["use_case"]: m["champion"] for m in listed["models"]}[USE_CASE] == "1.1.0"


def test_a_model_shows_versions_with_the_reason_for_their_number(
    shell: Shell, capsys: Capture
) -> None:
    two_champions(shell)
    told = shell.run(capsys, "show", USE_CASE, width=160)
    assert "MINOR after 1.0.0" in told.out
    assert "rollback goes to" in told.out


@pytest.mark.parametrize("width", [80, 160])
def test_everything_keeps_to_the_terminal(shell: Shell, capsys: Capture, width: int) -> None:
    two_champions(shell)
    commands = (["list"], ["show", USE_CASE], ["show", USE_CASE, "1.1.0"], ["lineage", USE_CASE, "1.0.0"],
                ["compare", USE_CASE, "1.0.0"], ["at", USE_CASE, "2026-11-22"])  # fmt: skip
    shell.house.pass_time(days=2)
    for command in commands:
        told = shell.run(capsys, *command, width=width)
        assert told.code == 0, told.err
        assert max(len(line) for line in told.out.splitlines()) <= width, command


def test_a_version_says_what_is_not_known_and_why(shell: Shell, capsys: Capture) -> None:
    shell.house.register("run-1", cost_optimal_threshold=None,
                         unknown={"cost_optimal_threshold": "a model of classes"})  # fmt: skip
    told = shell.run(capsys, "show", USE_CASE, "1.0.0")
    assert "(a model of classes)" in told.out
    assert "(never deployed)" in told.out
    assert "The first version" in told.out


def test_a_comparison_leads_with_what_differs_by_more_than_chance(
    shell: Shell, capsys: Capture
) -> None:
    two_champions(shell)
    told = shell.run(capsys, "compare", USE_CASE, "1.1.0", "--with", "1.0.0")
    assert told.out.splitlines()[0] == "auc is better: 0.97 against 0.91"
    assert "0.95 to 0.98" in told.out
    assert "trees" in told.out
    document = shell.run(
        capsys, "compare", USE_CASE, "1.1.0", "--with", "1.0.0", "--output", "json"
    )
    assert document.document["hyperparameters"][0]["with"] == 100


def test_what_was_in_production_on_a_date(shell: Shell, capsys: Capture) -> None:
    two_champions(shell)
    shell.house.pass_time(days=1)
    told = shell.run(capsys, "at", USE_CASE, "2026-11-21")
    assert "1.0.0" in told.out
    assert "1.1.0" not in told.out
    told = shell.run(capsys, "at", USE_CASE, "2026-11-20")
    assert "Nothing of payroll_anomaly was deployed" in told.out
    later = shell.run(capsys, "at", USE_CASE, "2031-01-01")
    assert later.code == 1
    assert "not happened" in later.err


def test_lineage_names_the_source_files(shell: Shell, capsys: Capture) -> None:
    with_dataset(shell.house)
    told = shell.run(capsys, "lineage", USE_CASE, "1.0.0")
    assert "its digest holds" in told.out
    assert "payslips/ingest_date=2026-11-01/a.parquet" in told.out


def test_a_card_is_printed_or_written(shell: Shell, capsys: Capture, tmp_path: Path) -> None:
    evaluated(shell.house, shell.house.register("run-1"))
    assert shell.run(capsys, "card", USE_CASE, "1.0.0").out == "# The card\n"
    file = tmp_path / "card.json"
    shell.run(capsys, "card", USE_CASE, "1.0.0", "--format", "sagemaker", "--to", str(file))
    assert json.loads(file.read_text())["model_overview"]["model_creator"] == "payroll-ml"


def test_a_version_is_withdrawn_and_deleted_and_both_are_on_record(
    shell: Shell, capsys: Capture
) -> None:
    many(shell.house)
    assert shell.run(capsys, "archive", USE_CASE, "1.0.0", "--reason", "no").code == 0
    assert shell.run(capsys, "delete", USE_CASE, "1.0.0", "--reason", "old").code == 0
    assert "Archived, deleted" in shell.run(capsys, "show", USE_CASE, width=160).out
    assert shell.house.actions() == ["version-archived", "version-deleted"]


def test_a_refusal_is_one_line_with_its_reason(shell: Shell, capsys: Capture) -> None:
    shell.house.rollout(shell.house.register("run-1"))
    told = shell.run(capsys, "delete", USE_CASE, "1.0.0", "--reason", "old")
    assert told.code == 1
    assert "it is the champion" in told.err
    assert len(told.err.splitlines()) == 1
    mine = ("delete", USE_CASE, "1.0.0", "--reason", "old", "--identity", "auditor")
    assert "team-lead" in shell.run(capsys, *mine).err


def test_names_are_encoded(shell: Shell, capsys: Capture) -> None:
    told = shell.run(capsys, "show", "a/b?c", "1.0.0")
    assert told.code == 1
    assert shell.asked[-1][2] == "/v1/models/a%2Fb%3Fc/versions/1.0.0"
