"""`countersign features list|show`: the registry, read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from countersign import use_cases
from countersign.cli import printing
from countersign.cli.deployment import Deployment, Identity, Output
from countersign.cli.features import names
from countersign.cli.features.quality_log import latest_log
from countersign.declare import FeatureView
from countersign.errors import CountersignError, NotFoundError
from countersign.features.definition import catalogue_rows, view_rows
from countersign.features.notes import note
from countersign.features.record import RETIRED, active

Local = Annotated[
    bool, typer.Option("--local", help="From the declarations of this checkout; no cloud needed.")
]
Rows = Sequence[Mapping[str, Any]]


def list_features(
    view: names.OneView = "",
    model: Annotated[
        str, typer.Option(help="Only what it uses.", autocompletion=names.complete_use_case)
    ] = "",
    critical: Annotated[bool, typer.Option("--critical", help="Only critical ones.")] = False,
    retired: Annotated[bool, typer.Option("--retired", help="Retired ones too.")] = False,
    local: Local = False,
    identity: Identity = "auditor",
    output: Output = "table",
) -> None:
    """Every feature: its view, kind, source, freshness SLA, owner, and the models that use it."""
    rows = [
        row
        for row in registry(identity, local)[0]
        if (not view or row["view"] == view)
        and (not model or model in row["models"])
        and (not critical or row["critical"])
        and (retired or active(row))
    ]
    if output == "json":
        printing.document({"features": rows})
        return
    for name in dict.fromkeys(row["view"] for row in rows):
        mine = [row for row in rows if row["view"] == name]
        printing.table(
            ("feature", "source", "at most", "crit", "models"),
            [_line(row) for row in mine],
            title=f"{name}: {mine[0]['kind']}, {mine[0]['freshness_sla']}, of {mine[0]['owner']}",
            right=("at most",),
        )
    told = "" if rows else "; nothing is on record before the first `countersign features apply`"
    printing.say(f"{len(rows)} features{told if not (view or model or critical) else ''}", "dim")


def show(
    name: Annotated[
        str, typer.Argument(help="A feature or a view.", autocompletion=names.complete_either)
    ],
    local: Local = False,
    identity: Identity = "auditor",
    output: Output = "table",
) -> None:
    """Everything on record of a feature, or of a view and its features."""
    rows, views = registry(identity, local)
    mine = [row for row in rows if name in (row["feature_name"], row["view"])]
    whole = [row for row in views if row["view"] == name]
    if not mine and not whole:
        raise NotFoundError(f"No feature or view {name!r}; `countersign features list` names them")
    quality = {} if local else _statistics(identity, sorted({str(r["view"]) for r in mine}))
    described = [
        {**row, "point_in_time": _note(row), "statistics": quality.get(row["feature_name"])}
        for row in mine
    ]
    if output == "json":
        printing.document({"views": whole, "features": described})
        return
    for row in whole:
        _print_view(row)
    if whole:
        printing.table(
            ("feature", "computed as", "at most", "nulls", "critical"),
            [
                (r["feature_name"], _first_line(r), _age(r), _nulls(r), r["critical"])
                for r in described
            ],
            right=("at most",),
        )
        return
    for row in described:
        _print_feature(row)


def registry(identity: str, local: bool) -> tuple[Rows, Rows]:
    """The rows of features and of views: on record, or as this checkout declares them."""
    if local:
        every = use_cases.registered()
        return catalogue_rows(every), view_rows(every)
    answer = Deployment.signed_as(identity).call("GET", "/v1/features")
    return answer["features"], answer["views"]


def _line(row: Mapping[str, Any]) -> tuple[Any, ...]:
    name = row["feature_name"]
    gone = "" if active(row) else f" ({RETIRED} {printing.instant(row.get('retired_at'))})"
    return (
        f"{name}{gone}",
        row["source_table"],
        _age(row),
        row["critical"],
        "\n".join(row["models"]),
    )


def _print_view(row: Mapping[str, Any]) -> None:
    printing.say(row["view"], "bold")
    printing.facts(
        [
            ("description", row["description"]),
            ("owner", row["owner"]),
            ("entity", row["entity"]),
            ("kind", f"{row['kind']}, refreshed {row['refresh']}"),
            ("sources", row["sources"]),
            ("served for", printing.duration(row["ttl_seconds"]) if row["ttl_seconds"] else ""),
            ("buckets", row["buckets"] or ""),
            ("definition", row["definition"]),
            ("use cases", row["use_cases"]),
            (
                "registered",
                printing.instant(row["registered_at"]) if "registered_at" in row else "",
            ),
            ("retired", printing.instant(row["retired_at"]) if "retired_at" in row else ""),
        ]
    )


def _print_feature(row: Mapping[str, Any]) -> None:
    low, high = row["valid"]
    statistics = row["statistics"]
    printing.say(f"{row['view']}.{row['feature_name']}", "bold")
    printing.facts(
        [
            ("description", row["description"]),
            ("computed as", row["computation_logic"]),
            ("source", row["source_table"]),
            ("kind", row["kind"]),
            ("boundary", row["boundary"]),
            ("freshness", f"{row['freshness_sla']}, at most {_age(row)} old"),
            ("critical", "yes: it blocks when stale or missing" if row["critical"] else "no"),
            ("nulls", _nulls(row)),
            ("valid range", f"{_bound(low, '-∞')} to {_bound(high, '∞')}"),
            ("owner", row["owner"]),
            ("models", row["models"] or "none"),
            ("code digest", row["code_digest"]),
            (
                "registered",
                printing.instant(row["registered_at"]) if "registered_at" in row else "",
            ),
            ("retired", printing.instant(row["retired_at"]) if "retired_at" in row else ""),
            ("point in time", row["point_in_time"]),
            ("statistics", _told(statistics) if statistics else ""),
        ]
    )


def _note(row: Mapping[str, Any]) -> str:
    """The worked point-in-time note, from the declaration; empty when this checkout has it not."""
    view: FeatureView | None = names.views().get(row["view"])
    if row["kind"] == "request-time":
        return (
            "Computed from the request and from features as of the request's moment; training calls "
            "the same function on each row with the features as of that row's as-of time."
        )
    feature = (
        next((f for f in view.features if f.name == row["feature_name"]), None) if view else None
    )
    if view is None or feature is None:
        return ""
    return note(view, feature, datetime.now(UTC).replace(minute=0, second=0, microsecond=0))


def _statistics(identity: str, views: Sequence[str]) -> dict[str, Any]:
    """The newest quality log's row by feature; nothing when it cannot be read."""
    try:
        lake = Deployment.signed_as(identity).lake()
        logs = [latest_log(lake, view) for view in views]
    except (CountersignError, OSError):
        return {}
    return {row["feature_name"]: row for log in logs if log for row in log["features"]}


def _told(row: Mapping[str, Any]) -> str:
    return (
        f"{row['date']}: {row['rows']} entities, {row['null_rate']:.2%} null, mean "
        f"{printing.shown(row['mean'])}, std {printing.shown(row['std'])}, "
        f"{printing.shown(row['min'])} to {printing.shown(row['max'])}, "
        f"{row['out_of_range_count']} out of range"
    )


def _age(row: Mapping[str, Any]) -> str:
    seconds = row["maximum_staleness_seconds"]
    return printing.duration(seconds) if seconds else "–"


def _nulls(row: Mapping[str, Any]) -> str:
    return f"fill {printing.shown(row['fill'])}" if row["nulls"] == "fill" else str(row["nulls"])


def _bound(value: float | None, without: str) -> str:
    return without if value is None else printing.shown(value)


def _first_line(row: Mapping[str, Any]) -> str:
    return str(row["computation_logic"]).splitlines()[0]
