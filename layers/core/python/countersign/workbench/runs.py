"""Run folders as records: what was trained, how, with what outcome; listed, shown and compared."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from countersign.errors import NotFoundError, RequestError

RUN = "run.json"
FIGURES = ("auc", "average_precision", "precision", "recall", "f1", "accuracy", "macro_f1")
# Below this relative difference two figures are the same.
_SAME = 1e-12


def describe_run(
    folder: Path,
    *,
    record: Mapping[str, Any],
    document: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """The record of a run: parameters, metrics, gates, artifacts with digests. `facts`: what the desk knows."""
    common = _common(record, document)
    return {
        **common,
        "dataset": {**facts.get("dataset", {}), **common["dataset"]},
        "seconds": facts.get("seconds", {}),
        "artifacts": digests(folder),
    }


def _common(record: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """What `training.json` and `evaluation.json` say, wherever a run was made."""
    settings = _flat(record["hyperparameters"])
    return {
        "schema": 1,
        "run_id": record["run_id"],
        "use_case": record["use_case"],
        "created_at": record["created_at"],
        "model": record["trainer"],
        "seed": record["seed"],
        "passed": document["passed"],
        "failed": failed_gates(document),
        "dataset": {
            "dataset_id": record["dataset_id"],
            "dataset_digest": record["dataset_digest"],
            "synthetic": record["synthetic"],
        },
        "split": record["split"],
        "parameters": {"model": record["trainer"], "seed": record["seed"], **settings},
        "found": record["found"],
        "threshold": record["serving"]["threshold"],
        "metrics": document["metrics"],
        "gates": document["gates"],
        "search": record.get("search"),
        "environment": record["environment"],
    }


def failed_gates(document: Mapping[str, Any]) -> list[str]:
    """The gates that did not hold, and `fairness` where a group fails."""
    failed = [gate["metric"] for gate in document["gates"] if not gate["passed"]]
    return failed + (["fairness"] if document["fairness"]["verdict"] == "FAIL" else [])


def digests(folder: Path) -> dict[str, Any]:
    """{file: {sha256, bytes}} of every file of a run but its own record."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != RUN:
            content = path.read_bytes()
            name = path.relative_to(folder).as_posix()
            found[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return found


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings of ensembles by dotted name."""
    made: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            made |= _flat(value, f"{prefix}{name}.")
        else:
            made[f"{prefix}{name}"] = value
    return made


def read_run(folder: Path) -> dict[str, Any]:
    """The record of a run folder. Raises NotFoundError when it is none."""
    try:
        found = json.loads((folder / RUN).read_text())
    except (OSError, ValueError) as error:
        raise NotFoundError(f"{folder} is no run folder: it has no readable {RUN}") from error
    if not isinstance(found, dict) or "run_id" not in found or "metrics" not in found:
        raise NotFoundError(f"{folder} is no run folder: its {RUN} is of something else")
    return found


def find_runs(runs: Path) -> list[dict[str, Any]]:
    """Every whole run directly below `runs`, oldest first; folders of other things are passed over."""
    made = []
    for path in sorted(runs.glob(f"*/{RUN}")):
        if path.parent.name.startswith("."):
            continue
        try:
            made.append({**read_run(path.parent), "folder": str(path.parent)})
        except NotFoundError:
            continue
    return sorted(made, key=lambda run: (run["created_at"], run["run_id"]))


def find_run(name: str, runs: Path, more: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The run of a folder, a run id, or the beginning of one.

    `more`: runs that lie elsewhere. Raises NotFoundError, and RequestError when several begin so.
    """
    for folder in (Path(name), runs / name):
        if (folder / RUN).is_file():
            return {**read_run(folder), "folder": str(folder)}
    every = [*find_runs(runs), *more]
    found = [run for run in every if run["run_id"] == name] or [
        run for run in every if run["run_id"].startswith(name)
    ]
    if not found:
        raise NotFoundError(f"No run {name!r} in {runs}; `countersign experiments list` shows them")
    if len(found) > 1:
        raise RequestError(f"{len(found)} runs begin with {name!r}; say more of its id")
    return dict(found[0])


def compare(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Runs side by side: `{runs: [ids], parameters|metrics|facts: [{name, values, differs, best?}]}`.

    `best` is the place of the best value where more (or less) of the figure is better.
    """
    return {
        "runs": [run["run_id"] for run in runs],
        "facts": [
            _row(name, [_get(run, path) for run in runs])
            for name, path in {
                "use case": ("use_case",), "dataset": ("dataset", "dataset_digest"),
                "passed": ("passed",), "threshold": ("threshold",),
            }.items()
        ],
        "parameters": [
            _row(name, [run["parameters"].get(name) for run in runs])
            for name in _names(run["parameters"] for run in runs)
        ],
        "metrics": [
            _row(name, [_get(run, ("metrics", name, "value")) for run in runs], name)
            for name in _names(run["metrics"] for run in runs)
        ],
    }  # fmt: skip


LESS_IS_BETTER = {
    "false_positive_rate", "brier", "cost", "log_loss", "score_psi", "latency_p95_ms",
}  # fmt: skip
NEITHER = {"selection_rate"}


def _row(name: str, values: list[Any], metric: str = "") -> dict[str, Any]:
    differs = any(not _same(values[0], value) for value in values[1:])
    row = {"name": name, "values": values, "differs": differs}
    known = [(value, n) for n, value in enumerate(values) if isinstance(value, int | float)]
    if metric and metric not in NEITHER and differs and len(known) == len(values):
        row["best"] = (min(known) if metric in LESS_IS_BETTER else max(known))[1]
    return row


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, rel_tol=_SAME, abs_tol=_SAME)
    return bool(first == second)


def _names(mappings: Any) -> list[str]:
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def _get(run: Mapping[str, Any], path: Sequence[str]) -> Any:
    found: Any = run
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def describe_machine_run(record: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """A run of the machine in the shape of a run at a desk; its artifacts by digest, sizes unknown."""
    return {
        **_common(record, document),
        "seconds": {"train": record["seconds"]},
        "artifacts": {n: {"sha256": digest, "bytes": 0} for n, digest in record["files"].items()},
    }
