"""The mirror to MLflow speaks its documented REST API, and its failure is one line of warning."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from countersign.workbench import mirror as mirroring
from countersign.workbench.mirror import mirror

from .desk import Terminal

RUN: dict[str, Any] = {
    "run_id": "20261121T100000Z-abc123", "use_case": "paysim_fraud",
    "created_at": "2026-11-21T10:00:00.000000Z", "passed": True, "seconds": {"train": 2.5},
    "dataset": {"dataset_id": "d-1", "dataset_digest": "ff"},
    "parameters": {f"p{n}": n for n in range(130)},
    "metrics": {"auc": {"value": 0.9, "low": 0.8, "high": 1.0}, "recall": {"value": None, "low": None, "high": None}},
}  # fmt: skip


class Tracker:
    """The endpoints of a tracking server that the mirror uses, with their documented rules."""

    def __init__(self) -> None:
        self.experiments: dict[str, str] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.broken = ""

    def answer(self, method: str, path: str, query: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.calls.append(f"{method} {path}")
        match (method, path):
            case ("GET", "experiments/get-by-name"):
                name = query.removeprefix("experiment_name=").replace("%2F", "/")
                known = self.experiments.get(name)
                return 200 if known else 404, {"experiment": {"experiment_id": known}}
            case ("POST", "experiments/create"):
                self.experiments[body["name"]] = str(len(self.experiments) + 1)
                return 200, {"experiment_id": self.experiments[body["name"]]}
            case ("POST", "runs/create"):
                assert body["experiment_id"] in self.experiments.values()
                name = f"m{len(self.runs)}"
                self.runs[name] = {**body, "params": {}, "metrics": {}, "tags": {}}
                return 200, {"run": {"info": {"run_id": name}}}
            case ("POST", "runs/log-batch" | "runs/update"):
                return 200, self.log(body)
        return 404, {"error_code": "ENDPOINT_NOT_FOUND"}

    def log(self, body: dict[str, Any]) -> dict[str, Any]:
        run = self.runs[body["run_id"]]
        assert len(body.get("params", [])) <= 100
        for kind in ("params", "metrics", "tags"):
            run[kind] |= {row["key"]: row["value"] for row in body.get(kind, [])}
        run |= {name: body[name] for name in ("status", "end_time") if name in body}
        return {}


@pytest.fixture
def tracker() -> Iterator[tuple[Tracker, str]]:
    made = Tracker()

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            path, _, query = self.path.removeprefix("/api/2.0/mlflow/").partition("?")
            length = int(self.headers.get("Content-Length") or 0)
            made.headers.append(dict(self.headers))
            body = json.loads(self.rfile.read(length) or b"{}")
            status, answer = made.answer(self.command, path, query, body)
            if made.broken:
                status = 500
            content = made.broken.encode() if made.broken else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = handle_one  # noqa: N815

        def log_message(self, *words: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_run_is_mirrored_whole(tracker: tuple[Tracker, str]) -> None:
    made, address = tracker
    for _ in range(2):
        assert mirror(RUN, {"MLFLOW_TRACKING_URI": f"{address}/"}) == ""
    assert made.experiments == {"countersign/paysim_fraud": "1"}
    for run in made.runs.values():
        assert run["run_name"] == RUN["run_id"]
        assert run["params"] == {name: str(value) for name, value in RUN["parameters"].items()}
        assert run["metrics"] == {"auc": 0.9}
        assert run["tags"]["countersign.dataset_digest"] == "ff"
        assert run["status"] == "FINISHED"
        assert run["end_time"] - run["start_time"] == 2_500
    assert made.calls.count("POST experiments/create") == 1


def test_nothing_is_mirrored_unless_it_is_asked_for(tracker: tuple[Tracker, str]) -> None:
    assert mirror(RUN, {}) == ""
    assert tracker[0].calls == []


@pytest.mark.parametrize(
    ("known", "sent"),
    [
        ({"MLFLOW_TRACKING_TOKEN": "t0k"}, "Bearer t0k"),
        (
            {"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "pw"},
            "Basic " + base64.b64encode(b"ann:pw").decode(),
        ),
    ],
)
def test_it_signs_in_by_mlflows_own_variables(
    known: dict[str, str], sent: str, tracker: tuple[Tracker, str]
) -> None:
    made, address = tracker
    assert mirror(RUN, {"MLFLOW_TRACKING_URI": address, **known}) == ""
    assert {headers["Authorization"] for headers in made.headers} == {sent}


@pytest.mark.parametrize("broken", ["{}", "not json", "[1]", "<html>"])
def test_a_server_that_answers_nonsense_is_one_warning(
    broken: str, tracker: tuple[Tracker, str]
) -> None:
    made, address = tracker
    made.broken = broken
    warning = mirror(RUN, {"MLFLOW_TRACKING_URI": address})
    assert "the run stands" in warning
    assert "\n" not in warning


def dead_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize(
    "address", ["file:///somewhere", "databricks", "http://[bad", "http://127.0.0.1:{dead}"]
)
def test_a_server_that_is_not_there_is_one_warning(address: str) -> None:
    warning = mirror(RUN, {"MLFLOW_TRACKING_URI": address.replace("{dead}", str(dead_port()))})
    assert warning
    assert "\n" not in warning


def test_a_server_that_never_answers_does_not_hold_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirroring, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        warning = mirror(
            RUN, {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        )
    assert "the run stands" in warning
    assert time.monotonic() - started < 3


def test_a_training_stands_when_the_mirror_is_broken(
    terminal: Terminal, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{dead_port()}")
    ended = terminal.type("train", "--dataset", trained / "dataset", "--out", tmp_path / "run")
    assert ended.code == 0
    assert "MLflow was not reached" in ended.refusal
    assert (tmp_path / "run/run.json").is_file()
