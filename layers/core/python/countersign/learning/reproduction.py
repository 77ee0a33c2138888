"""A version trained again from its record and its frozen dataset: equal, or what is not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from countersign.errors import ContractError, CountersignError, DigestMismatchError
from countersign.learning import environment, export
from countersign.learning.dataset import SPLITS, Dataset, Rows
from countersign.learning.evaluation import judge
from countersign.learning.native import FILE
from countersign.learning.record import record_digest
from countersign.learning.spec import use_case_of
from countersign.learning.training import Trained, train
from countersign.serving.session import ModelSession, golden_vectors

# Where the environment is another, floats may be summed in another order.
SCORES_WITHIN = 1e-5
METRICS_WITHIN = 1e-3
# A figure of the machine's speed, not of the model.
NOT_COMPARED = ("latency_p95_ms",)
# What both the signed manifest and the record tell.
_TWICE = (
    "use_case", "run_id", "dataset_id", "dataset_digest", "as_of", "created_at", "hyperparameters",
    "seed", "feature_code_digest", "split", "synthetic",
)  # fmt: skip
_RUNTIME = ("python", "machine")

Get = Callable[[str], bytes]
Rounds = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What is on record of a version: its signed `manifest`, `record` (training.json), `evaluation`, and the
    manifest's `files` by name, of which `model.onnx`, `serving.json` and `golden.npz` are needed.
    """

    manifest: Mapping[str, Any]
    record: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    files: Mapping[str, bytes]


def reproduce(
    recorded: Recorded,
    get: Get,
    *,
    feature_code: str = "",
    progress: Rounds | None = None,
) -> dict[str, Any]:
    """Train again what `recorded` tells of; `get` fetches an object of the lake, `datasets/…`.

    `feature_code` is the digest of today's feature code, where the caller knows it.

    Returns
    -------
    The report. `equal`: the retrained model has the recorded metrics and golden scores: bit by bit where
    `environment.same`, else within `tolerance`. `differs` names what broke that. `differences` lists
    {what, recorded, found} of everything that is another than on record, whether it mattered or not.
    """
    report = _Report(recorded, feature_code)
    splits = report.dataset(get)
    if splits is not None:
        try:
            report.compare(splits, progress)
        except CountersignError as error:
            report.note(
                "training", "a model", f"{type(error).__name__}: {error.detail}", fatal=True
            )
    return report.document()


