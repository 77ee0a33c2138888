"""Is the registry's record of a version whole and well typed? Every transition asks (requirement D1)."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, get_args

from countersign.clock import parse_iso
from countersign.errors import CountersignError, FieldError, GateError
from countersign.governance.versions import Stage, parse_version

Kind = tuple[str, Callable[[Any], bool]]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and parse_iso(value) is not None
    except (CountersignError, ValueError):
        return False


def _is_version(value: Any) -> bool:
    try:
        return isinstance(value, str) and parse_version(value) is not None
    except CountersignError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value))


def _is_figures(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(_is_number(v) or v is None for v in value.values())
    )


def _is_people(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(p, dict) and _is_text(p.get("person")) and _is_text(p.get("role"))
            for p in value
        )
    )


def _is_gates(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(g, dict) and _is_text(g.get("metric")) and isinstance(g.get("passed"), bool)
        for g in value
    )


def _mapping_of(kind: type) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, dict) and all(isinstance(found, kind) for found in v.values())


TEXT: Kind = ("a text", _is_text)
MAYBE_TEXT: Kind = ("a text, which may be empty", lambda v: isinstance(v, str))
MOMENT: Kind = ("a moment in UTC", _is_moment)
MAYBE_MOMENT: Kind = ("a moment in UTC, or empty", lambda v: v == "" or _is_moment(v))
FLAG: Kind = ("true or false", lambda v: isinstance(v, bool))
MAPPING: Kind = ("an object", lambda v: isinstance(v, dict))
SHARE: Kind = ("a share from 0 to 1", lambda v: _is_number(v) and 0 <= v <= 1)
MAYBE_SHARE: Kind = ("a share from 0 to 1, or null", lambda v: v is None or SHARE[1](v))
MAYBE_VERSION: Kind = ("a version, or empty", lambda v: v == "" or _is_version(v))

BIRTH: dict[str, Kind] = {
    "use_case": TEXT,
    "version": ("a semantic version", _is_version),
    "digest": TEXT,
    "run_id": TEXT,
    "model_type": TEXT,
    "owner": TEXT,
    "training_date": MOMENT,
    "dataset_id": TEXT,
    "dataset_digest": TEXT,
    "feature_list": ("one or more names", _is_texts),
    "feature_code_digest": TEXT,
    "input_schema_digest": TEXT,
    "output_schema_digest": TEXT,
    "hyperparameters": MAPPING,
    "environment": MAPPING,
    "metrics": ("a finite number, or null, by metric", _is_figures),
    "gates_passed": FLAG,
    "gates": ("judged gates", _is_gates),
    "fairness_audit": (
        "PASS, FAIL or INSUFFICIENT",
        lambda v: v in ("PASS", "FAIL", "INSUFFICIENT"),
    ),
    "evaluation_digest": TEXT,
    "eval_report_key": TEXT,
    "authors": ("one or more {person, role}", _is_people),
    "synthetic": FLAG,
    "trigger_id": MAYBE_TEXT,
    "validation_window": MAPPING,
    "intervals": ("[low, high] by metric", _mapping_of(list)),
    "unknown": ("a reason by field", _mapping_of(str)),
    "as_of": MAYBE_MOMENT,
    "windows": ("the rows of each split", _mapping_of(dict)),
    "features_used": ("names by view", _mapping_of(list)),
    "definitions": ("a digest by view", _mapping_of(str)),
    "seed": ("a whole number", lambda v: isinstance(v, int) and not isinstance(v, bool)),
    "scoring": MAPPING,
    "interface": ("names by part", _mapping_of(list)),
    "after": MAYBE_VERSION,
    "why": MAYBE_TEXT,
}
# What a kind of model may not have: then it is null, and `unknown` says why.
REASONED: dict[str, Kind] = {
    "recall": SHARE,
    "false_positive": SHARE,
    "cost_optimal_threshold": ("a number", _is_number),
    "serving_endpoint": TEXT,
}
LIFE: dict[str, Kind] = {
    "stage": (", ".join(get_args(Stage)), lambda v: v in get_args(Stage)),
    "quarantined": FLAG,
    "registered_at": MOMENT,
}
# Written by the transitions and by monitoring: absent before, typed from then on.
LATER: dict[str, Kind] = {
    "archived_at": MAYBE_MOMENT,
    "deployed_at": MAYBE_MOMENT,
    "deployed_by": MAYBE_TEXT,
    "rollback_version": MAYBE_VERSION,
    "last_monitored": MAYBE_MOMENT,
    "current_recall": MAYBE_SHARE,
    "current_false_positive_rate": MAYBE_SHARE,
    "current_accuracy": MAYBE_SHARE,
    "drift_detected": FLAG,
    "next_retrain": MAYBE_TEXT,
}
_COPIED = ("use_case", "version", "digest", "run_id", "gates_passed")


def problems(item: Mapping[str, Any]) -> list[FieldError]:
    """Every field of a stored version that is missing or ill typed, by name; never a value.

    `item` is the registry's: the record as canonical JSON beside the parts that its life changes.
    """
    text = item.get("record")
    try:
        record = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        record = None
    if not isinstance(record, dict):
        return [FieldError("record", "the record as JSON")]
    found = [FieldError(n, what) for n, (what, holds) in BIRTH.items() if not holds(record.get(n))]
    found += [
        FieldError(n, f"{what}, or null and a reason in unknown") for n, what in _unreasoned(record)
    ]
    found += [FieldError(n, what) for n, (what, holds) in LIFE.items() if not holds(item.get(n))]
    found += [
        FieldError(n, what)
        for n, (what, holds) in LATER.items()
        if n in item and not holds(item[n])
    ]
    if item.get("stage") == "Production":
        found += [
            FieldError(n, "set in Production")
            for n in ("deployed_at", "deployed_by")
            if not item.get(n)
        ]
    found += [FieldError(n, "that of the record") for n in _COPIED if item.get(n) != record.get(n)]
    if hashlib.sha256(str(text).encode()).hexdigest() != item.get("record_digest"):
        found.append(FieldError("record_digest", "the digest of the record"))
    return found


def refuse_incomplete(item: Mapping[str, Any], transition: str) -> str:
    """The record's digest. Raises GateError that names every field which is missing or ill typed."""
    if found := problems(item):
        names = ", ".join(dict.fromkeys(error.field for error in found))
        raise GateError(
            f"{transition}: the record of {item.get('version')} is not whole: {names}", errors=found
        )
    return str(item["record_digest"])


def _unreasoned(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    unknown = record.get("unknown")
    reasons = unknown if isinstance(unknown, dict) else {}
    return [
        (name, what)
        for name, (what, holds) in REASONED.items()
        if name not in record
        or not (holds(record[name]) if record[name] is not None else _is_text(reasons.get(name)))
    ]
