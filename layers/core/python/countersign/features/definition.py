"""What a view and a feature are, in a digest and in a registry row."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import timedelta
from functools import cache
from typing import Any

from countersign.declare import Feature, FeatureView, RequestFeature, UseCase

# Grows with every change of the engine that changes a value.
ENGINE = 1
REQUEST = "request"
_digests: dict[int, tuple[FeatureView, str]] = {}
_MEANING = ("aggregation", "expression", "where", "denominator", "source", "window")


def definition_digest(view: FeatureView) -> str:
    """16 hex digits that change when a value of the view would be computed otherwise."""
    # By identity: hashing a whole declaration would cost a scored request more than unpacking it.
    known = _digests.get(id(view))
    if known is None or known[0] is not view:
        known = _digests[id(view)] = (view, _definition_digest(view))
    return known[1]


def _definition_digest(view: FeatureView) -> str:
    meaning = {
        "engine": ENGINE,
        "entity": view.entity.key,
        "sources": [[s.name, list(s.key), s.event_time, s.known_at] for s in view.sources()],
        "carries": list(view.carries),
        "features": [{"name": f.name, **_meaning(f)} for f in view.features],
    }
    return _digest(meaning)


@cache
def feature_digest(feature: Feature | RequestFeature) -> str:
    """16 hex digits of one feature's computation: its declaration, or the module of its function.

    The whole module, because the function may call others of it.
    """
    if isinstance(feature, RequestFeature):
        module = inspect.getmodule(feature.compute)
        code = inspect.getsource(module) if module is not None else ""
        classes = {"categories": list(feature.categories)} if feature.categories else {}
        return _digest({"engine": ENGINE, "name": feature.name, "code": code} | classes)
    return _digest({"name": feature.name, **_meaning(feature)})


def code_digest(use_case: UseCase) -> str:
    """The digest of every computation behind the inputs of a model, of their order and their fill."""
    inputs = [use_case.feature(name) for name in use_case.inputs]
    return _digest(
        {
            "views": {view.name: definition_digest(view) for view in use_case.views},
            "request": {f.name: feature_digest(f) for f in use_case.request_features},
            "inputs": [[f.name, f.nulls, f.fill] for f in inputs],
        }
    )


def registry_rows(use_case: UseCase) -> list[dict[str, Any]]:
    """One row per feature: what it is, how it is computed, how fresh, whose, used by which model."""
    rows = [
        _row(use_case, f, view=view.name, owner=view.owner, kind=view.kind)
        | {
            "computation_logic": computation(view, f),
            "source_table": f.source if f.source not in {"", "*"} else view.source.name,
            "freshness_sla": view.refresh,
            "maximum_staleness_seconds": f.sla.total_seconds(),
            "boundary": "inclusive" if f.window and f.window.include_current else "exclusive",
            "definition": _meaning(f),
        }
        for view in use_case.views
        for f in view.features
    ]
    rows += [
        _row(use_case, f, view=REQUEST, owner=f.owner, kind="request-time")
        | {
            "computation_logic": inspect.getsource(f.compute).strip(),
            "source_table": use_case.spine.name,
            "freshness_sla": "real-time",
            "maximum_staleness_seconds": 0.0,
            "boundary": "the request itself",
            "definition": {},
        }
        for f in use_case.request_features
    ]
    return rows


def catalogue_rows(use_cases: Iterable[UseCase]) -> list[dict[str, Any]]:
    """Every feature once, by view and name, with all the models that use it.

    Request-time features share the view `request`; where two use cases mean different things by one
    name, the later one's is listed under `request.<use case>`.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for use_case in use_cases:
        for row in registry_rows(use_case):
            held = found.get((row["view"], row["feature_name"]))
            if held is not None and held["code_digest"] != row["code_digest"]:
                row["view"] = f"{REQUEST}.{use_case.name}"
                held = None
            users = {*row["models"], *(held["models"] if held else ())}
            found[row["view"], row["feature_name"]] = {**(held or row), "models": sorted(users)}
    return [found[key] for key in sorted(found)]