class _Report:
    """What was found so far, in the order in which it was looked at."""

    def __init__(self, recorded: Recorded, feature_code: str) -> None:
        self.recorded = recorded
        self.record = recorded.record
        self.differences: list[dict[str, Any]] = []
        self.differs: list[str] = []
        self.found: dict[str, Any] = {"metrics": [], "golden": None, "files": {}}
        self.today = {
            "training": environment.describe(environment.TRAINING),
            "export": environment.describe(environment.EXPORT),
        }
        self.same = self._environments()
        self._record()
        then = self.record.get("feature_code_digest", "")
        if feature_code and feature_code != then:
            self.note("feature code", then, feature_code)

    def note(self, what: str, recorded: Any, found: Any, *, fatal: bool = False) -> None:
        """Something is another than on record; `fatal` when it means that nothing was reproduced."""
        self.differences.append({"what": what, "recorded": recorded, "found": found})
        if fatal:
            self.differs.append(what)

    def _environments(self) -> bool:
        """Whether everything that computes is of the recorded version; each difference is noted."""
        same = True
        recorded = self.recorded.manifest["environment"]
        for stage, now in self.today.items():
            then = recorded.get(stage, {})
            for name in sorted(set(then) | set(now)):
                if then.get(name) == now.get(name):
                    continue
                self.note(f"{stage} environment: {name}", then.get(name), now.get(name))
                same = same and name not in (*_RUNTIME, *_packages(stage))
        return same

    def _record(self) -> None:
        """The record must be the signed one."""
        manifest, record = self.recorded.manifest, self.record
        for name in _TWICE:
            if manifest.get(name) != record.get(name):
                self.note(f"record: {name}", manifest.get(name), record.get(name), fatal=True)
        for name in ("features", "threshold"):
            if manifest[name] != record["serving"][name]:
                self.note(f"record: {name}", manifest[name], record["serving"][name], fatal=True)
        signed, now = manifest.get("record_sha256", ""), record_digest(record)
        if signed != now:
            self.note("record: digest", signed, now, fatal=True)

    def dataset(self, get: Get) -> dict[str, Rows] | None:
        """The splits of the frozen dataset; None when it is not the one that the record names."""
        try:
            opened = Dataset.of(get, str(self.record["dataset_id"]), use_case_of(self.record))
            if opened.digest != self.record["dataset_digest"]:
                self.note(
                    "dataset: manifest", self.record["dataset_digest"], opened.digest, fatal=True
                )
                return None
            return {name: opened.split(name) for name in SPLITS}
        except (DigestMismatchError, ContractError) as error:
            self.note("dataset", "the frozen files", error.detail, fatal=True)
        except CountersignError as error:
            self.note(
                "dataset", "the frozen files", f"{type(error).__name__}: {error.detail}", fatal=True
            )
        return None

    def compare(self, splits: Mapping[str, Rows], progress: Rounds | None) -> None:
        """Train, export and judge as recorded; hold everything against the record."""
        use_case = use_case_of(self.record)
        trained = train(use_case, splits, progress=progress)
        onnx = export.to_onnx(trained.files[FILE])
        versions = json.loads(self.recorded.files["serving.json"]).get("versions", {})
        session = ModelSession("retrained", onnx, {**trained.serving, "versions": versions})
        self._golden(session)
        self._files(trained, onnx)
        verdict = judge(
            use_case,
            session,
            self.recorded.manifest,
            valid=splits["valid"],
            test=splits["test"],
            created_at=str(self.record["created_at"]),
        )
        self._metrics(verdict.metrics)
        self._decision(trained)

    def _golden(self, session: ModelSession) -> None:
        """The recorded vectors, scored by the recorded model and by the retrained one as they are served."""
        files = self.recorded.files
        rows, _ = golden_vectors(files["golden.npz"])
        before = ModelSession("recorded", files["model.onnx"], json.loads(files["serving.json"]))
        then, now = before.score_many(rows), session.score_many(rows)
        largest = float(np.abs(now - then).max())
        equal = bool(np.array_equal(then, now))
        moved = int((np.abs(now - then) > 0).reshape(len(rows), -1).any(axis=1).sum())
        self.found["golden"] = {
            "vectors": len(rows),
            "bit_equal": equal,
            "vectors_that_moved": moved,
            "max_abs_difference": largest,
        }
        if not equal:
            told = f"{moved} of {len(rows)} vectors moved, by {largest:.3g} at most"
            broke = self.same or not largest <= SCORES_WITHIN
            self.note("golden scores", "equal scores", told, fatal=broke)

    def _files(self, trained: Trained, onnx: bytes) -> None:
        """Which artifacts are the same to the byte: the strongest proof, and no condition."""
        now = {**trained.files, "model.onnx": onnx}
        for name, content in sorted(now.items()):
            then = self.recorded.manifest["files"].get(name, {}).get("sha256")
            self.found["files"][name] = hashlib.sha256(content).hexdigest() == then

    def _metrics(self, now: Mapping[str, float | None]) -> None:
        then = {name: m["value"] for name, m in self.recorded.evaluation["metrics"].items()}
        for name in sorted(set(then) | set(now)):
            if name in NOT_COMPARED:
                continue
            pair = then.get(name), now.get(name)
            self.found["metrics"].append({"metric": name, "recorded": pair[0], "found": pair[1]})
            if pair[0] != pair[1]:
                self.note(f"metric: {name}", *pair, fatal=self.same or not _near(*pair))

    def _decision(self, trained: Trained) -> None:
        """Threshold, fills, rules: what stands beside the model in `serving.json`."""
        then = json.loads(self.recorded.files["serving.json"])
        now = json.loads(json.dumps(trained.serving))
        for name in sorted(set(then) | set(now) - {"versions"}):
            if name == "versions" or then.get(name) == now.get(name):
                continue
            numbers = isinstance(then.get(name), float) and isinstance(now.get(name), float)
            near = numbers and _near(then[name], now[name])
            self.note(
                f"serving: {name}", then.get(name), now.get(name), fatal=self.same or not near
            )

    def document(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "schema": 1,
            **{n: self.record[n] for n in ("use_case", "run_id", "dataset_id", "dataset_digest")},
            "equal": not self.differs,
            "differs": list(dict.fromkeys(self.differs)),
            "environment": {
                "same": self.same,
                "recorded": self.recorded.manifest["environment"],
                "found": self.today,
            },
            "tolerance": {
                "scores": 0.0 if self.same else SCORES_WITHIN,
                "metrics": 0.0 if self.same else METRICS_WITHIN,
            },
            **self.found,
            "differences": self.differences,
        }


def _packages(stage: str) -> tuple[str, ...]:
    return environment.TRAINING if stage == "training" else environment.EXPORT


def _near(then: float | None, now: float | None) -> bool:
    return then is not None and now is not None and abs(now - then) <= METRICS_WITHIN
