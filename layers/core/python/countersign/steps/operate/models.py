"""Models, versions and what differs between two."""

from __future__ import annotations

from typing import Any

from countersign import use_cases
from countersign.aws import registry_files
from countersign.aws.stores import Stores
from countersign.clock import iso, parse_iso
from countersign.errors import FieldError, RequestError
from countersign.governance import deployments
from countersign.governance.comparison import differences, side_by_side
from countersign.governance.documentation import completeness
from countersign.governance.evidence import changes
from countersign.governance.registry_record import registry_record
from countersign.governance.versions import Version
from countersign.http import HttpRequest, HttpResponse
from countersign.learning.sagemaker_card import sagemaker_card

LATEST = 50


def listing(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/models: every declared use case and what serves it."""
    models = []
    for name, use_case in use_cases.all_use_cases().items():
        pointer = stores.registry.pointer(name)
        champion = pointer["champion"]
        models.append(
            {
                "use_case": name,
                "title": use_case.title,
                "owner": use_case.owner,
                "champion": champion["version"] if champion else None,
                "digest": champion["digest"] if champion else None,
                "epoch": pointer["epoch"],
                "kill_switch": pointer["kill_switch"],
                "rollout": pointer["rollout"]["version"] if pointer["rollout"] else None,
                "versions": len(stores.registry.versions(name)),
            }
        )
    return HttpResponse(200, {"models": models})


def one(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET /v1/models/{use_case}: pointer, versions and the deployment ledger's newest rows.

    With `?at=<ISO-8601>` also which version was in production then.
    """
    use_case = use_cases.get(request.path_params["use_case"])
    document: dict[str, Any] = {
        "use_case": use_case.name,
        "title": use_case.title,
        "owner": use_case.owner,
        "pointer": dict(stores.registry.pointer(use_case.name)),
        "versions": [summary(v) for v in stores.registry.versions(use_case.name)],
        "ledger": [row_of(r) for r in stores.registry.ledger(use_case.name)[-LATEST:]],
    }
    if "at" in request.query:
        document["at"] = request.query["at"]
        document["champion_at"] = stores.registry.champion_history(
            use_case.name, moment(request.query["at"])
        )
    return HttpResponse(200, document)


def version(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET …/versions/{version}: the whole record; `record` has it as requirement D1 lays it out.

    `documentation` says how whole it is documented, `not_whole` what its stored record lacks.
    """
    use_case = use_cases.get(request.path_params["use_case"])
    found = stores.registry.version(use_case.name, request.path_params["version"])
    documented = completeness(found.record, registry_files.names(stores, found.record))
    return HttpResponse(
        200,
        {
            **found.as_dict(),
            "record": laid_out(stores, found),
            "report_key": found.record.eval_report_key,
            "documentation": documented,
            "not_documented": documented["missing"],
            "not_whole": stores.registry.record_problems(use_case.name, found.version),
        },
    )


def at(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET …/at?date=: what was in production then, and everything that served on that day.

    A date is a whole day in UTC, a timestamp a moment. Cohorts of a rollout, rollbacks and the kill
    switch are part of the answer. Raises RequestError for what is no date, or has not happened yet.
    """
    use_case = use_cases.get(request.path_params["use_case"])
    asked = request.query.get("date", "")
    start, end = deployments.period(asked, stores.clock.now())
    found = deployments.in_production(stores.registry.ledger(use_case.name), start, end)
    cohorts = list(use_case.rollout.cohorts)
    head = {
        "use_case": use_case.name,
        "asked": asked,
        "cohort_column": use_case.rollout.cohort_column,
    }
    return HttpResponse(200, {**head, "cohorts": cohorts, **found})


def card(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET …/versions/{version}/card: the model card in Markdown, and as SageMaker's model card JSON."""
    use_case = use_cases.get(request.path_params["use_case"])
    found = stores.registry.version(use_case.name, request.path_params["version"])
    folder = f"{use_case.name}/{found.version}"
    evaluation = stores.artifacts.read_json(f"{folder}/evaluation.json")
    return HttpResponse(
        200,
        {
            "use_case": use_case.name,
            "version": found.version,
            "markdown": stores.artifacts.get(f"{folder}/card.md").decode(),
            "sagemaker": sagemaker_card(use_case, laid_out(stores, found), evaluation),
        },
    )


def compare(request: HttpRequest, stores: Stores) -> HttpResponse:
    """GET …/compare?version=&with=: what changed and how the metrics moved, with their intervals.

    Without `version` the newest, without `with` the champion. `apart` is true where the intervals do
    not overlap: then the difference is more than chance.
    """
    name = use_cases.get(request.path_params["use_case"]).name
    every = stores.registry.versions(name)
    champion = stores.registry.pointer(name)["champion"]
    mine = request.query.get("version") or (every[-1].version if every else "")
    other = request.query.get("with") or (champion["version"] if champion else "")
    if not mine or not other:
        wanted = FieldError("with" if mine else "version", "a version; there is no champion yet")
        raise RequestError("Two versions are needed to compare", errors=[wanted])
    left = stores.registry.version(name, mine).record
    right = stores.registry.version(name, other).record
    return HttpResponse(
        200,
        {
            "use_case": name,
            "version": mine,
            "with": other,
            "changes": changes(left, right),
            "metrics": side_by_side(left, right),
            **differences(left, right),
        },
    )


def laid_out(stores: Stores, found: Version) -> dict[str, Any]:
    """The record as requirement D1 lays it out."""
    return registry_record(found, models_bucket=stores.settings.require("models_bucket"))


def summary(found: Version) -> dict[str, Any]:
    """A version in a line."""
    record = found.record
    return {
        "version": record.version,
        "stage": found.stage,
        "digest": record.digest,
        "model_type": record.model_type,
        "training_date": record.training_date,
        "gates_passed": record.gates_passed,
        "fairness_audit": record.fairness_audit,
        "quarantined": found.quarantined,
        "synthetic": record.synthetic,
        "registered_at": found.registered_at,
        "deployed_at": found.deployed_at,
        "why": record.why,
        "deleted_at": found.deleted_at,
    }


def row_of(row: dict[str, Any]) -> dict[str, Any]:
    """A deployment record without the table's keys."""
    return {k: v for k, v in row.items() if k not in ("pk", "sk", "change_id")}


def moment(text: str) -> str:
    """A moment as it is stored. Raises DataError for what is none."""
    return iso(parse_iso(text))
