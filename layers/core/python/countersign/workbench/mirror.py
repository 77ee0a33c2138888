"""An optional mirror of a run in MLflow, by its documented REST API; whatever goes wrong there, the run stands.

https://mlflow.org/docs/latest/rest-api.html: experiments/get-by-name and create, runs/create, log-batch and
update. Parameters, metrics and tags are mirrored; files stay in the run folder.
"""

from __future__ import annotations

import base64
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

VARIABLE = "MLFLOW_TRACKING_URI"
SECONDS = 3.0  # for one call
WHOLE = 10.0  # for all of them
_MOST = {"metrics": 1000, "params": 100, "tags": 100}  # in one batch, as the API states
_LONGEST = {"params": 6_000, "tags": 5_000}


def mirror(run: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> str:
    """Mirror a run where `MLFLOW_TRACKING_URI` says; returns one line of warning, empty when all went well.

    Nothing is raised and nothing waits longer than seconds: tracking elsewhere is a courtesy.
    """
    known = os.environ if environment is None else environment
    address = known.get(VARIABLE, "").strip().rstrip("/")
    if not address:
        return ""
    if not address.startswith(("http://", "https://")):
        return f"{VARIABLE} is not an http address; the run was not mirrored"
    try:
        _Mlflow(address, known).keep(run)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = getattr(error, "reason", None) or error
        return f"MLflow was not reached or refused ({type(error).__name__}: {_short(reason)}); the run stands"
    return ""


def _short(reason: object) -> str:
    return " ".join(str(reason).split())[:120]


class _Mlflow:
    """One tracking server."""

    def __init__(self, address: str, environment: Mapping[str, str]) -> None:
        self._base = f"{address}/api/2.0/mlflow"
        self._headers = {"Content-Type": "application/json", **_authorised(environment)}
        self._until = time.monotonic() + WHOLE

    def keep(self, run: Mapping[str, Any]) -> None:
        """Create the run, log it in batches, end it."""
        at = round(datetime.fromisoformat(run["created_at"]).timestamp() * 1000)
        experiment = self._experiment(f"countersign/{run['use_case']}")
        made = self._post(
            "runs/create",
            {"experiment_id": experiment, "run_name": run["run_id"], "start_time": at},
        )
        name = made["run"]["info"]["run_id"]
        for batch in _batches(run, at):
            self._post("runs/log-batch", {"run_id": name, **batch})
        taken = round(sum(run.get("seconds", {}).values()) * 1000)
        self._post("runs/update", {"run_id": name, "status": "FINISHED", "end_time": at + taken})

    def _experiment(self, name: str) -> str:
        try:
            asked = urllib.parse.urlencode({"experiment_name": name})
            found = self._call("GET", f"experiments/get-by-name?{asked}")
            return str(found["experiment"]["experiment_id"])
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
        return str(self._post("experiments/create", {"name": name})["experiment_id"])

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._call("POST", path, json.dumps(body, allow_nan=False).encode())

    def _call(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"longer than {WHOLE:g} seconds")
        request = urllib.request.Request(  # noqa: S310 - only http and https get here
            f"{self._base}/{path}", data=body, headers=self._headers, method=method
        )
        with urllib.request.urlopen(request, timeout=min(SECONDS, left)) as answer:  # noqa: S310
            found = json.loads(answer.read() or b"{}")
        if not isinstance(found, dict):
            raise ValueError("the answer is no JSON object")
        return found


def _authorised(environment: Mapping[str, str]) -> dict[str, str]:
    """By MLflow's own variables: a token, or a name with its password."""
    if token := environment.get("MLFLOW_TRACKING_TOKEN"):
        return {"Authorization": f"Bearer {token}"}
    if name := environment.get("MLFLOW_TRACKING_USERNAME"):
        pair = f"{name}:{environment.get('MLFLOW_TRACKING_PASSWORD', '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}


def _batches(run: Mapping[str, Any], at: int) -> Iterator[dict[str, Any]]:
    dataset = run["dataset"]
    tags = {
        "countersign.run_id": run["run_id"], "countersign.use_case": run["use_case"],
        "countersign.passed": str(run["passed"]).lower(),
        "countersign.dataset_id": dataset["dataset_id"],
        "countersign.dataset_digest": dataset["dataset_digest"],
    }  # fmt: skip
    metrics = [
        {"key": name, "value": found["value"], "timestamp": at, "step": 0}
        for name, found in run["metrics"].items()
        if found["value"] is not None
    ]
    yield from _chunks("params", _pairs(run["parameters"], "params"))
    yield from _chunks("tags", _pairs(tags, "tags"))
    yield from _chunks("metrics", metrics)


def _pairs(found: Mapping[str, Any], kind: str) -> list[dict[str, str]]:
    return [{"key": name, "value": str(value)[: _LONGEST[kind]]} for name, value in found.items()]


def _chunks(kind: str, rows: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(rows), _MOST[kind]):
        yield {kind: rows[start : start + _MOST[kind]]}