def view_rows(use_cases: Iterable[UseCase]) -> list[dict[str, Any]]:
    """One row per view: its entity, its sources, its definition digest, and who builds on it.

    The request-time features of all use cases are one view, whose definition is the digest of theirs.
    """
    every = list(use_cases)
    found: dict[str, dict[str, Any]] = {}
    for use_case in every:
        for view in use_case.views:
            users = [*found.get(view.name, {}).get("use_cases", ()), use_case.name]
            found[view.name] = _view_row(view) | {"use_cases": sorted(users)}
    rows = [row for row in catalogue_rows(every) if row["kind"] == "request-time"]
    for name in sorted({row["view"] for row in rows}):
        mine = [row for row in rows if row["view"] == name]
        found[name] = _request_row(name, mine)
    return [found[name] for name in sorted(found)]


def catalogue_digest(use_cases: Iterable[UseCase]) -> str:
    """16 hex digits of everything that the registry records of these declarations."""
    every = list(use_cases)
    return _digest([catalogue_rows(every), view_rows(every)])


def reads(use_case: UseCase) -> frozenset[str]:
    """The features that a score depends on: inputs, those of rules, and what request-time inputs read.

    A function's module may name any feature of the views in quotes; whatever it names counts as read.
    """
    code = "".join(
        {_source(f.compute) for f in use_case.request_features if f.name in use_case.inputs}
    )
    named = {
        f.name
        for view in use_case.views
        for f in view.features
        if f'"{f.name}"' in code or f"'{f.name}'" in code
    }
    return frozenset({*use_case.inputs, *(rule.when[0] for rule in use_case.rules), *named})


def computation(view: FeatureView, feature: Feature) -> str:
    """A feature's computation in one line."""
    window = feature.window
    span = "all history"
    if window is not None and (window.months or window.year_to_date or window.duration):
        span = f"{window.months} calendar months" if window.months else str(window.duration)
        span = "the year to date" if window.year_to_date else span
    where = f" where {feature.where}" if feature.where else ""
    per = f" per {feature.denominator}" if feature.denominator else ""
    source = feature.source or view.source.name
    return f"{feature.aggregation}({feature.expression}){per} of {source} over {span}{where}"


def plain(value: Any) -> Any:
    """A declared value as JSON: durations in seconds, an infinite bound as null."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(item) for name, item in asdict(value).items()}
    return value


def _view_row(view: FeatureView) -> dict[str, Any]:
    return {
        "view": view.name,
        "description": view.description,
        "owner": view.owner,
        "entity": view.entity.name,
        "sources": [source.name for source in view.sources()],
        "kind": view.kind,
        "refresh": view.refresh,
        "ttl_seconds": view.ttl.total_seconds(),
        "buckets": view.entity.buckets,
        "definition": definition_digest(view),
    }


def _request_row(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "view": name,
        "description": "Computed from the request itself, by the same functions in training",
        "owner": ", ".join(sorted({row["owner"] for row in rows})),
        "entity": "",
        "sources": sorted({row["source_table"] for row in rows}),
        "kind": "request-time",
        "refresh": "real-time",
        "ttl_seconds": 0.0,
        "buckets": 0,
        "definition": _digest({row["feature_name"]: row["code_digest"] for row in rows}),
        "use_cases": sorted({model for row in rows for model in row["models"]}),
    }


def _meaning(feature: Feature) -> dict[str, Any]:
    """What a change of which changes values: aggregation, expression, rows that count, window."""
    return {name: plain(getattr(feature, name)) for name in _MEANING}


def _row(
    use_case: UseCase, feature: Feature | RequestFeature, *, view: str, owner: str, kind: str
) -> dict[str, Any]:
    return {
        "feature_name": feature.name,
        "view": view,
        "description": feature.description,
        "owner": owner,
        "kind": kind,
        "critical": feature.critical,
        "nulls": feature.nulls,
        "fill": feature.fill if feature.nulls == "fill" else None,
        "valid": [plain(bound) for bound in feature.valid],
        "code_digest": feature_digest(feature),
        "models": [use_case.name] if feature.name in reads(use_case) else [],
    }


@cache
def _source(compute: Callable[..., Any]) -> str:
    """The module of a request-time function, whole."""
    module = inspect.getmodule(compute)
    return inspect.getsource(module) if module is not None else ""


def _digest(document: Any) -> str:
    text = json.dumps(document, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
