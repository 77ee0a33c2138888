"""`countersign features …` against the deployed system, with IAM in force."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.local.life import Life

VIEW = "worker_pay"


class Shell:
    """The command line, in a process of its own, against this session's deployment."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.outputs = life.folder / "outputs.json"
        self.outputs.write_text(json.dumps(dict(life.cloud.outputs)), encoding="utf-8")

    def run(self, *arguments: str, code: int = 0) -> str:
        """What it says; it must end with that code, and never with a traceback."""
        command = [sys.executable, "-m", "countersign.cli.main", "features", *arguments]
        settings = {**os.environ, "COUNTERSIGN_OUTPUTS": str(self.outputs), "COLUMNS": "120"}
        ended = subprocess.run(
            command, env=settings, capture_output=True, text=True, check=False, timeout=180
        )
        assert ended.returncode == code, ended.stderr or ended.stdout
        assert "Traceback" not in ended.stderr
        return ended.stdout if code == 0 else ended.stdout + ended.stderr

    def document(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--output", "json", code=code))


@pytest.fixture(scope="module")
def shell(life: Life) -> Shell:
    return Shell(life)


@pytest.fixture(scope="module")
def worker(life: Life) -> str:
    """Somebody who was just scored, so whose features are fresh."""
    return str(life.bodies[0]["worker_id"])


class TestFeaturesCommands:
    def test_what_is_deployed_is_what_this_checkout_declares(self, shell: Shell) -> None:
        planned = shell.document("plan", "--detailed-exitcode")
        assert (planned["deployed"], planned["empty"]) == (True, True)
        assert len(shell.document("list")["features"]) >= 20

    def test_online_now_is_offline_as_of_now(self, shell: Shell, worker: str) -> None:
        online = shell.document("get", VIEW, worker)
        offline = shell.document("get", VIEW, worker, "--at", online["as_of"])
        assert offline["features"] == online["features"]
        assert online["freshness"]["worker_gross_pay_6m_mean"]["verdict"] == "fresh"

    def test_history_is_in_the_order_of_its_clocks(self, shell: Shell, worker: str) -> None:
        rows = shell.document("history", VIEW, worker)["rows"]
        clocks = [(row["event_time"], row["known_at"]) for row in rows]
        assert clocks
        assert clocks == sorted(clocks)

    @pytest.mark.parametrize("role", ["operator", "team-lead", "bsa-officer"])
    def test_iam_keeps_history_from_those_who_do_not_answer_for_it(
        self, shell: Shell, worker: str, role: str
    ) -> None:
        told = shell.run("history", VIEW, worker, "--identity", role, code=1)
        assert "AccessDenied" in told
        assert len(told.splitlines()) == 1

    def test_the_operator_fills_the_online_store_and_nobody_else_does(self, shell: Shell) -> None:
        made = shell.document("materialize", "--view", VIEW, "--full")
        assert made["views"][0]["skipped_older"] > 0
        told = shell.run("materialize", "--view", VIEW, "--identity", "auditor", code=1)
        assert "AccessDenied" in told

    def test_the_training_set_of_the_champion_holds_nothing_from_the_future(
        self, life: Life, shell: Shell, tmp_path: Path
    ) -> None:
        path = f"/v1/models/payroll_anomaly/versions/{life.versions[0]}"
        dataset = life.told("auditor", "GET", path)["dataset_id"]
        page = tmp_path / "audit.html"
        found = shell.document("audit", dataset, "--html", str(page))
        assert (found["passed"], found["leaks"]) == (True, [])
        assert dataset in page.read_text()

    def test_the_quality_log_and_its_page(self, shell: Shell, tmp_path: Path) -> None:
        page = tmp_path / "quality.html"
        found = shell.document("quality", "--view", VIEW, "--html", str(page))
        assert found["passed"]
        assert VIEW in page.read_text()
