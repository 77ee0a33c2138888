"""Shadow experiments: designed before they start, concluded on record, never deciding by themselves."""

from __future__ import annotations

from typing import Any

from countersign import use_cases
from countersign.aws.stores import Stores
from countersign.errors import ConflictError, FieldError, NotFoundError, RequestError
from countersign.governance.experiment_policy import refuse_type, refuse_underpowered
from countersign.governance.pointer import Deployed
from countersign.governance.rollout import shadow_report
from countersign.http import HttpRequest, HttpResponse
from countersign.steps.operate.body import fields, repeat_key

DESIGN = {"base_rate": float, "expected_rate": float, "daily_volume": float, "days": int}


def listing(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/experiments: of every use case, newest first."""
    rows = [
        shown(row)
        for name in use_cases.all_use_cases()
        for row in stores.registry.items(f"model#{name}", "experiment#")
    ]
    rows.sort(key=lambda row: str(row["start_date"]), reverse=True)
    return HttpResponse(200, {"experiments": rows})


def start(request: HttpRequest, stores: Stores) -> HttpResponse:
    """POST /v1/experiments {use_case, test_type, challenger, …design}: refused unless it can tell."""
    asked = fields(request, {"use_case": str, "test_type": str, "challenger": str, **DESIGN})
    use_case = use_cases.get(asked["use_case"]).name
    refuse_type(use_cases.get(use_case), asked["test_type"])
    size = designed(asked)
    version = stores.registry.version(use_case, asked["challenger"])
    champion = stores.registry.pointer(use_case)["champion"]
    if champion is None:
        raise ConflictError("Nothing answers yet, so nothing can be shadowed")
    key, actor = repeat_key(request), request.caller.person
    candidate = Deployed(version=version.version, digest=version.digest)
    change_id = f"experiment#{key}"
    stores.registry.start_shadow(use_case, candidate, actor=actor, change_id=change_id)
    record: dict[str, Any] = {
        "test_id": f"{use_case}-{key}",
        "use_case": use_case,
        "model_a": champion["version"],
        "model_b": version.version,
        "test_type": "shadow",
        "start_date": stores.registry.now(),
        "end_date": "",
        "sample_size": size,
        "design": {name: asked[name] for name in DESIGN},
        "results": {},
        "decision": "",
        "started_by": actor,
    }
    stores.registry.put_once(f"model#{use_case}", f"experiment#{record['test_id']}", record)
    facts = {n: record[n] for n in ("test_id", "model_a", "model_b", "sample_size")}
    stores.audit.append(use_case, "experiment-started", actor, facts, once=change_id)
    return HttpResponse(201, record)


def designed(asked: dict[str, Any]) -> int:
    """The observations it takes. Raises RequestError when the plan cannot bring them."""
    from countersign.statistics.proportions import sample_size

    rates = (asked["base_rate"], asked["expected_rate"])
    if not all(0 < rate < 1 for rate in rates) or rates[0] == rates[1]:
        wrong = FieldError("expected_rate", "a share in (0, 1), other than base_rate")
        raise RequestError("Two different rates are needed", errors=[wrong])
    if asked["daily_volume"] <= 0 or asked["days"] <= 0:
        raise RequestError("A volume and a time are needed", errors=[FieldError("days", "> 0")])
    size = sample_size(*rates)
    refuse_underpowered(size, asked["daily_volume"], asked["days"])
    return size


def conclude(request: HttpRequest, stores: Stores) -> HttpResponse:
    """POST /v1/experiments/{id}/conclude {decision}: what was seen, on record; the shadow ends."""
    decision = fields(request, {"decision": str})["decision"]
    test_id, actor = request.path_params["id"], request.caller.person
    use_case = test_id.rpartition("-")[0]
    row = stores.registry.get(f"model#{use_case}", f"experiment#{test_id}")
    if row is None:
        raise NotFoundError(f"No experiment {test_id}")
    if row["end_date"]:
        raise ConflictError(f"{test_id} was concluded on {row['end_date']}: {row['decision']}")
    now = stores.registry.now()
    results = shadow_report(pairs(stores, use_case, row, now))
    stores.registry.stop_shadow(
        use_case, row["model_b"], actor=actor, change_id=f"conclude#{test_id}"
    )
    enough = results["n"] >= row["sample_size"]
    done = {**row, "end_date": now, "results": {**results, "powered": enough}, "decision": decision}
    stores.registry.put(f"model#{use_case}", f"experiment#{test_id}", done)
    facts = {"test_id": test_id, "decision": decision, "n": results["n"], "powered": enough}
    stores.audit.append(use_case, "experiment-concluded", actor, facts, once=f"conclude#{test_id}")
    return HttpResponse(200, shown(done))


def pairs(stores: Stores, use_case: str, row: dict[str, Any], now: str) -> list[dict[str, Any]]:
    """Each answer beside what the challenger would have said."""
    logged = stores.predictions.between(use_case, row["start_date"], now)
    return [
        {
            "score": p.score,
            "decision": p.decision,
            "shadow_score": said["score"],
            "shadow_decision": said.get("decision", ""),
        }
        for p in logged
        if (said := p.shadow_scores.get(row["model_b"])) and said.get("score") is not None
    ]


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """An experiment without the table's keys."""
    return {k: v for k, v in row.items() if k not in ("pk", "sk")}
