"""`list`, `show` and `card`: what is in production, and everything that is known of a version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from countersign.cli import printing
from countersign.cli.deployment import Identity, Output, call
from countersign.cli.models.asking import Number, UseCase, figure, interval, path, reasoned

LATEST = 10


def list_models(identity: Identity = "auditor", output: Output = "table") -> None:
    """Every model and what is in production."""
    answer = call(identity, "GET", "/v1/models")
    if output == "json":
        printing.document(answer)
        return
    columns = ("use_case", "champion", "rollout", "kill_switch", "epoch", "versions", "owner")
    rows = [[model.get(name) for name in columns] for model in answer["models"]]
    printing.table(columns, rows, right=("epoch", "versions"))


def show(
    use_case: UseCase,
    version: Annotated[str, typer.Argument(help="Such as 1.2.0; none: all of them.")] = "",
    identity: Identity = "auditor",
    output: Output = "table",
) -> None:
    """A model's pointer, versions and latest deployments, or one version's whole record."""
    answer = call(identity, "GET", path(use_case, *(("versions", version) if version else ())))
    if output == "json":
        printing.document(answer)
    elif version:
        show_version(answer)
    else:
        show_model(answer)


def card(
    use_case: UseCase,
    version: Number,
    form: Annotated[
        Literal["markdown", "sagemaker"],
        typer.Option("--format", help="For people, or the JSON that SageMaker's model cards take."),
    ] = "markdown",
    to: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
    identity: Identity = "auditor",
) -> None:
    """A version's model card."""
    answer = call(identity, "GET", path(use_case, "versions", version, "card"))
    text = answer[form] if form == "markdown" else json.dumps(answer[form], indent=2)
    if to is not None:
        to.write_text(f"{text.rstrip()}\n", encoding="utf-8")
    else:
        typer.echo(text.rstrip())


def show_model(answer: dict[str, Any]) -> None:
    """Pointer, versions, ledger."""
    pointer = answer["pointer"]
    champion, rollout = pointer["champion"], pointer["rollout"]
    printing.facts(
        [
            ("model", f"{answer['use_case']}: {answer['title']}"),
            ("owner", answer["owner"]),
            ("champion", champion["version"] if champion else "none"),
            (
                "rollout",
                f"{rollout['version']} for {', '.join(rollout['cohorts'])}" if rollout else "",
            ),
            ("shadows", [shadow["version"] for shadow in pointer["shadows"]]),
            ("rollback goes to", [one["version"] for one in pointer["previous"][:1]]),
            ("quarantined", pointer["quarantined"]),
            ("kill switch", "ON: rules only" if pointer["kill_switch"] else "off"),
            ("epoch", pointer["epoch"]),
        ]
    )
    printing.table(
        ("version", "stage", "model", "fairness", "trained", "why"),
        [
            (v["version"], stage(v), v["model_type"], v["fairness_audit"],
             printing.instant(v["training_date"]), v["why"])
            for v in answer["versions"]
        ],
        title="Versions",
    )  # fmt: skip
    printing.table(
        ("at", "what", "version", "before", "by"),
        [
            (printing.instant(r["timestamp"]), r["action"], r["model_version"],
             r["previous_version"], r["triggered_by"])
            for r in answer["ledger"][-LATEST:]
        ],
        title="Latest deployments",
    )  # fmt: skip


def stage(version: dict[str, Any]) -> str:
    """The stage, and what else there is to say of it."""
    marks = ["quarantined"] if version["quarantined"] else []
    marks += ["deleted"] if version["deleted_at"] else []
    return ", ".join([version["stage"], *marks])


def show_version(answer: dict[str, Any]) -> None:
    """The registry's record, section by section."""
    record = answer["record"]
    reasons = record["unknown"]
    data = record["training_data"]
    printing.facts(
        [
            ("model", record["model_id"]),
            ("why this number", record["numbered"]["why"]),
            ("kind", record["model_type"]),
            ("owner", record["owner"]),
            ("trained", printing.instant(record["training_date"])),
            ("dataset", f"{data['dataset_id']}{' (SYNTHETIC)' if data['synthetic'] else ''}"),
            ("data as of", printing.instant(data["as_of"])),
            ("features", record["feature_list"]),
            ("hyperparameters", json.dumps(record["hyperparameters"], sort_keys=True)),
            ("documented", f"{answer['documentation']['share']:.0%}"),
            ("not documented", answer["not_documented"]),
            ("record lacks", answer["not_whole"]),
            ("deleted", answer["deleted_at"]),
        ]
    )
    judged = record["evaluation"]
    names = (
        "recall",
        "false_positive",
        "cost_optimal_threshold",
        "fairness_audit",
        "eval_report_url",
    )
    section("Evaluation", judged, names, reasons)
    printing.table(
        ("metric", "value", "95 % interval"),
        [
            (n, figure(v), interval(judged["intervals"].get(n)))
            for n, v in judged["metrics"].items()
        ],
        right=("value",),
    )
    section("Deployment", record["deployment"], tuple(record["deployment"]), reasons)
    section("Monitoring", record["monitoring"], tuple(record["monitoring"]), reasons)


def section(
    title: str, values: dict[str, Any], names: tuple[str, ...], reasons: dict[str, str]
) -> None:
    """Facts under a title; what is not known says why."""
    printing.say(title, "bold")
    printing.facts((name, reasoned(values[name], reasons, name)) for name in names)
