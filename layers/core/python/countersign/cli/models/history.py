"""`at` and `lineage`: what served when, and what a version is made of."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from countersign.cli import printing
from countersign.cli.deployment import Identity, Output, call
from countersign.cli.models.asking import Number, UseCase, path

VERIFIED = {True: "its digest holds", False: "BYTES DIFFER from the record", None: "GONE"}


def at(
    use_case: UseCase,
    date: Annotated[
        str, typer.Argument(help="2026-11-21, or a moment such as 2026-11-21T05:47:00Z.")
    ],
    identity: Identity = "auditor",
    output: Output = "table",
) -> None:
    """What was in production on a date: champion, rollout by cohort, rollbacks, kill switch."""
    answer = call(identity, "GET", path(use_case, "at", query={"date": date}))
    if output == "json":
        printing.document(answer)
        return
    standing = answer["standing"]
    if standing is None:
        printing.say(
            f"Nothing of {use_case} was deployed until {printing.instant(answer['until'])}."
        )
        return
    show_standing(answer["until"], standing)
    show_served(answer)


def show_standing(until: str, standing: dict[str, Any]) -> None:
    """What stood at the end of the time that was asked for."""
    champion, rollout = standing["champion"], standing["rollout"]
    printing.facts(
        [
            ("at", printing.instant(until)),
            ("champion", f"{champion['version']} {champion['digest']}" if champion else "none"),
            (
                "rollout",
                f"{rollout['version']} for {', '.join(rollout['cohorts'])}" if rollout else "",
            ),
            ("shadows", [shadow["version"] for shadow in standing["shadows"]]),
            ("quarantined", standing["quarantined"]),
            ("kill switch", "ON: rules only" if standing["kill_switch"] else "off"),
            ("since", f"{printing.instant(standing['since'])}, epoch {standing['epoch']}"),
        ]
    )


def show_served(answer: dict[str, Any]) -> None:
    """Everything that answered in that time, and what changed."""
    column = answer["cohort_column"]
    printing.table(
        ("served", column, "from", "until"),
        [
            (
                s["version"] or "rules only",
                cohorts(s),
                printing.instant(s["from"]),
                printing.instant(s["until"]),
            )
            for s in answer["served"]
        ],
        title="What answered",
    )
    if answer["changes"]:
        printing.table(
            ("at", "what", "version", "before", "by"),
            [
                (printing.instant(c["timestamp"]), c["action"], c["model_version"],
                 c["previous_version"], c["triggered_by"])
                for c in answer["changes"]
            ],
            title="Changes on that day",
        )  # fmt: skip


def cohorts(served: dict[str, Any]) -> str:
    """Whom it answered."""
    if served["cohorts"] is not None:
        return ", ".join(served["cohorts"])
    return f"all but {', '.join(served['but'])}" if served["but"] else "all"


def lineage(
    use_case: UseCase,
    version: Number,
    identity: Identity = "auditor",
    output: Output = "table",
) -> None:
    """Everything a version is made of: data, sources, features, code, configuration, approvals."""
    answer = call(identity, "GET", path(use_case, "versions", version, "lineage"))
    if output == "json":
        printing.document(answer)
        return
    data, code, made, run = (answer[n] for n in ("data", "code", "configuration", "run"))
    printing.facts(
        [
            ("version", f"{answer['use_case']} {answer['version']}: {answer['numbered']['why']}"),
            (
                "artifact",
                f"{answer['artifact']['digest']}, {VERIFIED[answer['artifact']['verified']]}",
            ),
            ("dataset", f"{data['dataset_id']}, {VERIFIED[data['verified']]}"),
            ("as of", printing.instant(data["as_of"])),
            ("rows", data["rows"]),
            ("feature code", code["feature_code_digest"]),
            ("algorithm", f"{made['model_type']}, seed {made['seed']}"),
            ("run", run["run_id"]),
            ("asked for by", run["proposed_by"]),
            ("approval", run["approval_id"]),
        ]
    )
    show_origins(answer)


def show_origins(answer: dict[str, Any]) -> None:
    """Source files, views and features."""
    files = [
        (source["source"], name.rpartition("sources/")[2], found["sha256"][:12])
        for source in answer["data"]["sources"]
        for name, found in source["files"].items()
    ]
    if files:
        printing.table(("source", "file", "sha256"), files, title="Source files")
    printing.table(
        ("view", "definition", "deployed code"),
        [
            (v["view"], v["definition"], "unchanged" if v["unchanged"] else "changed")
            for v in answer["views"]
        ],
        title="Views",
    )
    printing.table(
        ("view", "features"),
        [(f["view"], f["features"]) for f in answer["features"]],
        title="Features",
    )
