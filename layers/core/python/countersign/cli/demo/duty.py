"""Steps `score`, `shadow`, `outcome`, `monitor` and `drift_alert`: a model on duty."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from countersign.cli.demo.learning import MODEL
from countersign.cli.demo.recorder import DemoError, Facts
from countersign.cli.demo.world import USE_CASE, World
from countersign.cli.payroll_generator.drafts import drafts
from countersign.use_cases import get

CLIENTS = 4
SCORED = 400
SHADOWED = 100
STALE = 424
USUAL_ERRORS = 0.02  # as in the delivered history: more of them would be a drift of its own


def score(world: World) -> Facts:
    """Score this month's draft payslips; an unknown worker and a malformed body are refused."""
    made = drafts_of(world, drift="none")
    world.drafts = made[: SCORED + SHADOWED]
    latencies = score_all(world, world.drafts[:SCORED])
    path = get(USE_CASE).api_path
    stranger = json.loads(json.dumps(made[0]["body"]))
    stranger["worker_id"] = "W-nobody"
    stranger["idempotency_key"] = "demo-stranger"
    world.api("scoring-client", "POST", path, stranger, expect=404)
    world.api("scoring-client", "POST", path, {"worker_id": 7}, expect=422)
    first = world.predictions[0]
    return {
        "scored": len(world.predictions),
        "review": sum(p["decision"] == "review" for p in world.predictions),
        "score": first["score"],
        "prediction_id": first["prediction_id"],
        "version": first["model"]["version"],
        "epoch": first["model"]["epoch"],
        "degraded": sum(bool(p["degraded"]) for p in world.predictions),
        "latency_ms": latencies,
        "refused_stale_424": world.stale,
        "unknown_worker": 404,
        "malformed": 422,
    }


def drafts_of(world: World, *, drift: str) -> list[dict[str, Any]]:
    """Draft payslips of the current month with their truth: [{body, label}]."""
    options = world.options
    made = drafts(
        seed=options.seed,
        workers=options.workers,
        months=options.months,
        as_of=world.as_of,
        anomalies=USUAL_ERRORS,
        drift=drift,
    )
    return [
        {"body": body, "label": int(truth["anomaly"])}
        for body, truth in zip(made.requests, made.truth, strict=True)
    ]


def score_all(world: World, items: Iterable[dict[str, Any]]) -> dict[str, float]:
    """Score every body with a few clients at once; returns latency percentiles in ms."""
    path = get(USE_CASE).api_path
    api = world.cloud.api("scoring-client")

    def one(item: dict[str, Any]) -> tuple[float, dict[str, Any] | None]:
        started = time.perf_counter()
        status, _, answer = api.request("POST", path, json=item["body"])
        if status == STALE:  # not paid for too long to be judged: refused, as it should be
            return (time.perf_counter() - started) * 1000, None
        if status != 200:
            raise DemoError(f"POST {path}: {status} {answer.get('detail', '')}")
        return (time.perf_counter() - started) * 1000, {**answer, "label": item["label"]}

    world.say("scoring")
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(one, items))
    world.predictions += [answer for _, answer in answers if answer is not None]
    world.stale += sum(answer is None for _, answer in answers)
    spent = sorted(ms for ms, _ in answers)
    return {
        "p50": round(statistics.median(spent), 2),
        "p99": round(spent[int(len(spent) * 0.99)], 2),
        "max": round(spent[-1], 2),
    }


def shadow(world: World) -> Facts:
    """Make the second version a shadow, score some more, and read its scores beside the answers."""
    challenger = world.versions[1]
    world.api("data-scientist", "POST", f"{MODEL}/shadows", {"version": challenger})
    before = len(world.predictions)
    score_all(world, world.drafts[SCORED:])
    answered = world.predictions[before:]

    def shadowed() -> list[dict[str, Any]] | None:
        logged = [
            world.api("auditor", "GET", f"/v1/predictions/{p['prediction_id']}") for p in answered
        ]
        return logged if all(challenger in entry["shadow_scores"] for entry in logged) else None

    logged = world.wait("the shadow to score every answer", shadowed)
    gaps = [abs(p["shadow_scores"][challenger]["score"] - p["score"]) for p in logged]
    return {
        "challenger": challenger,
        "shadowed": len(logged),
        "mean_absolute_difference": statistics.fmean(gaps),
        "share_over_0.1": sum(gap > 0.1 for gap in gaps) / len(gaps),
        "decisions_that_differ": sum(
            p["shadow_scores"][challenger]["decision"] != p["decision"] for p in logged
        ),
    }


def outcome(world: World) -> Facts:
    """Report what every scored payslip turned out to be; look at what the model had caught."""
    for start in range(0, len(world.predictions), 100):
        body = [
            {"prediction_id": p["prediction_id"], "label": p["label"], "known_at": world.now_iso()}
            for p in world.predictions[start : start + 100]
        ]
        world.api("operator", "POST", "/v1/outcomes", {"outcomes": body})
    wrong = [p for p in world.predictions if p["label"]]
    caught = sum(p["decision"] == "review" for p in wrong)
    return {
        "outcomes": len(world.predictions),
        "errors": len(wrong),
        "caught": caught,
        "recall": caught / len(wrong) if wrong else None,
    }


def monitor(world: World) -> Facts:
    """Wait for the archive, then do now what the weekly schedule does on Monday."""
    count = archived(world)
    facts = weekly_psi(world)
    return {"archived": count, **facts}


def drift_alert(world: World) -> Facts:
    """Score drifted payslips; the same schedule alerts, and proposes, and starts nothing."""
    inbox = world.subscribe()
    world.predictions.clear()
    score_all(world, drafts_of(world, drift="mixed")[: 2 * SCORED])
    archived(world)
    facts = weekly_psi(world)
    notice = world.wait("the notice", lambda: world.read_notice(inbox))
    proposals = world.api("data-scientist", "GET", f"{MODEL}/retraining")["triggers"]
    proposed = [t for t in proposals if t["trigger_type"] == "drift"]
    if not proposed:
        raise DemoError("Drift was alerted but no retraining was proposed")
    return {
        **facts,
        "notice": notice["Subject"],
        "proposed_retraining": proposed[0]["trigger_id"],
        "proposal_status": proposed[0]["status"],
    }


def archived(world: World) -> int:
    """Wait until every answer so far is in the archive; how many rows that is."""
    s3 = world.client("s3")
    pages = s3.get_paginator("list_objects_v2")
    wanted = {p["prediction_id"] for p in world.predictions}

    def there() -> int | None:
        found = {
            item["Key"].rsplit("/", 1)[-1].removesuffix(".parquet")
            for page in pages.paginate(
                Bucket=world.cloud.outputs["buckets"]["lake"],
                Prefix=f"predictions/use_case={USE_CASE}/",
            )
            for item in page.get("Contents", [])
        }
        return len(found) if wanted <= found else None

    return int(world.wait("the archive", there, seconds=120))


def weekly_psi(world: World) -> Facts:
    """Fire the weekly schedule's own target with its own input."""
    (arn,) = world.cloud.fire("weekly-psi")
    ended = world.execution(arn, seconds=120)
    result = ended.output["results"][0]
    report = world.save_report("lake", result["report_key"])
    return {
        "execution": arn,
        "status": result["status"],
        "psi": result["psi_max"],
        "worst_feature": result["worst_feature"],
        "score_psi": result["score_psi"],
        "report": report,
    }
