"""`countersign models reproduce`: train a version again from its record, and say whether it is the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from countersign import use_cases
from countersign.aws.lake import Lake
from countersign.cli import printing
from countersign.cli.deployment import Deployment, Identity, Output
from countersign.errors import ArtifactError, DigestMismatchError, NotFoundError

NEEDED = ("model.onnx", "serving.json", "golden.npz")


def reproduce(
    use_case: Annotated[str, typer.Argument(help="Such as payroll_anomaly.")],
    version: Annotated[str, typer.Argument(help="Such as 1.2.0.")],
    identity: Identity = "data-scientist",
    output: Output = "table",
) -> None:
    """Train a version again here, from its record and frozen dataset; exit 1 when it is not the same."""
    from countersign.learning import reproduction

    deployed = Deployment.signed_as(identity)
    path = f"/v1/models/{quote(use_case, safe='')}/versions/{quote(version, safe='')}"
    registered = deployed.call("GET", path)
    recorded = on_record(deployed, registered)
    with printing.progress() as bars:
        bar = bars.add_task(f"Training {use_case} {version} again", total=None)
        found = reproduction.reproduce(
            recorded,
            deployed.lake().get,
            feature_code=code_of_today(use_case),
            progress=lambda done, rounds: bars.update(bar, completed=done, total=rounds),
        )
    report = {"version": version, "digest": registered["digest"], **found}
    if output == "json":
        printing.document(report)
    else:
        show(report)
    if not report["equal"]:
        raise typer.Exit(1)


def on_record(deployed: Deployment, registered: Mapping[str, Any]) -> Any:
    """Everything that is kept of a version, each file held against the registry or the signed manifest.

    Raises DigestMismatchError or ArtifactError for what cannot be trusted.
    """
    from countersign.learning.reproduction import Recorded

    folder = f"{registered['use_case']}/{registered['version']}"
    models = Lake(deployed.client("s3"), deployed.cloud.outputs["buckets"]["models"])
    body = models.get(f"{folder}/manifest.json")
    if hashlib.sha256(body).hexdigest() != registered["digest"]:
        raise DigestMismatchError(f"The manifest in {folder} is not the one that was registered")
    manifest = json.loads(body)
    try:
        record = models.read_json(f"{folder}/training.json")
    except NotFoundError:
        raise ArtifactError(
            f"{folder} has no training.json: nothing says how to train it"
        ) from None
    return Recorded(
        manifest=manifest,
        record=record,
        evaluation=judged(models, folder, registered),
        files={name: signed(models, folder, name, manifest) for name in NEEDED},
    )


def signed(models: Lake, folder: str, name: str, manifest: Mapping[str, Any]) -> bytes:
    """A file of the version, as the manifest has it. Raises DigestMismatchError."""
    content = models.get(f"{folder}/{name}")
    if hashlib.sha256(content).hexdigest() != manifest["files"].get(name, {}).get("sha256"):
        raise DigestMismatchError(f"{folder}/{name} differs from its recorded digest")
    return content


def judged(models: Lake, folder: str, registered: Mapping[str, Any]) -> Any:
    """The evaluation that was registered. Raises DigestMismatchError for another."""
    from countersign.governance.versions import canonical

    document = models.read_json(f"{folder}/evaluation.json")
    if hashlib.sha256(canonical(document).encode()).hexdigest() != registered["evaluation_digest"]:
        raise DigestMismatchError(f"{folder}/evaluation.json is not the one that was registered")
    return document


def code_of_today(use_case: str) -> str:
    """The digest of the feature code that this checkout would compute the inputs with; empty when it has none."""
    from countersign.features.definition import code_digest

    try:
        return code_digest(use_cases.get(use_case))
    except NotFoundError:
        return ""


def show(report: Mapping[str, Any]) -> None:
    """The report for a person: the verdict, the metrics, and what is another."""
    named = f"{report['use_case']} {report['version']}"
    if report["equal"]:
        printing.say(f"{named} was trained again and is the same", "bold green")
    else:
        printing.say(f"{named} was not reproduced: {', '.join(report['differs'])}", "bold red")
    same, within = report["environment"]["same"], report["tolerance"]
    told = (
        "the same: equality is to the bit"
        if same
        else f"another: scores within {within['scores']:g}, metrics within {within['metrics']:g}"
    )
    golden = report["golden"] or {}
    files = report["files"]
    printing.facts(
        [
            ("artifact", report["digest"]),
            ("run", report["run_id"]),
            ("dataset", report["dataset_id"]),
            ("environment", told),
            ("golden vectors", golden.get("vectors")),
            ("moved by at most", golden.get("max_abs_difference")),
            ("equal to the byte", [name for name, equal in files.items() if equal]),
            ("other bytes", [name for name, equal in files.items() if not equal]),
        ]
    )
    if report["metrics"]:
        printing.table(
            ("metric", "recorded", "now"),
            [(m["metric"], m["recorded"], m["found"]) for m in report["metrics"]],
            right=("recorded", "now"),
        )
    if report["differences"]:
        printing.table(
            ("what differs", "recorded", "now"),
            [(d["what"], d["recorded"], d["found"]) for d in report["differences"]],
        )
