"""A week's archived predictions against the baseline of the version in production."""

from __future__ import annotations

from typing import Any

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.aws.telemetry import emit
from countersign.clock import iso
from countersign.errors import NotFoundError
from countersign.monitoring import drift
from countersign.steps.monitor import archive, period
from countersign.steps.monitor.plan import report_key

ACTOR = "monitoring"
SUMMARY = (
    "status", "reason", "n", "m", "worst_feature", "psi_max", "score_psi", "drifted", "watched",
    "drift_share", "dataset_drift", "score_shift_over_3_std",
)  # fmt: skip


def run(stores: Stores, use_case: str, version: str, week: str) -> dict[str, Any]:
    """Judge a week and record it. The same predictions against the same baseline are judged once."""
    now = stores.clock.now()
    version = version or champion(stores, use_case)
    week = week or period.week_of(now.date())
    key = report_key(use_case, week)
    keys = archive.keys_of(stores.lake, use_case, period.days_of(week))
    inputs = {
        "predictions": len(keys),
        "digest": archive.digest_of(keys, version),
        "baseline_key": f"baselines/{use_case}/{version}.json",
    }
    complete = period.is_over(week, now)
    standing = stores.lake.read_json(key) if stores.lake.exists(key) else {}
    if (standing.get("inputs"), standing.get("complete")) == (inputs, complete):
        return summary(standing, key, repeated=True)
    days = period.days_of(week)
    document = {
        "schema": 1,
        "kind": "drift",
        "use_case": use_case,
        "version": version,
        "week": week,
        "from": days[0].isoformat(),
        "to": days[-1].isoformat(),
        "complete": complete,
        "computed_at": iso(now),
        "inputs": inputs,
        **judge(stores, use_case, version, keys),
    }
    stores.lake.write_json(key, document)
    record(stores, document)
    return summary(document, key, repeated=False)


def champion(stores: Stores, use_case: str) -> str:
    """The version in production. Raises NotFoundError when there is none."""
    standing = stores.registry.pointer(use_case)["champion"]
    if standing is None:
        raise NotFoundError(f"{use_case} has no version in production to check")
    return standing["version"]


def judge(stores: Stores, use_case: str, version: str, keys: list[str]) -> dict[str, Any]:
    """The comparison; "insufficient data" with the reason when there is no baseline to hold it against."""
    baseline = baseline_of(stores, use_case, version)
    rows = archive.read(stores.lake, keys)
    if baseline is None:
        return unjudged(f"no baseline is stored for {version}", rows.count)
    policy = use_cases.get(use_case).drift
    return drift.compare(baseline, rows.features, rows.scores_of(version), policy=policy)


def baseline_of(stores: Stores, use_case: str, version: str) -> dict[str, Any] | None:
    """The baseline frozen with the version: its copy in the lake, else the signed original."""
    try:
        found: dict[str, Any] = stores.lake.read_json(f"baselines/{use_case}/{version}.json")
    except NotFoundError:
        try:
            found = stores.artifacts.read_json(f"{use_case}/{version}/baseline.json")
        except NotFoundError:
            return None
    return found


def unjudged(reason: str, n: int) -> dict[str, Any]:
    """A record for a week that could not be judged."""
    empty: dict[str, Any] = {
        "status": "insufficient data", "reason": reason, "n": n, "m": 0, "features": [],
        "score": None, "drifted": [], "watched": [], "drift_share": 0.0, "dataset_drift": False,
        "psi_max": None, "worst_feature": None, "score_psi": None, "score_shift_std": None,
        "score_shift_over_3_std": False, "levels": None, "new_features": [],
    }  # fmt: skip
    return empty


def record(stores: Stores, document: dict[str, Any]) -> None:
    """The version's last check in the registry, one entry in the audit chain, one line of metrics."""
    use_case, version = document["use_case"], document["version"]
    stores.registry.record_monitoring(
        use_case, version, {"drift_detected": document["status"] == "alert"}
    )
    facts = {name: document[name] for name in ("week", "version", "status", "n", "drifted")}
    once = f"drift#{document['week']}#{document['inputs']['digest']}#{document['complete']}"
    stores.audit.append(use_case, "drift-checked", ACTOR, facts, once=once)
    emit(
        {"use_case": use_case},
        {
            "PsiMax": document["psi_max"],
            "ScorePsi": document["score_psi"],
            "DriftedFeatures": len(document["drifted"]),
            "CheckedPredictions": document["n"],
        },
    )


def summary(document: dict[str, Any], key: str, *, repeated: bool) -> dict[str, Any]:
    """The small facts that a state machine carries."""
    names = ("use_case", "version", "week", "complete", *SUMMARY)
    facts = {name: document[name] for name in names}
    return {**facts, "report_data_key": key, "repeated": repeated}
