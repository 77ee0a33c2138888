"""What the model was made of: data, windows, hyperparameters, calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from countersign.reports import page


def lineage(document: Mapping[str, Any]) -> Markup:
    """The dataset and its windows, and everything the training was told and found."""
    splits = document.get("split") or {}
    rows = [
        (
            name,
            splits[name].get("rows"),
            splits[name].get("positives"),
            page.moment(splits[name].get("from")),
            page.moment(splits[name].get("to")),
        )
        for name in ("train", "valid", "test")
        if isinstance(splits.get(name), Mapping)
    ]
    model = document.get("model") or {}
    known: dict[str, Any] = {name.replace("_", " "): v for name, v in document["dataset"].items()}
    known["as of"] = page.moment(known.get("as of"))
    for name in ("dataset id", "dataset digest"):
        if name in known:
            known[name] = page.code(known[name])
    if document.get("artifact_digest"):
        known["artifact digest"] = page.code(document["artifact_digest"])
    cases = "Not of the first class#" if document.get("classes") else "Cases#"
    return page.section(
        "Dataset and lineage",
        page.facts(known),
        page.table(
            ["Split", "Rows#", cases, "From", "To"],
            rows,
            caption=f"Split by {splits.get('kind', 'time')}",
        ),
        Markup("<h3>Training</h3>"),
        page.facts({"model": model.get("kind"), "seed": model.get("seed"), **_settings(model)}),
        *_found(model),
    )


def _settings(model: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): _plain(v) for name, v in (model.get("hyperparameters") or {}).items()}


def _found(model: Mapping[str, Any]) -> list[Markup]:
    """What training found out: rounds, and the line of the calibration."""
    found = model.get("found") or {}
    if not found:
        return []
    flat: dict[str, Any] = {}
    for name, value in found.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}: {inner}": _plain(v) for inner, v in value.items()}
        else:
            flat[str(name)] = _plain(value)
    return [Markup("<h3>What training found</h3>"), page.facts(flat)]


def _plain(value: Any) -> Any:
    """A list or an object as text."""
    if isinstance(value, list | tuple):
        return ", ".join(str(page.shown(each)) for each in value)
    return str(value) if isinstance(value, Mapping) else value
