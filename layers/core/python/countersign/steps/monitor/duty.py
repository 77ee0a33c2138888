"""The daily checks: freshness of what was read, volume, and performance from outcomes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from countersign import use_cases
from countersign.aws.raised import raise_once
from countersign.aws.refusals import Refusals
from countersign.aws.stores import Stores
from countersign.aws.telemetry import emit
from countersign.clock import iso
from countersign.declare import UseCase
from countersign.errors import NotFoundError
from countersign.monitoring.class_performance import judge_class_performance
from countersign.monitoring.freshness import judge_freshness
from countersign.monitoring.performance import judge_performance
from countersign.monitoring.volume import judge_volume
from countersign.steps.monitor import archive, period
from countersign.steps.monitor.psi import champion

COMPARABLE_WEEKS = 4
WINDOW = timedelta(days=30)
MOST_LISTED = 8
FRESHNESS = ("verdict", "reason", "n", "refused_requests", "compliance")
WATCHED = ("recall", "precision", "f1", "false_positive_rate")
# What is answered is the recommendation, so that is what an outcome judges.
WATCHED_OF_CLASSES = {"accuracy": "strategy_accuracy"}


def freshness(stores: Stores, day: str) -> dict[str, Any]:
    """Were the features that the day's requests read younger than promised? For every production model.

    A request that was refused for a stale feature counts as a read that was not fresh.
    """
    when = period.day_or_yesterday(day, stores.clock.now())
    results = {name: _freshness_of(stores, name, when) for name, _ in stores.registry.production()}
    verdicts = [result["verdict"] for result in results.values()]
    return {
        "day": when.isoformat(),
        "verdict": "alert" if "alert" in verdicts else "normal",
        "results": {
            name: {key: result[key] for key in FRESHNESS} for name, result in results.items()
        },
    }


def _freshness_of(stores: Stores, name: str, when: date) -> dict[str, Any]:
    ages: dict[str, list[float]] = defaultdict(list)
    start = datetime.combine(when, time(), tzinfo=UTC)
    for logged in stores.predictions.between(name, iso(start), iso(start + timedelta(days=1))):
        for read, age in logged.feature_ages.items():
            ages[read].append(float(age))
    refused = Refusals.of(stores).of_day(name, when.isoformat())
    judged = judge_freshness(ages, slas(use_cases.get(name)), refused=refused.features)
    result = {**judged, "refused_requests": refused.requests}
    stores.lake.write_json(f"reports/{name}/freshness/{when}.json", result)
    emit(
        {"use_case": name},
        {
            "Freshness": result["compliance"]["value"],
            "StaleRefusals": float(refused.requests),
        },
    )
    if result["verdict"] == "alert":
        raise_once(
            stores,
            use_case=name,
            kind="freshness",
            key=when.isoformat(),
            subject=f"Stale features in {name}, {when}",
            severity="high",
            what=f"{name} on {when}: {result['reason']}.",
            facts={
                "n": result["n"],
                "compliance": result["compliance"]["value"],
                "refused requests": result["refused_requests"],
                "least fresh": least_fresh(result["by_name"]),
            },
            to_do="See which source is late and run the features machine once it has delivered. "
            "Scoring refuses stale critical features by itself.",
            runbook="docs/runbooks/freshness.md",
        )
    return result


def least_fresh(by_name: Mapping[str, Any]) -> dict[str, float]:
    """The share that was fresh of the features that were so least often."""
    worst = sorted(by_name, key=lambda name: float(by_name[name]["value"]))[:MOST_LISTED]
    return {name: by_name[name]["value"] for name in worst if by_name[name]["value"] < 1}


def slas(use_case: UseCase) -> dict[str, float]:
    """Oldest age in seconds by feature, and by view: that of its strictest feature."""
    found: dict[str, float] = {}
    for view in use_case.views:
        seconds = {feature.name: feature.sla.total_seconds() for feature in view.features}
        found |= {**seconds, view.name: min(seconds.values())}
    return found


def volume(stores: Stores, use_case: str, day: str) -> dict[str, Any]:
    """Hold a day's predictions against the same weekday of the four weeks before."""
    when = period.day_or_yesterday(day, stores.clock.now())
    counts = [
        len(archive.keys_of(stores.lake, use_case, [when - timedelta(weeks=n)]))
        for n in range(COMPARABLE_WEEKS + 1)
    ]
    result = judge_volume(counts[0], [count for count in counts[1:] if count])
    stores.lake.write_json(f"reports/{use_case}/volume/{when}.json", result)
    emit({"use_case": use_case}, {"Predictions": float(counts[0])})
    if result["verdict"] == "alert":
        raise_once(
            stores,
            use_case=use_case,
            kind="volume",
            key=when.isoformat(),
            subject=f"Unusual number of predictions in {use_case}, {when}",
            severity="medium",
            what=f"{use_case} on {when}: {result['reason']}.",
            facts={name: result[name] for name in ("observed", "expected", "change", "p", "days")},
            to_do="Ask the client applications whether a payroll moved; look for failed calls.",
            runbook="docs/runbooks/volume.md",
        )
    return {"use_case": use_case, "day": when.isoformat(), **result}


