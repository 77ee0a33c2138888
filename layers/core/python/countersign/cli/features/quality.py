"""`countersign features quality|acknowledge`: the quality log, what it blocks, and lifting a block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from countersign.aws.lake import Lake
from countersign.cli import printing
from countersign.cli.deployment import Deployment, Identity, Output, Reason
from countersign.cli.features import names, quality_log
from countersign.errors import NotFoundError


def quality(
    view: names.OneView = "",
    day: Annotated[str, typer.Option(help="2026-11-21; each view's newest when left out.")] = "",
    blocks: Annotated[
        bool, typer.Option("--blocks", help="What alerts block, instead of the log.")
    ] = False,
    html: Annotated[Path | None, typer.Option(help="Write the day's report here too.")] = None,
    identity: Identity = "auditor",
    output: Output = "table",
) -> None:
    """The quality log: nulls, moments and ranges of every feature; exit 1 on an alert."""
    deployed = Deployment.signed_as(identity)
    if blocks:
        _show_blocks(deployed, output)
        return
    wanted = [names.view(view).name] if view else sorted(names.views())
    lake = deployed.lake()
    logs = [log for log in (quality_log.log_of(lake, v, _day(day)) for v in wanted) if log]
    if not logs:
        told = f"on {day}" if day else "yet"
        raise NotFoundError(f"No quality was logged of {view or 'any view'} {told}")
    if html is not None:
        newest = day or max(log["as_of"] for log in logs)[:10]
        html.write_text(page_of(lake, newest, wanted), encoding="utf-8")
    alerts = [{"view": log["view"], "text": text} for log in logs for text in log["alerts"]]
    if output == "json":
        printing.document({"passed": not alerts, "alerts": alerts, "views": logs})
    else:
        _print_logs(logs, alerts)
    if alerts:
        raise typer.Exit(1)


def acknowledge(
    use_case: Annotated[
        str, typer.Argument(help="What is blocked.", autocompletion=names.complete_use_case)
    ],
    reason: Reason,
    revision: Annotated[
        int | None, typer.Option(help="The block you looked at; refused when more was found since.")
    ] = None,
    identity: Identity = "operator",
    output: Output = "table",
) -> None:
    """Lift the block that a data-quality alert raised; it goes on record with the reason."""
    path = f"/v1/data-quality/{quote(use_case, safe='')}/acknowledgement"
    body = {"reason": reason} | ({} if revision is None else {"revision": revision})
    answer = Deployment.signed_as(identity).call("POST", path, body)
    if output == "json":
        printing.document(answer)
        return
    printing.say(f"{use_case} is scored again; acknowledged by {answer['acknowledged_by']}")


def page_of(lake: Lake, day: str, views: Sequence[str]) -> str:
    """The day's page, drawn from the logs of the days before it."""
    from countersign.reports import quality as drawing

    first = (date.fromisoformat(day) - timedelta(days=drawing.DAYS - 1)).isoformat()
    logged = {}
    for view in views:
        found = {d: key for d, key in quality_log.days(lake, view).items() if first <= d <= day}
        if day in found:
            logged[view] = [lake.read_json(found[d]) for d in sorted(found)]
    return drawing.render(day, logged)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day; expected 2026-11-21") from error


def _print_logs(logs: Sequence[Mapping[str, Any]], alerts: Sequence[Mapping[str, Any]]) -> None:
    numbers = ("null", "mean", "std", "min", "max", "out")
    for log in logs:
        entities = max((row["rows"] for row in log["features"]), default=0)
        printing.table(
            ("feature", *numbers),
            [
                (
                    row["feature_name"],
                    f"{100 * row['null_rate']:.3g}%" if row["rows"] else "–",
                    *(_number(row[name]) for name in ("mean", "std", "min", "max")),
                    row["out_of_range_count"],
                )
                for row in log["features"]
            ],
            title=f"{log['view']}, as of {printing.instant(log['as_of'])}, {entities} entities",
            right=numbers,
        )
    for alert in alerts:
        printing.say(f"ALERT {alert['view']}: {alert['text']}", "bold red")
    if not alerts:
        printing.say("No alerts.", "green")


def _number(value: float | None) -> str:
    """Three digits: `1.28e5`, so that six of them fit beside a name."""
    if value is None:
        return "–"
    small = value and abs(value) < 0.01
    digits, _, power = (f"{value:.2e}" if small else f"{value:.3g}").partition("e")
    return f"{digits}e{int(power)}" if power else digits


def _show_blocks(deployed: Deployment, output: str) -> None:
    answer = deployed.call("GET", "/v1/data-quality")
    if output == "json":
        printing.document(answer)
    elif not answer["blocks"]:
        printing.say("Nothing is blocked, and nothing ever was.", "green")
    else:
        printing.table(
            ("use case", "status", "since", "alerts", "revision", "acknowledged"),
            [_block(row) for row in answer["blocks"]],
            right=("revision",),
        )
    if answer["blocked"]:
        raise typer.Exit(1)


def _block(row: Mapping[str, Any]) -> Sequence[Any]:
    alerts = "\n".join(alert["text"] for alert in row["alerts"] or [])
    by = f"{row['acknowledged_by']}: {row['reason']}" if row.get("acknowledged_by") else ""
    return (
        row["use_case"],
        row["status"],
        printing.instant(row["raised_at"]),
        alerts,
        row["revision"],
        by,
    )
