"""What `plan` and `apply` compare: a deployment's record and use, and the declarations of this checkout."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from countersign import use_cases
from countersign.aws.lake import Lake
from countersign.cli import printing
from countersign.cli.deployment import Deployment
from countersign.cli.features.quality_log import latest_log
from countersign.errors import CountersignError
from countersign.features.definition import (
    catalogue_digest,
    catalogue_rows,
    code_digest,
    reads,
    view_rows,
)
from countersign.features.parts import history_prefix
from countersign.features.plan import Held, Plan, Serving, Trained, Usage, ViewChange, plan

IN_USE = ("Staging", "Production")


@dataclass(frozen=True, slots=True)
class Compared:
    """A plan, and whether the deployed functions carry the declarations of this checkout."""

    plan: Plan
    deployed: bool
    differing: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "deployed": self.deployed,
            "deployed_views_differ": list(self.differing),
            **self.plan.as_dict(),
        }


def compare(deployed: Deployment) -> Compared:
    """Read the record and its use, and hold this checkout against them."""
    answer = deployed.call("GET", "/v1/features")
    every = use_cases.registered()
    views = view_rows(every)
    held = _held(deployed.lake(), [row["view"] for row in (*views, *answer["views"])])
    usage = Usage(serving=serving(), trained=tuple(_trained(deployed)), held=held)
    found = plan((answer["features"], answer["views"]), (catalogue_rows(every), views), usage)
    mine = {row["view"]: row["definition"] for row in views}
    theirs = answer["declared"]
    names = sorted({*mine, *theirs})
    return Compared(
        plan=found,
        deployed=answer["catalogue_digest"] == catalogue_digest(every),
        differing=tuple(name for name in names if mine.get(name) != theirs.get(name)),
    )


def serving() -> tuple[Serving, ...]:
    """Every served use case of this checkout, and the views that its scores cannot do without."""
    return tuple(
        Serving(
            use_case=u.name,
            code_digest=code_digest(u),
            views=tuple(view.name for view in u.views),
            critical=frozenset(v.name for v in u.views if any(f.critical for f in v.features)),
            reads=reads(u),
        )
        for u in use_cases.all_use_cases().values()
    )


def _trained(deployed: Deployment) -> Iterable[Trained]:
    """The versions in Staging and Production, with what they were trained on."""
    for model in deployed.call("GET", "/v1/models")["models"]:
        path = f"/v1/models/{model['use_case']}"
        for row in deployed.call("GET", path)["versions"] if model["versions"] else ():
            if row["stage"] in IN_USE:
                whole = deployed.call("GET", f"{path}/versions/{row['version']}")
                yield Trained(
                    use_case=model["use_case"],
                    version=row["version"],
                    stage=row["stage"],
                    features=tuple(whole["feature_list"]),
                    code_digest=whole["feature_code_digest"],
                )


def _held(lake: Lake, views: Iterable[str]) -> dict[str, Held]:
    """What the lake holds of each view; nothing is said where this identity may not look."""
    found = {}
    for view in sorted(set(views)):
        try:
            sizes = lake.sizes(history_prefix(view))
            log = latest_log(lake, view)
        except (ClientError, CountersignError):
            continue
        entities = max((row["rows"] for row in (log or {"features": []})["features"]), default=0)
        found[view] = Held(len(sizes), sum(sizes.values()), entities)
    return found


def show(compared: Compared) -> None:
    """The plan for a person."""
    found = compared.plan
    if not compared.deployed:
        views = f" ({', '.join(compared.differing)})" if compared.differing else ""
        printing.say(
            f"The deployed functions are of other declarations{views}: deploy first.", "yellow"
        )
    if found.empty:
        printing.say("No changes: the registry says what this checkout declares.")
        return
    _show_features(found)
    if found.views:
        printing.table(
            ("", "view", "history", "online until materialized"),
            [(v.action, v.view, _history(v), _meanwhile(v)) for v in found.views],
            title="Views",
        )
    if found.models:
        printing.table(
            ("", "model", "stage", "features"),
            [(m.verdict, f"{m.use_case} {m.version}", m.stage, m.features) for m in found.models],
            title="Models",
        )
    printing.say(summary(found))


def _show_features(found: Plan) -> None:
    if any(c.fields for c in found.features):
        printing.table(
            ("", "feature", "what changes", "touches"),
            [
                (c.action, f"{c.view}\n  {c.feature}", _what(c.fields), c.effect)
                for c in found.features
            ],
            title="Features",
        )
    elif found.features:
        printing.table(
            ("", "feature", "view", "touches"),
            [(c.action, c.feature, c.view, c.effect) for c in found.features],
            title="Features",
        )


def summary(found: Plan) -> str:
    """One line: how much, and whether it is safe."""
    kinds = ("add", "change", "retire", "restore")
    counts = [f"{sum(c.action == kind for c in found.features)} to {kind}" for kind in kinds]
    told = ", ".join(text for text in counts if not text.startswith("0 ")) or "no feature"
    safe = "; safe: no value changes and no request meets anything else" if found.safe else ""
    return f"Plan: {told}, {sum(v.recomputed for v in found.views)} views to recompute{safe}."


def _what(fields: Iterable[Any]) -> str:
    return "\n".join(f"{f.field}: {_value(f.before)} → {_value(f.after)}" for f in fields)


def _value(value: Any) -> str:
    text = printing.shown(value) or "no"
    return text if len(text) <= 60 else f"{text[:57]}…"


def _history(view: ViewChange) -> str:
    if not view.recomputed:
        return "kept" if view.action != "add" else "none: computed from the request"
    held = view.held
    if not held.parts:
        return f"computed in {view.buckets} buckets; none is held"
    about = f" of {held.entities} entities" if held.entities else ""
    return (
        f"computed again in {view.buckets} buckets, beside {held.parts} parts "
        f"({printing.size(held.bytes)}){about}"
    )


def _meanwhile(view: ViewChange) -> str:
    if not view.recomputed:
        return "as before"
    told = [f"{name} is blocked (424)" for name in view.blocks]
    told += [f"{name} sees nulls" for name in view.degrades]
    return "; ".join(told) or "no served use case reads it"