def performance(stores: Stores, use_case: str, version: str, day: str) -> dict[str, Any]:
    """The last 30 days of this version's decisions of which the outcomes have had time to come in."""
    when = period.day_or_yesterday(day, stores.clock.now())
    version = version or champion(stores, use_case)
    ripe = when - _maturity(stores, use_case)
    days = [ripe - timedelta(days=n) for n in range(WINDOW.days)]
    rows = archive.read(stores.lake, archive.keys_of(stores.lake, use_case, days))
    result = {"version": version, **_judged(stores, use_case, version, rows)}
    stores.lake.write_json(f"reports/{use_case}/performance/{when}.json", result)
    metrics = {name: result["metrics"][name]["value"] for name in watched(use_case)}
    recorded = {
        f"current_{name}": metrics[name]
        for name in ("recall", "false_positive_rate", "accuracy")
        if name in metrics
    }
    stores.registry.record_monitoring(use_case, version, recorded)
    emit({"use_case": use_case}, {f"{k}_30d": v for k, v in metrics.items()})
    if result["verdict"] == "alert":
        _tell_of_fall(stores, use_case, when, result)
    return {
        "use_case": use_case,
        "version": version,
        "day": when.isoformat(),
        **{name: result[name] for name in ("verdict", "reason", "labelled", "positives")},
        "metrics": metrics,
    }


def _maturity(stores: Stores, use_case: str) -> timedelta:
    """How long a label takes to be known, in this environment's time."""
    return use_cases.get(use_case).label.matures * stores.settings.time_scale


def _judged(stores: Stores, use_case: str, version: str, rows: archive.Rows) -> dict[str, Any]:
    classes = use_cases.get(use_case).label.classes
    if not rows.count:
        return (
            judge_class_performance([], [], classes) if classes else judge_performance([], [], [])
        )
    own = rows.facts["version"] == version
    at, now = rows.facts["at"][own], stores.clock.now().timestamp()
    matures = _maturity(stores, use_case).total_seconds()
    if classes:
        return judge_class_performance(
            rows.facts["decision"][own].tolist(),
            rows.facts["outcome_class"][own].tolist(),
            classes,
            mature=at + matures <= now,
            expected=evaluated(stores, use_case, version),
        )
    return judge_performance(
        rows.facts["decision"][own] == "review",
        rows.facts["score"][own],
        rows.facts["outcome"][own],
        mature=at + matures <= now,
        expected=evaluated(stores, use_case, version),
    )


def evaluated(stores: Stores, use_case: str, version: str) -> dict[str, float | None]:
    """What evaluation found of the watched metrics; empty when it left no record."""
    try:
        document = stores.artifacts.read_json(f"{use_case}/{version}/evaluation.json")
    except NotFoundError:
        return {}
    metrics = document["metrics"]
    return {
        name: metrics[then]["value"] for name, then in watched(use_case).items() if then in metrics
    }


def watched(use_case: str) -> Mapping[str, str]:
    """The metrics that may not fall, each with its name in `evaluation.json`."""
    classes = use_cases.get(use_case).label.classes
    return WATCHED_OF_CLASSES if classes else dict(zip(WATCHED, WATCHED, strict=True))


def _tell_of_fall(stores: Stores, use_case: str, when: date, result: dict[str, Any]) -> None:
    raise_once(
        stores,
        use_case=use_case,
        kind="performance",
        key=f"{period.week_of(when)}#{result['version']}#{'+'.join(result['fallen'])}",
        subject=f"Performance of {use_case} {result['version']} fell, {when}",
        severity="high",
        what=f"{use_case} {result['version']}: {result['reason']}.",
        facts={
            "labelled": result["labelled"],
            "positives": result["positives"],
            **{name: result["metrics"][name] for name in result["fallen"]},
        },
        to_do="Start a shadow of the best challenger; if it holds, an experiment; or roll back.",
        runbook="docs/runbooks/performance.md",
    )
