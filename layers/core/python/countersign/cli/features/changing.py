"""`countersign features plan|apply|materialize`: see a change of definitions, make it, fill the store."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from countersign import use_cases
from countersign.cli import printing
from countersign.cli.deployment import ApiError, Deployment, Identity, Output
from countersign.cli.features import names, planning
from countersign.cli.features.follow import follow
from countersign.cli.features.values import moment
from countersign.clock import iso
from countersign.declare import FeatureView
from countersign.errors import ConflictError
from countersign.features.catalogue import views_of

CHANGES = 3
MACHINE = "features"


def plan(
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 3 when there are changes.")
    ] = False,
    identity: Identity = "ml-engineer",
    output: Output = "table",
) -> None:
    """What the definitions of this checkout change of what is on record; nothing is done."""
    compared = planning.compare(Deployment.signed_as(identity))
    if output == "json":
        printing.document(compared.as_dict())
    else:
        planning.show(compared)
    if detailed_exitcode and not (compared.plan.empty and compared.deployed):
        raise typer.Exit(CHANGES)


def apply(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    identity: Identity = "ml-engineer",
    output: Output = "table",
) -> None:
    """Register the definitions of this checkout, recompute what they change, bring it online."""
    deployed = Deployment.signed_as(identity)
    compared = planning.compare(deployed)
    if output == "table":
        planning.show(compared)
    if not compared.deployed:
        views = f" ({', '.join(compared.differing)})" if compared.differing else ""
        raise ConflictError(
            f"The deployed functions are of other declarations{views}: deploy first"
        )
    if compared.plan.empty:
        if output == "json":
            printing.document({**compared.as_dict(), "applied": False, "result": None})
        return
    if not yes and not typer.confirm("Apply?", err=True):
        raise typer.Exit(1)
    result = run_machine(deployed)
    if output == "json":
        printing.document({**compared.as_dict(), "applied": True, "result": result})
    else:
        tell(result)


def materialize(
    view: names.OneView = "",
    full: Annotated[
        bool, typer.Option("--full", help="Every entity's value, not only what grew.")
    ] = False,
    as_of: Annotated[str, typer.Option(help="As known then; now when left out.")] = "",
    identity: Identity = "operator",
    output: Output = "table",
) -> None:
    """Bring the online store up to date. Alone it starts the features machine: ingest, build, write.

    With --view, --full or --as-of it writes from the history as it stands, bucket by bucket; that is the
    operator's. A write never replaces a newer value.
    """
    deployed = Deployment.signed_as(identity)
    if not (view or full or as_of):
        result = run_machine(deployed)
        if output == "json":
            printing.document(result)
        else:
            tell(result)
        return
    at = moment(as_of) if as_of else datetime.now(UTC)
    if at > datetime.now(UTC):
        raise typer.BadParameter("that moment lies in the future: nothing is known of it yet")
    served = views_of(use_cases.all_use_cases().values())
    chosen = [names.view(view)] if view else list(served.values())
    rows = _buckets(deployed, chosen, {"as_of": iso(at), "full": full})
    if output == "json":
        printing.document({"as_of": iso(at), "full": full, "views": rows})
        return
    printing.table(
        ("view", "written", "newer stood", "all until"),
        [
            (r["view"], r["written"], r["skipped_older"], printing.instant(r["watermark"]))
            for r in rows
        ],
        right=("written", "newer stood"),
    )


def run_machine(deployed: Deployment) -> dict[str, Any]:
    """Start the features machine and see it through."""
    arn = deployed.cloud.start_machine(MACHINE, {}, identity=deployed.signer)
    return {"execution": arn, **follow(deployed, arn)}


def tell(result: dict[str, Any]) -> None:
    """What an execution of the features machine did."""
    quality = result.get("quality") or {}
    ingested = result.get("ingested") or []
    alerts = quality.get("alerts") or []
    files = ", ".join(f"{count} {status}" for status, count in Counter(ingested).items())
    printing.facts(
        [
            ("as of", printing.instant(result.get("as_of"))),
            ("deliveries", files or "none waited"),
            ("quality", f"{len(alerts)} alerts" if alerts else "passed"),
            ("freshness", (result.get("freshness") or {}).get("verdict")),
            ("execution", result["execution"]),
        ]
    )
    for alert in alerts:
        printing.say(
            f"ALERT {alert if isinstance(alert, str) else alert.get('text', alert)}", "red"
        )


def _buckets(
    deployed: Deployment, views: list[FeatureView], request: dict[str, Any]
) -> list[dict[str, Any]]:
    """Invoke materialization for each bucket of each view; what was written by view."""
    function = deployed.cloud.outputs["functions"]["materialize"]
    invoker = deployed.client("lambda")
    found = []
    with printing.progress() as bars:
        for view in views:
            row: dict[str, Any] = {
                "view": view.name,
                "written": 0,
                "skipped_older": 0,
                "watermark": "",
            }
            for bucket in bars.track(range(view.entity.buckets), description=view.name):
                item = {"view": view.name, "bucket": bucket, "buckets": view.entity.buckets}
                made = _invoke(invoker, function, {**item, **request})
                row["written"] += made["written"]
                row["skipped_older"] += made["skipped_older"]
                row["watermark"] = max(row["watermark"], made["watermark"])
            found.append(row)
    return found


def _invoke(invoker: Any, function: str, payload: dict[str, Any]) -> dict[str, Any]:
    answer = invoker.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise ApiError(
            f"{payload['view']}, bucket {payload['bucket']}: {said.get('errorType', '')} "
            f"{said.get('errorMessage', '')}; run it again, it goes on where it stopped"
        )
    return said
