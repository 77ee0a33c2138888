"""The semantic version that a candidate earns, and why: it follows from what changed, nobody types it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from countersign.governance.versions import VersionRecord, parse_version

MAJOR, MINOR, PATCH = "MAJOR", "MINOR", "PATCH"
SCHEMA = {
    "input_schema_digest": "what a caller sends",
    "output_schema_digest": "what an answer says",
}
SUBSTANCE = {
    "feature_list": "the features",
    "feature_code_digest": "how features are computed",
    "dataset_digest": "the training data",
    "model_type": "the algorithm",
    "hyperparameters": "the hyperparameters",
    "seed": "the seed",
    "scoring": "how a score becomes a decision",
}
_INTERFACE = {"request": "request fields", "classes": "classes", "strategies": "strategies"}


def next_version(previous: Mapping[str, Any] | None, candidate: Mapping[str, Any]) -> str:
    """The version that a candidate earns after `previous`, the highest one registered.

    Both are a record's fields. MAJOR when the schema of request or answer changed (the fields, the
    classes of the label, the strategies); MINOR when features, data or the algorithm did; PATCH
    otherwise. The first is 1.0.0.
    """
    return earned(previous, candidate)[0]


def earned(previous: Mapping[str, Any] | None, candidate: Mapping[str, Any]) -> tuple[str, str]:
    """The version, and in one line why it is this one: `MINOR after 1.0.0: the training data changed`."""
    if previous is None:
        return "1.0.0", "The first version"
    before = str(previous["version"])
    major, minor, patch = parse_version(before)
    level, found = what_changed(previous, candidate)
    number = {
        MAJOR: f"{major + 1}.0.0",
        MINOR: f"{major}.{minor + 1}.0",
        PATCH: f"{major}.{minor}.{patch + 1}",
    }[level]
    return number, f"{level} after {before}: {'; '.join(found)}"


def what_changed(
    previous: Mapping[str, Any], candidate: Mapping[str, Any]
) -> tuple[str, list[str]]:
    """MAJOR, MINOR or PATCH, and every change that matters, the weightiest first, each as a phrase."""
    schema = [
        _told(n, text, previous, candidate)
        for n, text in SCHEMA.items()
        if _differ(n, previous, candidate)
    ]
    substance = [
        _told(n, text, previous, candidate)
        for n, text in SUBSTANCE.items()
        if _differ(n, previous, candidate)
    ]
    if schema:
        return MAJOR, [*schema, *substance]
    if substance:
        return MINOR, substance
    return PATCH, ["schema, features, data and algorithm are the same; made anew"]


def fields_of(record: VersionRecord) -> dict[str, Any]:
    """The fields of a record that decide its number."""
    names = ("version", *SCHEMA, *SUBSTANCE, "interface")
    return {name: getattr(record, name) for name in names}


def _differ(name: str, previous: Mapping[str, Any], candidate: Mapping[str, Any]) -> bool:
    return bool(_plain(previous.get(name)) != _plain(candidate.get(name)))


def _told(name: str, text: str, previous: Mapping[str, Any], candidate: Mapping[str, Any]) -> str:
    """The change as a phrase, with the names of what came, went or moved where they are known."""
    old, new = previous.get(name), candidate.get(name)
    if name in SCHEMA:
        details = _interface_details(name, previous, candidate)
    elif name == "feature_list":
        details = _sets(old or (), new or ()) or ["their order"]
    elif name == "model_type":
        details = [f"{old} to {new}"]
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = sorted({*old, *new}, key=str)
        details = [str(k) for k in keys if _plain(old.get(k)) != _plain(new.get(k))]
    else:
        details = []
    verb = "is other" if text.startswith(("what", "how")) else "changed"
    return f"{text} {verb}" + (f" ({', '.join(details)})" if details else "")


def _interface_details(
    name: str, previous: Mapping[str, Any], candidate: Mapping[str, Any]
) -> list[str]:
    parts = ("request",) if name == "input_schema_digest" else ("classes", "strategies")
    old, new = previous.get("interface") or {}, candidate.get("interface") or {}
    return [
        f"{_INTERFACE[part]} {found}"
        for part in parts
        for found in _sets(old.get(part, ()), new.get(part, ()))
    ]


def _sets(old: Any, new: Any) -> list[str]:
    """What was added and removed, by name."""
    added, removed = sorted(set(new) - set(old)), sorted(set(old) - set(new))
    return ([f"added {' '.join(added)}"] if added else []) + (
        [f"removed {' '.join(removed)}"] if removed else []
    )


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))
